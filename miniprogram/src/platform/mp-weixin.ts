import type { GrantResult } from '@/api/types'
import { PlatformError, type Platform } from './types'

type PrivacyAnswer = { event: 'agree' | 'disagree'; buttonId?: string }
/** Privacy calls are newer than some phones' base library. */
interface PrivacyApi {
  onNeedPrivacyAuthorization?(listener: (resolve: (answer: PrivacyAnswer) => void) => void): void
  requirePrivacyAuthorize?(options: { success(): void; fail(): void }): void
  openPrivacyContract?(options: object): void
}
const privacy = () => wx as unknown as PrivacyApi

export const PRIVACY_BUTTON_ID = 'privacy-agree'

let brightnessBefore: number | null = null

async function loginCode() {
  const result = await uni.login({ provider: 'weixin' })
  if (!result.code) throw new PlatformError('微信登录没有成功，请稍后再试', result)
  return { channel: 'mini_program' as const, code: result.code }
}

export const platform: Platform = {
  name: 'mp-weixin',
  apiBase: import.meta.env.VITE_MP_API_BASE,
  scanner: 'native',
  canPrint: false,

  topInset() {
    return uni.getMenuButtonBoundingClientRect().bottom + 8
  },

  hasWeChatScanner: () => true,

  silentLogin: loginCode,
  login: loginCode,
  takeLoginError: () => '',

  pay(params) {
    return new Promise((resolve, reject) => {
      wx.requestPayment({
        timeStamp: params.timeStamp,
        nonceStr: params.nonceStr,
        package: params.package,
        signType: params.signType as 'RSA',
        paySign: params.paySign,
        success: () => resolve('paid'),
        fail: (error) => {
          if (error.errMsg.includes('cancel')) resolve('cancelled')
          else reject(new PlatformError('微信支付没有打开，请再试一次', error.errMsg))
        },
      })
    })
  },

  scan() {
    return new Promise((resolve, reject) => {
      uni.scanCode({
        scanType: ['qrCode', 'barCode'],
        success: (result) => resolve(result.result),
        fail: (error: { errMsg?: string }) => {
          if (/cancel/.test(error.errMsg ?? '')) resolve(null)
          else reject(new PlatformError('相机没有打开，请检查微信的相机权限，或手动输入会员码', error.errMsg))
        },
      })
    })
  },

  phoneBridge: () => false,
  requestPhone: async () => null,

  askSubscribe(templateIds) {
    if (!templateIds.length) return Promise.resolve([])
    return new Promise((resolve) => {
      wx.requestSubscribeMessage({
        tmplIds: templateIds,
        success: (result) => {
          const answers = result as unknown as Record<string, string>
          resolve(
            templateIds
              .filter((id) => answers[id])
              .map((templateId) => ({ templateId, result: answers[templateId] as GrantResult['result'] })),
          )
        },
        fail: () => resolve([]),
      })
    })
  },

  brighten(on) {
    if (on) {
      wx.getScreenBrightness({
        success: ({ value }) => {
          brightnessBefore ??= value
          wx.setScreenBrightness({ value: 1 })
        },
        fail: () => wx.setScreenBrightness({ value: 1 }),
      })
    } else if (brightnessBefore !== null) {
      wx.setScreenBrightness({ value: brightnessBefore })
      brightnessBefore = null
    }
    wx.setKeepScreenOn({ keepScreenOn: on })
  },

  requirePrivacy() {
    return new Promise((resolve) => {
      const ask = privacy().requirePrivacyAuthorize
      if (!ask) return resolve(true)
      ask({ success: () => resolve(true), fail: () => resolve(false) })
    })
  },

  onPrivacyNeeded(show) {
    privacy().onNeedPrivacyAuthorization?.((resolve) => {
      show((agreed) => resolve(agreed ? { event: 'agree', buttonId: PRIVACY_BUTTON_ID } : { event: 'disagree' }))
    })
  },

  openPrivacyContract() {
    const open = privacy().openPrivacyContract
    open?.({})
    return Boolean(open)
  },

  print() {},

  locate() {
    return new Promise((resolve, reject) => {
      wx.chooseLocation({
        success: ({ latitude, longitude, address, name }) => {
          const words = name && !address.includes(name) ? address + name : address
          resolve({ lat: latitude, lng: longitude, address: words })
        },
        fail: ({ errMsg }) => {
          if (/cancel/.test(errMsg)) resolve(null)
          else if (/auth|deny|denied/.test(errMsg)) reject(new PlatformError('没有定位权限，请在右上角“设置”里打开，或直接填写地址', errMsg))
          else reject(new PlatformError('地图没有打开，请直接填写地址', errMsg))
        },
      })
    })
  },

  mediaUrl: (path) => (path.startsWith('/') ? import.meta.env.VITE_MP_API_BASE + path : path),

  openMap(place, name) {
    wx.openLocation({ latitude: place.lat, longitude: place.lng, name, address: place.address })
  },

  addToCalendar(entry) {
    const seconds = (at: string) => Math.floor(Date.parse(at) / 1000)
    return new Promise((resolve, reject) => {
      wx.addPhoneCalendar({
        title: entry.title,
        location: entry.location,
        startTime: seconds(entry.startsAt),
        endTime: String(seconds(entry.endsAt)),
        alarm: true,
        alarmOffset: 3600,
        success: () => resolve('added'),
        fail: ({ errMsg }) => {
          if (/cancel/.test(errMsg)) resolve('refused')
          else if (/auth|deny|denied/.test(errMsg)) reject(new PlatformError('没有日历权限，请在手机设置里允许微信使用日历', errMsg))
          else reject(new PlatformError('没有加到日历，请再试一次', errMsg))
        },
      })
    })
  },

  choosePhotos(most) {
    return new Promise((resolve, reject) => {
      wx.chooseMedia({
        count: most,
        mediaType: ['image'],
        sourceType: ['camera', 'album'],
        sizeType: ['compressed'],
        success: ({ tempFiles }) => resolve(tempFiles.map((file) => ({ path: file.tempFilePath }))),
        fail: ({ errMsg }) => {
          if (/cancel/.test(errMsg)) resolve([])
          else reject(new PlatformError('相机没有打开，请检查微信的相机权限', errMsg))
        },
      })
    })
  },

  loadImage(canvas, url) {
    return new Promise((resolve, reject) => {
      const image = (canvas as unknown as { createImage(): HTMLImageElement }).createImage()
      image.onload = () => resolve(image)
      image.onerror = () => reject(new PlatformError('图片没有加载出来'))
      image.src = url
    })
  },

  canvasPicture(canvas) {
    return new Promise((resolve, reject) => {
      wx.canvasToTempFilePath({
        canvas: canvas as never,
        fileType: 'png',
        success: ({ tempFilePath }) => resolve(tempFilePath),
        fail: ({ errMsg }) => reject(new PlatformError('图片没有画出来，请再试一次', errMsg)),
      })
    })
  },

  savesByPress: false,

  savePicture(picture) {
    return new Promise((resolve, reject) => {
      wx.saveImageToPhotosAlbum({
        filePath: picture,
        success: () => resolve('saved'),
        fail: ({ errMsg }) => {
          if (/cancel/.test(errMsg)) resolve('refused')
          else if (/auth|deny|denied/.test(errMsg)) reject(new PlatformError('没有相册权限，请在右上角“设置”里打开，或长按图片保存', errMsg))
          else reject(new PlatformError('没有存到相册，请长按图片保存', errMsg))
        },
      })
    })
  },

  sharesPages: true,
  shareCard() {},
  pageUrl: (path) => path,
}
