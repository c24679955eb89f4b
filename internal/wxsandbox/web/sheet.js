// One overlay: it asks, tells the server, and answers the page that opened it. Answers go only to an allowed origin.
'use strict';
const body = document.body;
const { base, kind, ticket } = body.dataset;
const query = new URLSearchParams(location.search);
const allowed = [location.origin, ...body.dataset.allowed.split(' ').filter(Boolean)];
const $ = (id) => document.getElementById(id);

function answer(data) {
  const origin = query.get('origin') || location.origin;
  if (parent === window || !allowed.includes(origin)) return;
  parent.postMessage({ wxsandbox: kind, ...data }, origin);
}

async function post(path, data) {
  const resp = await fetch(base + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(data || {}) });
  const out = await resp.json().catch(() => ({}));
  return { ok: resp.ok, ...out };
}

for (const b of document.querySelectorAll('[data-persona]')) {
  b.addEventListener('click', async () => { await post('/phone/persona', { personaId: b.dataset.persona }); location.reload(); });
}
for (const b of document.querySelectorAll('[data-close]')) b.addEventListener('click', () => answer({ result: 'cancel' }));
for (const b of document.querySelectorAll('[data-result]')) {
  b.addEventListener('click', () => answer({ result: b.dataset.result, reason: $('problem')?.textContent }));
}

// Pay sheet.
let digits = '', busy = false;

async function pay(outcome, extra) {
  if (busy) return;
  busy = true;
  const out = await post('/sheet/pay', { ticket, outcome, ...(extra || {}) });
  busy = false;
  digits = '';
  dots();
  if (outcome === 'cancel') return answer({ result: 'cancel' });
  if (out.ok && out.order) {
    if (outcome === 'pay_late') return answer({ result: 'cancel' });
    $('ask').hidden = true;
    $('done').hidden = false;
    $('done').querySelector('button').focus();
    return;
  }
  const wrong = $('wrong');
  if (wrong) { wrong.textContent = out.message || out.error || '支付失败，请重试'; wrong.hidden = false; } else answer({ result: 'fail', reason: out.message });
}

function dots() {
  document.querySelectorAll('#dots i').forEach((el, i) => el.classList.toggle('on', i < digits.length));
}

function key(k) {
  if (busy || $('ask')?.hidden) return;
  if (k === 'del') digits = digits.slice(0, -1);
  else if (digits.length < 6) digits += k;
  if (digits && $('wrong')) $('wrong').hidden = true;
  dots();
  if (digits.length === 6) pay('pay', { password: digits });
}

if ($('keys')) {
  for (const b of $('keys').querySelectorAll('button')) b.addEventListener('click', () => key(b.dataset.key || b.textContent));
  addEventListener('keydown', (e) => {
    if (/^[0-9]$/.test(e.key)) key(e.key);
    else if (e.key === 'Backspace') key('del');
  });
}
for (const b of document.querySelectorAll('[data-outcome]')) {
  b.addEventListener('click', () => {
    if (b.dataset.outcome === 'pay_late' && !b.dataset.force) { $('ask').hidden = true; $('late').hidden = false; return; }
    pay(b.dataset.outcome, b.dataset.force ? { force: true, delayMs: 1000 } : {});
  });
}
for (const b of document.querySelectorAll('[data-late]')) b.addEventListener('click', () => pay('pay_late', { delayMs: Number(b.dataset.late) }));
document.querySelector('[data-back]')?.addEventListener('click', () => { $('late').hidden = true; $('ask').hidden = false; });

// The dialogs with two buttons.
$('reject')?.addEventListener('click', () => (kind === 'subscribe' ? subscribe([]) : answer({ result: 'reject' })));
$('accept')?.addEventListener('click', async () => {
  if (kind === 'subscribe') return subscribe([...document.querySelectorAll('input[name=t]:checked')].map((i) => i.value));
  if (kind === 'phone') {
    const out = await post('/sheet/phone');
    return answer(out.code ? { result: 'accept', code: out.code } : { result: 'fail', reason: out.error });
  }
  answer({ result: 'accept' });
});

async function subscribe(accepted) {
  const templates = [...document.querySelectorAll('input[name=t]')].map((i) => i.value);
  const { ok, error, ...result } = await post('/sheet/subscribe', { templates, accepted });
  answer(ok ? { result: 'done', templates: result } : { result: 'fail', reason: error });
}

// Scanning by hand.
if ($('scan')) {
  $('text').focus();
  $('scan').addEventListener('submit', (e) => {
    e.preventDefault();
    const text = $('text').value.trim();
    if (text) answer({ result: 'ok', text });
  });
  if (query.get('pay')) {
    fetch(base + '/phone/state').then((r) => r.json()).then((s) => {
      for (const o of s.codes || []) {
        const b = document.createElement('button');
        b.type = 'button';
        b.append(o.description, Object.assign(document.createElement('b'), { className: 'money', textContent: '¥' + (o.totalFen / 100).toFixed(2) }));
        b.addEventListener('click', () => answer({ result: 'ok', text: o.codeUrl }));
        const li = document.createElement('li');
        li.append(b);
        $('codes').append(li);
      }
      $('recent').hidden = !$('codes').children.length;
    }).catch(() => {});
  }
}
addEventListener('keydown', (e) => { if (e.key === 'Escape') document.querySelector('.close, #reject')?.click(); });
