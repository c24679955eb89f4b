// The tab of faults and notifications, and the form for a new persona. Uses h, icon, post and friends of phone.js.
'use strict';

// Each preset is one switch; "一次" injects it for the next event only.
const presets = [
  ['支付通知', [
    ['drop', '丢失', '商户收不到，按微信的节奏重试'], ['delay', '延迟 10 秒', '先付款，后到账', { delayMs: 10000 }], ['duplicate', '重复 3 份', '同时送达三份'],
    ['reorder', '乱序', '排到下一条通知之后'], ['forge', '伪造签名', '签名对不上，应当拒收'], ['wrong_amount', '金额不符', '签名正确，金额多一分'],
    ['wrong_mchid', '商户号不符', '签名正确，商户不对']], 'pay.notify'],
  ['微信支付接口', [
    ['status', '服务器错误 500', '下单、查询、退款都失败', { value: '500' }], ['timeout', '超时不应答', '一分钟后断开'], ['drop_after', '应答丢失', '已受理，但商户不知道'],
    ['forge', '应答签名错误', '商户应当不信任应答']], 'pay.api'],
  ['退款', [['abnormal', '退款异常', '用户银行卡已注销'], ['closed', '退款关闭', '需换单号重退']], 'pay.refund'],
  ['小程序与公众号接口', [
    ['errcode', '40001 令牌失效', '应刷新令牌重试一次', { value: '40001' }], ['errcode', '45009 超出配额', '应停止并稍后再试', { value: '45009' }],
    ['errcode', '43101 用户拒收', '属正常情况', { value: '43101', path: '/cgi-bin/message/' }], ['delay', '变慢 3 秒', '每个请求都等', { delayMs: 3000 }], ['drop', '断开连接', '未处理就断开'],
    ['status', '服务器错误 502', '网关故障', { value: '502' }]], 'api'],
  ['短信服务商', [
    ['limit', '超出频率', '服务商限流，应等待'], ['reject', '拒收模板', '模板或签名未审核通过'], ['lose', '发出但丢失', '服务商已受理，手机收不到'], ['delay', '变慢 3 秒', '每个请求都等', { delayMs: 3000 }],
    ['drop', '断开连接', '未处理就断开'], ['status', '服务器错误 502', '网关故障', { value: '502' }]], 'sms'],
  ['公众号消息推送', [
    ['drop', '丢失一次', '没有送达，微信再推一次'], ['delay', '延迟 8 秒', '事件晚到', { delayMs: 8000 }], ['duplicate', '重复 3 份', '同一事件同时推三份'],
    ['reorder', '乱序', '排到下一条之后'], ['forge', '伪造签名', '应当答 403'], ['wrong_appid', 'AppID 不符', '加密内容属于别的公众号，应当答 403']], 'push'],
  ['网页授权', [['drop', '断开连接', '登录时微信不可用'], ['errcode', '40029 授权码无效', '应重新授权', { value: '40029' }]], 'oauth'],
];

function faultsTab(s) {
  const out = [];
  for (const [title, rows, target] of presets) {
    out.push(h('h2', { class: 'caption' }, title), h('div', { class: 'list' }, rows.map(([kind, label, hint, extra]) => {
      const body = { target, kind, ...(extra || {}) };
      const on = s.faults.find((f) => f.target === target && f.kind === kind && (f.value || '') === (body.value || ''));
      return h('div', { class: 'row' },
        h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, label)),
          h('div', { class: 'sub' + (on ? ' warn' : '') }, on ? (on.count ? '剩 ' + on.count + ' 次' : '已开启') + (on.hits ? ' · 发生过 ' + on.hits + ' 次' : '') : hint)),
        on ? null : h('button', { class: 'ghost', type: 'button', onclick: () => post('/control/faults', { ...body, count: 1 }) }, '一次'),
        h('button', { class: 'switch', type: 'button', role: 'switch', 'aria-label': title + ' ' + label, 'aria-checked': String(Boolean(on)),
          onclick: () => (on ? send('DELETE', '/control/faults?id=' + on.id).catch(() => null) : post('/control/faults', { ...body, count: 0 })) }));
    })));
  }
  out.push(h('h2', { class: 'caption' }, '公众号推送'), window.pushList(s));
  out.push(h('h2', { class: 'caption' }, '支付通知记录'));
  out.push(h('div', { class: 'list' }, s.notifications.length ? s.notifications.map(note) : h('p', { class: 'empty' }, '还没有通知')));
  out.push(h('div', { class: 'tail' }));
  return out;
}

const noteStates = { pending: ['等待送达', 'warn'], delivered: ['已送达', 'good'], exhausted: ['已放弃', 'bad'], lost: ['已丢失', 'bad'] };
const faultNames = { drop: '丢失', delay: '延迟', duplicate: '重复', reorder: '乱序', forge: '伪造签名', wrong_amount: '金额不符', wrong_mchid: '商户号不符', wrong_appid: 'AppID 不符' };

function note(n) {
  const [label, cls] = noteStates[n.state] || [n.state, ''];
  const d = h('details', { class: 'note-row', open: ui.open.has(n.id) },
    h('summary', {}, h('div', { class: 'grow' }, h('div', { class: 'title' }, h('span', {}, n.summary), h('span', { class: 'when' }, when(n.createdAt))),
      h('div', { class: 'title' }, h('span', { class: 'sub' }, '订单 …' + n.outTradeNo.slice(-10)), h('span', { class: 'when ' + cls }, label + (n.attempts.length > 1 ? ' · ' + n.attempts.length + ' 次' : ''))))),
    h('ol', {}, n.attempts.map((a) => h('li', {}, h('span', {}, clock(china(a.at)) + ':' + two(china(a.at).getUTCSeconds())),
      h('span', {}, [a.status ? '应答 ' + a.status : '', a.body, a.error, a.fault ? '（故障：' + a.fault.split('+').map((f) => faultNames[f] || f).join('、') + '）' : ''].filter(Boolean).join(' '))))),
    h('button', { class: 'ghost', type: 'button', onclick: () => post('/control/notify/' + encodeURIComponent(n.outTradeNo) + '/resend') }, '立即重发'));
  d.addEventListener('toggle', () => (d.open ? ui.open.add(n.id) : ui.open.delete(n.id)));
  return d;
}

function personaForm() {
  const form = h('form', { class: 'form' },
    h('input', { name: 'nickname', placeholder: '昵称', 'aria-label': '昵称', maxlength: '32', required: true, autocomplete: 'off' }),
    h('input', { name: 'phone', placeholder: '手机号', 'aria-label': '手机号', inputmode: 'numeric', pattern: '1[3-9][0-9]{9}', required: true, autocomplete: 'off' }),
    h('button', { class: 'plain', type: 'submit' }, '添加'));
  form.addEventListener('submit', async (e) => {
    e.preventDefault();
    const data = Object.fromEntries(new FormData(form));
    const p = await post('/control/personas', { ...data, role: '车主' });
    if (p && p.id) { form.reset(); document.activeElement.blur(); choose(p.id); }
  });
  return form;
}

window.faultsTab = faultsTab;
window.personaForm = personaForm;
