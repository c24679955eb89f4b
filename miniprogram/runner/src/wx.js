import { createQueryClass } from './query.js'
import { sim } from './sim.js'
import { request, uploadFile } from './wx-request.js'

const D = document
const STORE = 'wx:'

/** Answers in WeChat's two styles: callbacks when any is given, else a promise. */
function ok(options, name, extra = {}) {
  const result = { errMsg: `${name}:ok`, ...extra }
  queueMicrotask(() => {
    options?.success?.(result)
    options?.complete?.(result)
  })
  const hasCallbacks = options && (options.success || options.fail || options.complete)
  return hasCallbacks ? undefined : Promise.resolve(result)
}
function fail(options, name, reason) {
  const result = { errMsg: `${name}:fail ${reason}` }
  queueMicrotask(() => {
    options?.fail?.(result)
    options?.complete?.(result)
  })
}
const quiet = (name) => (options) => ok(options, name)

function windowInfo() {
  return {
    pixelRatio: devicePixelRatio, screenWidth: innerWidth, screenHeight: innerHeight, windowWidth: innerWidth,
    windowHeight: D.getElementById('pages').clientHeight, statusBarHeight: 20, screenTop: 0,
    safeArea: { left: 0, right: innerWidth, top: 20, bottom: innerHeight, width: innerWidth, height: innerHeight - 20 },
  }
}
function systemInfo() {
  return {
    ...windowInfo(), brand: 'sim', model: 'sim', platform: 'devtools', system: 'iOS 18', language: 'zh_CN', version: '8.0.60',
    SDKVersion: '3.8.12', fontSizeSetting: 16, theme: 'light', deviceOrientation: 'portrait', host: { appId: '', env: 'WeChat' },
  }
}

let toastTimer
function showToast(options) {
  sim.calls.push(['showToast', options.title])
  const el = D.getElementById('toast')
  el.textContent = options.title
  el.style.display = 'block'
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => (el.style.display = 'none'), options.duration ?? 1500)
  return ok(options, 'showToast')
}

/** Answered at once by the test's hook (default: confirm); the last one stays readable in #modal's text. */
async function showModal(options) {
  sim.calls.push(['showModal', options.title, options.content])
  D.getElementById('modal').textContent = `${options.title ?? ''}\n${options.content ?? ''}`
  const confirm = (await sim.hooks.modal?.(options)) ?? true
  return ok(options, 'showModal', { confirm, cancel: !confirm })
}

const storage = {
  setStorageSync: (key, value) => localStorage.setItem(STORE + key, JSON.stringify(value)),
  getStorageSync(key) {
    const text = localStorage.getItem(STORE + key)
    return text === null ? '' : JSON.parse(text)
  },
  removeStorageSync: (key) => localStorage.removeItem(STORE + key),
  clearStorageSync: () => localStorage.clear(),
  getStorageInfoSync: () => ({ keys: Object.keys(localStorage).map((key) => key.slice(STORE.length)) }),
}

/** A JPEG of a car's colour, as a data address. */
function drawnPhoto() {
  const canvas = D.createElement('canvas')
  canvas.width = 640
  canvas.height = 480
  const context = canvas.getContext('2d')
  context.fillStyle = '#5b7f8c'
  context.fillRect(0, 0, 640, 480)
  return canvas.toDataURL('image/jpeg')
}

const noop = () => {}
const silent = Object.fromEntries(
  [
    'onAppShow', 'onAppHide', 'offAppShow', 'onError', 'onUnhandledRejection', 'onPageNotFound', 'onWindowResize', 'offWindowResize',
    'onThemeChange', 'onKeyboardHeightChange', 'offKeyboardHeightChange', 'hideToast', 'onNetworkStatusChange', 'offNetworkStatusChange',
  ].map((name) => [name, noop]),
)
const accepted = Object.fromEntries(
  [
    'showLoading', 'hideLoading', 'setNavigationBarColor', 'stopPullDownRefresh', 'pageScrollTo', 'setTabBarBadge', 'setTabBarStyle',
    'hideTabBar', 'showTabBar', 'vibrateShort', 'setScreenBrightness', 'setKeepScreenOn', 'checkSession', 'openPrivacyContract',
    'requirePrivacyAuthorize', 'makePhoneCall',
  ].map((name) => [name, quiet(name)]),
)

/** `pages` gives launch options, the current page's host, and navigation. */
export function createWx(pages) {
  const Query = createQueryClass(pages.currentHost)
  const animation = new Proxy({}, { get: (_, key) => (key === 'export' ? () => ({}) : () => animation) })
  const wx = {
    ...silent,
    ...accepted,
    ...storage,
    env: { USER_DATA_PATH: 'wxfile://usr' },
    canIUse: () => true,
    getSystemInfoSync: systemInfo,
    getSystemInfo: (options) => ok(options, 'getSystemInfo', systemInfo()),
    getWindowInfo: windowInfo,
    getAppBaseInfo: systemInfo,
    getDeviceInfo: systemInfo,
    getSystemSetting: () => ({}),
    getAppAuthorizeSetting: () => ({}),
    getMenuButtonBoundingClientRect: () => ({ left: innerWidth - 97, right: innerWidth - 10, top: 24, bottom: 56, width: 87, height: 32 }),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'touristappid', envVersion: 'develop', version: '' } }),
    getLaunchOptionsSync: () => pages.launch,
    getEnterOptionsSync: () => pages.launch,
    getUpdateManager: () => ({ onCheckForUpdate() {}, onUpdateReady() {}, onUpdateFailed() {}, applyUpdate() {} }),
    getSetting: (options) => ok(options, 'getSetting', { authSetting: {} }),
    getPrivacySetting: (options) => ok(options, 'getPrivacySetting', { needAuthorization: false }),
    onNeedPrivacyAuthorization: (listener) => (sim.needPrivacy = listener),
    getScreenBrightness: (options) => ok(options, 'getScreenBrightness', { value: 0.5 }),

    nextTick: (run) => Promise.resolve().then(run),
    createSelectorQuery: () => new Query(),
    createIntersectionObserver: () => ({ relativeTo() { return this }, relativeToViewport() { return this }, observe() {}, disconnect() {} }),
    createAnimation: () => animation,
    createCanvasContext: () => new Proxy({}, { get: () => noop }),

    setStorage: (options) => (storage.setStorageSync(options.key, options.data), ok(options, 'setStorage')),
    getStorage: (options) => ok(options, 'getStorage', { data: storage.getStorageSync(options.key) }),
    removeStorage: (options) => (storage.removeStorageSync(options.key), ok(options, 'removeStorage')),

    request,
    async login(options) {
      sim.calls.push(['login'])
      return ok(options, 'login', { code: (await sim.hooks.login?.()) ?? 'sim-login-code' })
    },
    async requestPayment(options) {
      sim.calls.push(['requestPayment', options])
      const how = (await sim.hooks.pay?.(options)) ?? 'ok'
      return how === 'ok' ? ok(options, 'requestPayment') : fail(options, 'requestPayment', how)
    },
    async scanCode(options) {
      sim.calls.push(['scanCode'])
      const result = await sim.hooks.scan?.()
      if (!result) return fail(options, 'scanCode', 'cancel')
      return ok(options, 'scanCode', { result, scanType: 'QR_CODE', charSet: 'UTF-8', path: '' })
    },
    async requestSubscribeMessage(options) {
      sim.calls.push(['requestSubscribeMessage', options.tmplIds])
      const answers = (await sim.hooks.subscribe?.(options.tmplIds)) ?? Object.fromEntries(options.tmplIds.map((id) => [id, 'accept']))
      return ok(options, 'requestSubscribeMessage', answers)
    },
    uploadFile,
    /** A picture as a camera would give it: the hook's, or one that is drawn here. */
    async chooseMedia(options) {
      sim.calls.push(['chooseMedia', options])
      const path = (await sim.hooks.media?.(options)) ?? drawnPhoto()
      if (!path) return fail(options, 'chooseMedia', 'cancel')
      return ok(options, 'chooseMedia', { type: 'image', tempFiles: [{ tempFilePath: path, size: path.length, fileType: 'image' }] })
    },
    async chooseLocation(options) {
      sim.calls.push(['chooseLocation'])
      const place = (await sim.hooks.location?.()) ?? { latitude: 31.2304, longitude: 121.4737, name: '人民广场', address: '上海市黄浦区人民大道' }
      return place.errMsg ? fail(options, 'chooseLocation', place.errMsg) : ok(options, 'chooseLocation', place)
    },
    openLocation: (options) => (sim.calls.push(['openLocation', options]), ok(options, 'openLocation')),
    addPhoneCalendar: (options) => (sim.calls.push(['addPhoneCalendar', options]), ok(options, 'addPhoneCalendar')),
    previewImage: (options) => (sim.calls.push(['previewImage', options.current]), ok(options, 'previewImage')),
    setClipboardData: (options) => (sim.calls.push(['setClipboardData', options.data]), ok(options, 'setClipboardData')),
    /** uni-app's vendor beacon would show here. */
    preloadAssets: (options) => void sim.calls.push(['preloadAssets', JSON.stringify(options.data)]),

    showToast,
    showModal,
    showActionSheet: (options) => ok(options, 'showActionSheet', { tapIndex: 0 }),
    setNavigationBarTitle(options) {
      pages.setTitle(options.title)
      return ok(options, 'setNavigationBarTitle')
    },
    navigateTo: (options) => pages.navigate(options, 'push'),
    redirectTo: (options) => pages.navigate(options, 'replace'),
    switchTab: (options) => pages.navigate(options, 'tab'),
    reLaunch: (options) => pages.navigate(options, 'relaunch'),
    navigateBack(options) {
      pages.back(options?.delta ?? 1)
      return ok(options, 'navigateBack')
    },
  }
  pages.answer = { ok, fail }
  return new Proxy(wx, {
    get(target, key) {
      if (typeof key === 'string' && !(key in target) && !key.startsWith('__')) sim.log.push(`wx.${key} is not mocked`)
      return target[key]
    },
  })
}
