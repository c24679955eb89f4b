import type { GrantResult, Jsapi } from '@/api/types'

export type Audience = 'owner' | 'staff'

/** What the server exchanges for a session: a js_code of wx.login, or a ticket of the OAuth redirect. */
export interface LoginProof {
  channel: 'mini_program' | 'ticket'
  code: string
}

export type PayResult = 'paid' | 'cancelled'

/** Thrown for faults of the phone or of WeChat's client; `message` is Chinese and says what to do. */
export class PlatformError extends Error {
  constructor(message: string, readonly cause?: unknown) {
    super(message)
    this.name = 'PlatformError'
  }
}

/** A place in GCJ-02, the coordinates of Chinese maps. */
export interface Place {
  lat: number
  lng: number
  /** '' when only the coordinates are known. */
  address: string
}

export interface CalendarEntry {
  fileName: string
  /** The calendar file, for phones that take files. */
  ics: string
  title: string
  location: string
  startsAt: string
  endsAt: string
}

/** How a shared page looks in a chat. */
export interface ShareCard {
  title: string
  desc?: string
  /** A page of ours, with a leading slash. */
  path: string
  /** Address of the picture; the shop's own when absent. */
  picture?: string
}

/** A picture on this phone, ready to be sent. */
export interface LocalPhoto {
  path: string
  /** What a browser sends; a mini-program sends the path. */
  file?: File
}

/** A canvas that a picture is drawn on, as WeChat's node and the DOM's element have it in common. */
export interface PosterCanvas {
  width: number
  height: number
  getContext(kind: '2d'): CanvasRenderingContext2D
}

/** Everything that differs between the mini-program and the H5 pages of the official account. */
export interface Platform {
  readonly name: 'mp-weixin' | 'h5'
  /** Origin of the API; '' when it is the page's own. */
  readonly apiBase: string
  /** 'native': WeChat's scanner. 'camera': our own page with the browser's camera. */
  readonly scanner: 'native' | 'camera'
  /** True when a paper receipt can be printed from here. */
  readonly canPrint: boolean
  /** Height in px that WeChat's capsule and the status bar take from a page without its own bar. */
  topInset(): number
  /** True when `scan` works here at all (also where our own camera page comes first). */
  hasWeChatScanner(): boolean
  /**
   * A login proof without asking anybody anything, or null when only a redirect would give one. With `mayLeave` an owner's page
   * inside WeChat is left for that redirect, once: it asks nothing there, and comes back to this page. Then nothing resolves any more.
   */
  silentLogin(audience: Audience, mayLeave?: boolean): Promise<LoginProof | null>
  /** Login that the person asked for. Resolves with null when the page is being left for the redirect. */
  login(audience: Audience, to: string, invite?: string): Promise<LoginProof | null>
  /** Message of a login redirect that failed, once. */
  takeLoginError(): string
  pay(params: Jsapi): Promise<PayResult>
  /** Scans one code with WeChat's scanner. Null when the person gave up. */
  scan(): Promise<string | null>
  /** True when WeChat hands over the verified phone number through `requestPhone` (not through the button). */
  phoneBridge(): boolean
  /** Code for POST /api/owner/phone, or null when the person refused. */
  requestPhone(): Promise<string | null>
  /** Asks for one-time messages. Call it straight from a tap handler. */
  askSubscribe(templateIds: string[]): Promise<GrantResult[]>
  /** Full brightness and no screen lock while a code is shown; false puts both back. */
  brighten(on: boolean): void
  /** Resolves when the person has agreed to the privacy text as far as WeChat is concerned. */
  requirePrivacy(): Promise<boolean>
  /** Called when WeChat wants the privacy sheet; `resolve` reports the person's answer. */
  onPrivacyNeeded(show: (resolve: (agreed: boolean) => void) => void): void
  /** Opens WeChat's own copy of the privacy guideline where there is one. */
  openPrivacyContract(): boolean
  print(): void
  /** Lets the person point out a place, or takes the phone's own. Null when they gave up. */
  locate(): Promise<Place | null>
  /** Where a picture of the server is found; a page of its own folder must not resolve it. */
  mediaUrl(path: string): string
  openMap(place: Place, name: string): void
  /** 'added': it is in the calendar or the file is on its way. 'copied': only the words could be copied. */
  addToCalendar(entry: CalendarEntry): Promise<'added' | 'copied' | 'refused'>
  /** Takes or chooses pictures, made small enough for a weak network. Empty when the person gave up. */
  choosePhotos(most: number): Promise<LocalPhoto[]>
  /** An image that can be drawn on this canvas. */
  loadImage(canvas: PosterCanvas, url: string): Promise<CanvasImageSource>
  /** What is on the canvas, as an address that an image element shows. */
  canvasPicture(canvas: PosterCanvas): Promise<string>
  /** True where a picture is saved by a long press on it and by nothing else. */
  readonly savesByPress: boolean
  /** 'saved': it is in the album. 'download': the browser took it. 'press': the person must press the picture. 'refused': they gave up. */
  savePicture(picture: string, fileName: string): Promise<'saved' | 'download' | 'press' | 'refused'>
  /** True when a page is shared by WeChat's own button; elsewhere its address is copied. */
  readonly sharesPages: boolean
  /** What a shared page shows inside WeChat's browser; a mini-program has its own way. */
  shareCard(card: ShareCard): void
  /** The address of a page as others can open it. */
  pageUrl(path: string): string
}
