// The chat with the official account: what both wrote, template messages, the menu, following. Uses h, icon, post and friends of phone.js.
'use strict';
const chatUi = { typing: false, open: -1 };

// said turns an answered text into nodes. WeChat knows one tag in it: a link, which may lead into the mini-program.
function said(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(/<a ([^>]*)>([\s\S]*?)<\/a>/g)) {
    out.push(text.slice(at, m.index));
    at = m.index + m[0].length;
    const parsed = new DOMParser().parseFromString('<a ' + m[1] + '></a>', 'text/html').querySelector('a');
    const href = parsed.getAttribute('href') || '', page = parsed.getAttribute('data-miniprogram-path');
    const words = new DOMParser().parseFromString(m[2], 'text/html').body.textContent;
    const to = page && ui.state.hasMiniProgram ? base + '/open/mp?page=' + encodeURIComponent(page) : /^https?:\/\//.test(href) ? viaOAuth(href) : null;
    out.push(to ? h('a', { href: to }, words) : words);
  }
  out.push(text.slice(at));
  return out;
}

const viaOAuth = (href) => href;

function bubble(s, e) {
  if (e.side === 'note') return h('p', { class: 'hint' }, e.text);
  if (e.kind === 'news') {
    return h('article', { class: 'msg news' }, e.articles.map((a) => h('a', { href: /^https?:\/\//.test(a.url) ? a.url : null },
      a.picture && a.picture.startsWith(location.origin) ? h('img', { src: a.picture, alt: '' }) : null, h('h2', {}, a.title), a.description && h('p', {}, a.description))));
  }
  const mine = e.side === 'me';
  return h('div', { class: 'bubble' + (mine ? ' mine' : '') }, mine ? avatar(s.persona) : badgeIcon('drop', 'bg-blue'), h('p', {}, mine ? e.text : said(e.text)));
}

function oaChat(s) {
  const list = (s.messages || []).filter((m) => m.app === 'oa');
  if (list.some((m) => !m.read)) post('/phone/read', { app: 'oa' });
  const all = [...list.map((m) => ({ at: m.at, node: () => card(s, m) })), ...(s.chat || []).map((e) => ({ at: e.at, node: () => bubble(s, e), note: e.side === 'note' }))]
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const out = [];
  let last = 0;
  for (const x of all) {
    if (!x.note && Date.parse(x.at) - last > 3e5) out.push(h('p', { class: 'stamp' }, when(x.at)));
    last = Date.parse(x.at);
    out.push(x.node());
  }
  if (!all.length) out.push(h('p', { class: 'empty' }, s.persona.follows ? '还没有消息' : '关注后可以收到消息'));
  const who = { personaId: s.persona.id };
  out.push(h('div', { class: 'oatools' },
    h('button', { class: s.persona.follows ? 'ghost' : 'small', type: 'button', onclick: () => post('/control/personas', { id: s.persona.id, follows: !s.persona.follows }) }, s.persona.follows ? '取消关注' : '关注公众号'),
    h('button', { class: 'ghost', type: 'button', onclick: () => scanScene(who) }, '扫带参数的二维码')), h('div', { class: 'tail' }));
  const grew = view.dataset.chat !== String(all.length);
  view.dataset.chat = String(all.length);
  if (grew) setTimeout(() => { view.scrollTop = view.scrollHeight; });
  return out;
}

function scanScene(who) {
  const known = ui.state.scenes || [];
  const scene = prompt('二维码里的场景值' + (known.length ? '（已有：' + known.slice(0, 6).join('、') + '）' : ''), known[0] || 's1');
  if (scene) post('/control/scan', { ...who, scene });
}

// oaMenu draws the bar at the bottom: the shop's menu, or a line to write in. It is drawn anew only when it changes, so that nobody loses a text.
function oaMenu(s, bar) {
  const key = JSON.stringify([s.menu, s.persona.follows, chatUi]);
  if (bar.dataset.drawn === key) return;
  bar.dataset.drawn = key;
  const redraw = () => oaMenu(ui.state, bar);
  const toggle = (on) => { chatUi.typing = on; chatUi.open = -1; redraw(); };
  if (!s.persona.follows || (!s.menu.length && !chatUi.typing)) {
    bar.replaceChildren(h('div', { class: 'oabar' }, s.persona.follows ? h('div', { class: 'keys' }, h('button', { type: 'button', 'aria-label': '写消息', onclick: () => toggle(true) }, icon('chat'))) : null,
      h('div', {}, h('a', { href: base + '/open/oa' }, '进入' + s.name))));
    return;
  }
  if (chatUi.typing) {
    const input = h('input', { name: 'text', 'aria-label': '消息', placeholder: '发消息', maxlength: '600', autocomplete: 'off' });
    const form = h('form', {}, input, h('button', { class: 'small', type: 'submit' }, '发送'));
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      const text = input.value.trim();
      input.value = '';
      if (text) post('/control/text', { personaId: ui.state.persona.id, text });
    });
    bar.replaceChildren(h('div', { class: 'oabar' }, h('div', { class: 'keys' }, h('button', { type: 'button', 'aria-label': '菜单', onclick: () => toggle(false) }, icon('mini'))), form));
    input.focus();
    return;
  }
  bar.replaceChildren(h('div', { class: 'oabar' }, h('div', { class: 'keys' }, h('button', { type: 'button', 'aria-label': '写消息', onclick: () => toggle(true) }, icon('chat'))),
    s.menu.map((b, at) => {
      const sub = b.sub_button || [];
      const open = chatUi.open === at;
      return h('div', {}, h('button', { type: 'button', 'aria-expanded': sub.length ? String(open) : null, onclick: () => (sub.length ? ((chatUi.open = open ? -1 : at), redraw()) : tap(at, -1)) }, (sub.length ? '≡ ' : '') + b.name),
        open && sub.length ? h('div', { class: 'up' }, sub.map((x, i) => h('button', { type: 'button', onclick: () => tap(at, i) }, x.name))) : null);
    })));
}

async function tap(at, sub) {
  chatUi.open = -1;
  const to = await post('/phone/tap', { at, sub });
  oaMenu(ui.state, document.getElementById('menu'));
  if (!to) return;
  if (to.type === 'view') location.href = to.url;
  if (to.type === 'miniprogram') location.href = base + '/open/mp?page=' + encodeURIComponent(to.pagepath);
}

const pushStates = { pending: ['等待应答', 'warn'], delivered: ['已送达', 'good'], lost: ['三次都没有送达', 'bad'] };

function pushList(s) {
  const rows = (s.pushes || []).slice(0, 12).map((n) => {
    const [label, cls] = pushStates[n.state] || [n.state, ''];
    const last = n.attempts.at(-1);
    return h('div', { class: 'row' }, h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, n.name + (n.key ? ' · ' + n.key : '')), h('span', { class: 'when' }, when(n.at))),
      h('div', { class: 'title' }, h('span', { class: 'sub' }, last ? (last.status ? '应答 ' + last.status : last.error) + (n.attempts.length > 1 ? '，共 ' + n.attempts.length + ' 次' : '') : ''), h('span', { class: 'when ' + cls }, label))));
  });
  return h('div', { class: 'list' }, h('div', { class: 'row' }, h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, '加密推送（安全模式）')), h('div', { class: 'sub' }, '关掉后用明文模式推送')),
    h('button', { class: 'switch', type: 'button', role: 'switch', 'aria-label': '加密推送', 'aria-checked': String(!s.plainPush), onclick: () => post('/control/push', { mode: s.plainPush ? 'encrypted' : 'plain' }) })),
  rows.length ? rows : h('p', { class: 'empty' }, s.pushes_on ? '还没有推送' : '没有设置推送地址'));
}

window.oaChat = oaChat;
window.oaMenu = oaMenu;
window.pushList = pushList;
