// WeixinJSBridge and window.__wxsandbox for a plain browser. Every question to the user is a page of the sandbox in a
// full-screen frame; the answer comes back by postMessage and is taken only from that frame and that origin.
(function () {
  'use strict';
  if (window.__wxsandbox) return;
  var src = new URL(document.currentScript.src);
  var base = src.href.replace(/\/bridge\.js.*$/, '');
  var css = document.createElement('link');
  css.rel = 'stylesheet';
  css.href = base + '/bridge.css';
  document.head.appendChild(css);

  // ask opens a sheet and resolves with its answer; a second question waits for the first.
  var last = Promise.resolve();
  function ask(kind, path, query) {
    var run = function () {
      return new Promise(function (resolve) {
        var q = new URLSearchParams(query || {});
        q.set('origin', location.origin);
        var frame = document.createElement('iframe');
        frame.className = 'wxsandbox-cover';
        frame.title = '微信';
        frame.src = base + path + '?' + q;
        var before = document.activeElement;
        function onMessage(e) {
          if (e.source !== frame.contentWindow || e.origin !== src.origin || !e.data || e.data.wxsandbox !== kind) return;
          window.removeEventListener('message', onMessage);
          frame.remove();
          if (before && before.focus) before.focus();
          resolve(e.data);
        }
        window.addEventListener('message', onMessage);
        frame.addEventListener('load', function () { frame.focus(); });
        document.body.appendChild(frame);
      });
    };
    var answer = last.then(run);
    last = answer.catch(function () {});
    return answer;
  }

  function persona() {
    var m = /(?:^|;\s*)wxsandbox_persona=([^;]+)/.exec(document.cookie);
    return m ? decodeURIComponent(m[1]) : null;
  }

  function pay(p, cb) {
    var query = { appId: p.appId || '', timeStamp: String(p.timeStamp || ''), nonceStr: p.nonceStr || '', package: p.package || '', signType: p.signType || '', paySign: p.paySign || '' };
    query.prepay_id = query.package.replace(/^prepay_id=/, '');
    ask('pay', '/pay', query).then(function (a) {
      var how = a.result === 'ok' ? 'ok' : a.result === 'cancel' ? 'cancel' : 'fail';
      var res = { err_msg: 'get_brand_wcpay_request:' + how };
      if (how === 'fail' && a.reason) res.err_desc = a.reason;
      cb(res);
    });
  }

  window.WeixinJSBridge = {
    invoke: function (name, params, cb) {
      cb = cb || function () {};
      if (name === 'getBrandWCPayRequest') return pay(params || {}, cb);
      if (name === 'closeWindow') { location.href = base + '/'; return cb({ err_msg: 'close_window:ok' }); }
      cb({ err_msg: name + ':fail, not simulated' });
    },
    call: function (name) { this.invoke(name, {}); },
    on: function () {},
  };

  window.__wxsandbox = {
    version: '1',
    // inPhone says that this tab was opened from the phone, as WeChat's own browser would be.
    get inPhone() { try { return sessionStorage.getItem('wxsandbox_phone') === '1'; } catch (e) { return false; } },
    persona: persona,
    // login gives a fresh js_code, as wx.login does; only a known persona can log in.
    login: function () {
      if (!persona()) return Promise.reject(new Error('login:fail no persona'));
      return fetch(base + '/sheet/login', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{}' })
        .then(function (r) { return r.json(); })
        .then(function (a) { if (!a.code) throw new Error('login:fail ' + (a.error || '')); return { code: a.code }; });
    },
    requestSubscribeMessage: function (ids) {
      return ask('subscribe', '/sheet/subscribe', { tmpl: ids.join(',') }).then(function (a) {
        if (a.result === 'fail') throw new Error('requestSubscribeMessage:fail ' + (a.reason || ''));
        var out = {};
        ids.forEach(function (id) { out[id] = (a.templates && a.templates[id]) || 'reject'; });
        return out;
      });
    },
    getPhoneNumber: function () {
      return ask('phone', '/sheet/phone').then(function (a) {
        return a.code ? { code: a.code, errMsg: 'getPhoneNumber:ok' } : { errMsg: 'getPhoneNumber:fail user deny' };
      });
    },
    requirePrivacyAuthorize: function () {
      return ask('privacy', '/sheet/privacy').then(function (a) {
        if (a.result !== 'accept') throw new Error('requirePrivacyAuthorize:fail privacy permission is not authorized');
      });
    },
    scanCode: function () {
      return ask('scan', '/sheet/scan').then(function (a) { return a.text || null; });
    },
  };
  // wx is what the JS-SDK offers after wx.config: the signature is checked as WeChat checks it, and nothing works before.
  var sdk = { state: 'new', ready: [], error: [], fault: null };
  function guarded(name, f) {
    return function (p) {
      p = p || {};
      var end = function (msg, more) {
        var res = Object.assign({ errMsg: name + ':' + msg }, more || {});
        if (msg === 'ok' && p.success) p.success(res);
        if (msg === 'cancel' && p.cancel) p.cancel(res);
        if (msg !== 'ok' && msg !== 'cancel' && p.fail) p.fail(res);
        if (p.complete) p.complete(res);
      };
      if (sdk.state !== 'ok' || sdk.list.indexOf(name) < 0) return end('permission denied');
      f(p, end);
    };
  }
  function share(name) {
    return guarded(name, function (p, end) {
      var link;
      try { link = new URL(p.link || location.href); } catch (e) { return end('fail, invalid link'); }
      if (link.host !== location.host) return end('fail, link must be on a safe domain');
      window.__wxsandbox.cards[name] = { title: p.title || document.title, desc: p.desc || '', link: link.href, imgUrl: p.imgUrl || '' };
      end('ok');
    });
  }
  window.wx = window.jWeixin = {
    config: function (c) {
      sdk.list = c.jsApiList || [];
      fetch(base + '/bridge/config', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ appId: c.appId || '', timestamp: Number(c.timestamp), nonceStr: c.nonceStr || '', signature: c.signature || '', url: location.href.split('#')[0] }) })
        .then(function (r) { return r.json(); })
        .catch(function () { return { errMsg: 'config:fail' }; })
        .then(function (a) {
          sdk.state = a.errMsg === 'config:ok' ? 'ok' : 'bad';
          sdk.fault = sdk.state === 'ok' ? null : { errMsg: a.errMsg || 'config:fail, ' + (a.error || '') };
          (sdk.fault ? sdk.error : sdk.ready).splice(0).forEach(function (f) { f(sdk.fault || undefined); });
        });
    },
    ready: function (f) { if (sdk.state === 'ok') f(); else if (sdk.state === 'new') sdk.ready.push(f); },
    error: function (f) { if (sdk.state === 'bad') f(sdk.fault); else sdk.error.push(f); },
    checkJsApi: function (p) {
      var r = {};
      (p.jsApiList || []).forEach(function (n) { r[n] = typeof window.wx[n] === 'function'; });
      if (p.success) p.success({ errMsg: 'checkJsApi:ok', checkResult: r });
    },
    updateAppMessageShareData: share('updateAppMessageShareData'),
    updateTimelineShareData: share('updateTimelineShareData'),
    scanQRCode: guarded('scanQRCode', function (p, end) {
      ask('scan', '/sheet/scan').then(function (a) { if (a.text) end('ok', { resultStr: a.text }); else end('cancel'); });
    }),
    chooseWXPay: guarded('chooseWXPay', function (p, end) {
      pay({ appId: p.appId, timeStamp: p.timestamp || p.timeStamp, nonceStr: p.nonceStr, package: p.package, signType: p.signType, paySign: p.paySign }, function (res) {
        end(res.err_msg.replace(/^.*:/, ''), {});
      });
    }),
    hideMenuItems: guarded('hideMenuItems', function (p, end) { end('ok'); }),
    closeWindow: function () { location.href = base + '/'; },
  };
  window.__wxsandbox.cards = {};

  // Pages wait for this event where the bridge is not there yet.
  document.dispatchEvent(new Event('WeixinJSBridgeReady'));
})();
