// The phone: polls its state once a second and draws the selected tab. Nothing here decides anything; the server does.
'use strict';
const phone = document.getElementById('phone');
const base = phone.dataset.base;
const view = document.getElementById('view');
sessionStorage.setItem('wxsandbox_phone', '1'); // what is opened from here is opened inside WeChat; see bridge.js
const ui = { tab: 'chats', chat: '', state: null, raw: '', open: new Set() };

// h builds an element; text always goes in as text, so nothing from the server is read as markup.
function h(tag, attrs, ...kids) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === null || v === undefined || v === false) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v);
    else el.setAttribute(k, v === true ? '' : v);
  }
  for (const kid of kids.flat()) if (kid !== null && kid !== undefined && kid !== false) el.append(kid);
  return el;
}

function icon(name, cls) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  if (cls) svg.setAttribute('class', cls);
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', base + '/assets/icons.svg#' + name);
  svg.append(use);
  return svg;
}

const badgeIcon = (name, color) => h('span', { class: 'icon ' + color }, icon(name));
const avatar = (p) => h('img', { class: 'avatar', src: base + '/avatar/' + p.id + '.svg', alt: '', width: 44, height: 44 });
const yuan = (fen) => '¥' + (fen / 100).toFixed(2);

// china shifts an instant so that its UTC fields read as China time: the phone is in China, wherever the browser is.
const china = (text) => new Date((text === undefined ? Date.now() : Date.parse(text)) + 8 * 36e5);
const two = (n) => String(n).padStart(2, '0');
const clock = (d) => two(d.getUTCHours()) + ':' + two(d.getUTCMinutes());

function when(text) {
  const d = china(text), now = china();
  const days = Math.floor(now / 864e5) - Math.floor(d / 864e5);
  if (days === 0) return clock(d);
  if (days === 1) return '昨天 ' + clock(d);
  const day = (d.getUTCMonth() + 1) + '月' + d.getUTCDate() + '日';
  return (d.getUTCFullYear() === now.getUTCFullYear() ? '' : d.getUTCFullYear() + '年') + day + ' ' + clock(d);
}

function toast(text) {
  const t = h('div', { class: 'toast', role: 'status' }, text);
  phone.append(t);
  setTimeout(() => t.remove(), 2200);
}

async function send(method, path, body) {
  const resp = await fetch(base + path, { method, headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  const out = await resp.json().catch(() => ({}));
  if (!resp.ok) { toast(out.message || out.error || '操作失败'); throw new Error(path); }
  refresh();
  return out;
}
const post = (path, body) => send('POST', path, body || {}).catch(() => null);

async function refresh() {
  try {
    const raw = await (await fetch(base + '/phone/state')).text();
    if (raw === ui.raw) return;
    ui.raw = raw;
    ui.state = JSON.parse(raw);
    // Redrawing under a finger that types would lose the text.
    if (view.contains(document.activeElement) && document.activeElement.tagName === 'INPUT') return;
    draw();
  } catch { /* the sandbox restarts: the next second tries again */ }
}

function draw() {
  const s = ui.state;
  if (!s) return;
  if (!s.persona) { ui.tab = 'me'; ui.chat = ''; }
  const unread = { mp: 0, oa: 0, sms: 0 };
  for (const m of s.messages || []) if (!m.read) unread[m.app]++;
  unread.sms = (s.texts || []).filter((m) => !m.read).length;
  const titles = { chats: '微信', pay: '支付', faults: '故障与通知', me: s.persona ? '我' : '选择一个人物' };
  document.getElementById('title').textContent = ui.chat ? ({ mp: '服务通知', sms: '短信' }[ui.chat] || s.name) : titles[ui.tab];
  document.getElementById('back').hidden = !ui.chat;
  document.getElementById('tabs').hidden = Boolean(ui.chat) || !s.persona;
  for (const b of document.querySelectorAll('#tabs button')) {
    b.setAttribute('aria-selected', String(b.dataset.tab === ui.tab));
    b.querySelector('.badge')?.remove();
    const n = b.dataset.tab === 'chats' ? unread.mp + unread.oa + unread.sms : b.dataset.tab === 'pay' ? (s.pending || []).length : 0;
    if (n) b.append(h('span', { class: 'badge' }, String(Math.min(n, 99))));
  }
  const menu = document.getElementById('menu');
  menu.hidden = !(ui.chat === 'oa' && s.hasOfficialAccount);
  if (!menu.hidden) window.oaMenu(s, menu);
  else delete menu.dataset.drawn;
  const top = view.scrollTop;
  const pages = { chats: () => chats(s, unread), pay: () => payTab(s), faults: () => window.faultsTab(s), me: () => me(s) };
  view.replaceChildren(...(ui.chat ? chat(s) : pages[ui.tab]()).flat().filter(Boolean));
  view.scrollTop = top;
}

function chats(s, unread) {
  const last = (app) => (app === 'sms' ? (s.texts || []).map((x) => ({ at: x.at, title: x.text })) : (s.messages || []).filter((m) => m.app === app)).at(-1);
  const row = (app, name, ic, color, hint) => {
    const m = last(app);
    return h('button', { class: 'row', type: 'button', onclick: () => openChat(app) }, badgeIcon(ic, color),
      h('div', { class: 'grow' },
        h('div', { class: 'title' }, h('span', {}, name), m && h('span', { class: 'when' }, when(m.at))),
        h('div', { class: 'title' }, h('span', { class: 'sub' }, m ? m.title : hint), unread[app] ? h('span', { class: 'badge' }, String(unread[app])) : null)));
  };
  return [
    h('div', { class: 'recent' },
      s.hasMiniProgram && h('a', { href: base + '/open/mp' }, badgeIcon('mini', 'bg-green'), '打开小程序'),
      s.hasOfficialAccount && h('a', { href: base + '/open/oa' }, badgeIcon('drop', 'bg-blue'), '公众号网页')),
    h('div', { class: 'list' },
      row('mp', '服务通知', 'bell', 'bg-amber', '小程序的订阅消息会出现在这里'),
      row('oa', s.name, 'drop', 'bg-blue', s.persona.follows ? '已关注的公众号' : '尚未关注，收不到模板消息'),
      row('sms', '短信', 'chat', 'bg-blue', s.persona.phone + ' 收到的短信')),
  ];
}

function openChat(app) {
  ui.chat = app;
  draw();
  view.scrollTop = view.scrollHeight;
  readChat(app);
}

const readChat = (app) => (app === 'sms' ? post('/phone/texts/read') : post('/phone/read', { app }));

// A text message; a tap on the code copies it, as phones offer to.
function text(x) {
  const code = /^\d{4,8}$/.test((x.values || {}).code || '') ? x.values.code : '';
  return h('article', { class: 'msg' }, h('header', {}, badgeIcon('chat', 'bg-blue'), x.provider === 'aliyun' ? '10690 · 阿里云' : '10690 · 腾讯云'),
    h('p', { class: 'text' }, x.text),
    code && h('button', { class: 'ghost', type: 'button', 'data-code': code, onclick: () => navigator.clipboard?.writeText(code).then(() => toast('已复制 ' + code), () => toast(code)) }, '复制验证码 ' + code));
}

function chat(s) {
  if (ui.chat === 'oa') return window.oaChat(s);
  const list = ui.chat === 'sms' ? s.texts || [] : (s.messages || []).filter((m) => m.app === ui.chat);
  if (!list.length) return [h('p', { class: 'empty' }, ui.chat === 'sms' ? '还没有短信' : '还没有消息')];
  if (list.some((m) => !m.read)) readChat(ui.chat);
  if (ui.chat === 'sms') return list.map((x) => [h('p', { class: 'stamp' }, when(x.at)), text(x)]).concat([[h('div', { class: 'tail' })]]);
  return list.map((m) => [h('p', { class: 'stamp' }, when(m.at)), card(s, m)]).concat([[h('div', { class: 'tail' })]]);
}

function card(s, m) {
  let href = null, hint = '';
  if (m.url) { href = m.url; hint = '查看详情'; }
  if (m.page) { href = base + '/open/mp?page=' + encodeURIComponent(m.page); hint = '进入小程序查看'; }
  return h(href ? 'a' : 'article', { class: 'msg', href },
    h('header', {}, m.app === 'mp' ? badgeIcon('mini', 'bg-green') : badgeIcon('drop', 'bg-blue'), s.name),
    h('h2', {}, m.title),
    h('dl', {}, m.fields.map((f) => [h('dt', {}, f.label), h('dd', {}, f.value)]).flat()),
    hint && h('footer', {}, hint, icon('next')));
}

// openSheet shows the same pay sheet that a page opens through the bridge.
function openSheet(query) {
  const frame = h('iframe', { class: 'overlay', title: '支付', src: base + '/pay?' + new URLSearchParams({ ...query, origin: location.origin }) });
  const done = (e) => {
    if (e.source !== frame.contentWindow || e.origin !== location.origin || !e.data || e.data.wxsandbox !== 'pay') return;
    removeEventListener('message', done);
    frame.remove();
    if (e.data.result === 'ok') toast('支付成功');
    refresh();
  };
  addEventListener('message', done);
  phone.append(frame);
}

function scan(s) {
  const frame = h('iframe', { class: 'overlay', title: '扫一扫', src: base + '/sheet/scan?' + new URLSearchParams({ origin: location.origin, pay: '1' }) });
  const done = (e) => {
    if (e.source !== frame.contentWindow || e.origin !== location.origin || !e.data || e.data.wxsandbox !== 'scan') return;
    removeEventListener('message', done);
    frame.remove();
    if (!e.data.text) return;
    if (e.data.text.startsWith('weixin://wxpay/')) openSheet({ code_url: e.data.text });
    else toast('不是微信支付码');
  };
  addEventListener('message', done);
  phone.append(frame);
}

function payTab(s) {
  const due = (o, query) => h('div', { class: 'row' },
    h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, o.description)),
      h('div', { class: 'sub' }, when(o.at), o.failure ? ' · ' + o.failure : '')),
    h('div', { class: 'amount' }, yuan(o.totalFen)),
    h('button', { class: 'small', type: 'button', onclick: () => openSheet(query) }, '去支付'));
  return [
    h('div', { class: 'wallet' },
      h('button', { type: 'button', onclick: () => scan(s) }, icon('scan'), '扫一扫'),
      h('div', {}, h('b', {}, String(s.pending.length)), '笔待支付')),
    h('h2', { class: 'caption' }, '待我支付'),
    h('div', { class: 'list' }, s.pending.length ? s.pending.map((o) => due(o, { out_trade_no: o.outTradeNo })) : h('p', { class: 'empty' }, '没有待支付的订单')),
    s.codes.length ? h('h2', { class: 'caption' }, '最近的收款码（不扫码，直接点）') : null,
    s.codes.length ? h('div', { class: 'list' }, s.codes.map((o) => due(o, { code_url: o.codeUrl }))) : null,
    h('h2', { class: 'caption' }, '账单'),
    h('div', { class: 'list' }, s.history.length ? s.history.map((o) => h('div', { class: 'row' },
      badgeIcon('yen', 'bg-green'),
      h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, o.description)), h('div', { class: 'sub' }, when(o.at))),
      h('div', { class: 'amount' }, '−' + yuan(o.paidFen), o.refundedFen ? h('small', { class: 'warn' }, '已退 ' + yuan(o.refundedFen)) : null)))
      : h('p', { class: 'empty' }, '还没有付过款')),
    h('div', { class: 'tail' }),
  ];
}

function me(s) {
  const who = (p) => h('button', { class: 'row', type: 'button', onclick: () => choose(p.id) }, avatar(p),
    h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, p.nickname)), h('div', { class: 'sub' }, p.role || '车主')),
    s.persona && s.persona.id === p.id ? icon('tick', 'tick') : null);
  const out = [];
  if (s.persona) {
    out.push(h('div', { class: 'me' }, avatar(s.persona), h('div', { class: 'grow' }, h('h2', {}, s.persona.nickname),
      h('div', { class: 'sub' }, (s.persona.role || '车主') + ' · ' + s.persona.phone))),
    h('div', { class: 'list' }, h('div', { class: 'row' }, h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, '关注公众号')),
      h('div', { class: 'sub' }, '不关注就收不到模板消息')),
    h('button', { class: 'switch', type: 'button', role: 'switch', 'aria-label': '关注公众号', 'aria-checked': String(s.persona.follows),
      onclick: () => post('/control/personas', { id: s.persona.id, follows: !s.persona.follows }) }))),
    h('h2', { class: 'caption' }, '切换人物'));
  } else out.push(h('p', { class: 'caption' }, '这部手机现在属于谁？之后可以随时切换。'));
  out.push(h('div', { class: 'list' }, s.personas.map(who)));
  if (s.persona) out.push(h('h2', { class: 'caption' }, '添加人物'), window.personaForm());
  out.push(h('div', { class: 'tail' }));
  return out;
}

async function choose(id) {
  const first = !ui.state.persona;
  if (await post('/phone/persona', { personaId: id })) {
    if (first) { ui.tab = 'chats'; view.scrollTop = 0; } else view.scrollTop = 0;
    await refresh();
    draw();
  }
}

document.getElementById('back').addEventListener('click', () => { ui.chat = ''; draw(); });
for (const b of document.querySelectorAll('#tabs button')) {
  b.addEventListener('click', () => { ui.tab = b.dataset.tab; location.hash = ui.tab; view.scrollTop = 0; draw(); });
}
if (['chats', 'pay', 'faults', 'me'].includes(location.hash.slice(1))) ui.tab = location.hash.slice(1);
addEventListener('DOMContentLoaded', () => { refresh(); setInterval(refresh, 1000); });
