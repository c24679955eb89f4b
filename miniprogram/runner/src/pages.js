import { logError, sim } from './sim.js'

const D = document

function parseUrl(url) {
  const [path, query = ''] = url.split('?')
  const pairs = query.split('&').filter(Boolean).map((pair) => pair.split('=').map(decodeURIComponent))
  return { path: path.replace(/^\//, ''), query: Object.fromEntries(pairs) }
}

/** The stack of pages, the bar above and the tabs below, as WeChat's client keeps them. */
export class Pages {
  stack = []
  /** Tab pages stay alive when another tab shows. */
  kept = {}
  nextId = 1
  /** Set by wx.js: how to answer a call. */
  answer = null

  constructor({ app, json, paths }, createRoot) {
    this.app = app
    this.json = json
    this.paths = paths
    this.createRoot = createRoot
    this.tabs = (app.tabBar?.list ?? []).map((tab) => tab.pagePath)
    this.launch = { path: paths[0], query: {}, scene: 1001, referrerInfo: {} }
    this.currentHost = () => this.current()?.inst._$
    sim.stack = this.stack
    sim.pages = paths
    sim.pullDown = () => this.call(this.current(), 'onPullDownRefresh')
  }

  current() {
    return this.stack[this.stack.length - 1]
  }
  config(path) {
    return { ...this.app.window, ...this.json[path] }
  }
  call(page, method, ...args) {
    try {
      return page.inst[method]?.(...args)
    } catch (error) {
      logError(error)
    }
  }

  open(url) {
    const { path, query } = parseUrl(url)
    if (!this.paths.includes(path)) throw new Error(`page not found: ${path}`)
    const el = D.createElement('div')
    el.className = 'wx-page'
    el.dataset.path = path
    const body = D.createElement('div')
    body.className = 'wx-page-body'
    const place = D.createElement('span')
    body.append(place)
    el.append(body)
    D.getElementById('pages').append(el)

    const root = this.createRoot(path)
    const inst = root.get()
    Object.assign(inst, { route: path, __route__: path, __wxWebviewId__: this.nextId++, options: query })
    const page = { path, root, inst, el, body, query }
    this.stack.push(page)
    root.attach(body, place)
    this.call(page, 'onLoad', query)
    this.show(page)
    this.call(page, 'onReady')
    this.watchScroll(page)
    return page
  }

  watchScroll(page) {
    const distance = this.config(page.path).onReachBottomDistance ?? 50
    let pause = false
    page.body.addEventListener('scroll', () => {
      const { scrollTop, scrollHeight, clientHeight } = page.body
      this.call(page, 'onPageScroll', { scrollTop })
      if (pause || scrollHeight - scrollTop - clientHeight > distance) return
      pause = true
      this.call(page, 'onReachBottom')
      setTimeout(() => (pause = false), 200)
    })
  }

  show(page) {
    for (const other of this.stack) other.el.classList.toggle('on', other === page)
    this.drawBar(page)
    this.drawTabs(page)
    this.call(page, 'onShow')
    page.root.getComponent().triggerPageLifetime?.('show', [])
  }
  hide(page) {
    if (!page) return
    this.call(page, 'onHide')
    page.root.getComponent().triggerPageLifetime?.('hide', [])
  }
  drop(page) {
    this.call(page, 'onUnload')
    page.root.release()
    page.el.remove()
  }

  navigate(options, how) {
    try {
      sim.calls.push([how, options.url])
      if (how === 'push') {
        this.hide(this.current())
        this.open(options.url)
      } else if (how === 'replace') {
        this.drop(this.stack.pop())
        this.open(options.url)
      } else if (how === 'relaunch') {
        while (this.stack.length) this.drop(this.stack.pop())
        for (const path of Object.keys(this.kept)) {
          if (!this.kept[path].el.isConnected) delete this.kept[path]
        }
        const page = this.open(options.url)
        if (this.tabs.includes(page.path)) this.kept[page.path] = page
      } else this.switchTab(options.url)
      return this.answer.ok(options, how)
    } catch (error) {
      logError(error)
      return this.answer.fail(options, how, error.message)
    }
  }

  switchTab(url) {
    const { path } = parseUrl(url)
    while (this.stack.length > 1) this.drop(this.stack.pop())
    const leaving = this.stack.pop()
    if (leaving) {
      this.hide(leaving)
      leaving.el.classList.remove('on')
      if (this.tabs.includes(leaving.path)) this.kept[leaving.path] = leaving
      else this.drop(leaving)
    }
    const kept = this.kept[path]
    if (kept?.el.isConnected) {
      this.stack.push(kept)
      this.show(kept)
    } else this.kept[path] = this.open(url)
  }

  back(count) {
    while (count-- > 0 && this.stack.length > 1) this.drop(this.stack.pop())
    this.show(this.current())
  }

  setTitle(title) {
    const span = D.querySelector('#nav span')
    if (span) span.textContent = title
  }
  drawBar(page) {
    const nav = D.getElementById('nav')
    const config = this.config(page.path)
    nav.style.display = config.navigationStyle === 'custom' ? 'none' : 'flex'
    nav.replaceChildren()
    if (this.stack.length > 1) {
      const back = D.createElement('i')
      back.className = 'back'
      back.textContent = '‹'
      back.addEventListener('click', () => this.back(1))
      nav.append(back)
    }
    const title = D.createElement('span')
    title.textContent = config.navigationBarTitleText ?? ''
    nav.append(title)
  }
  drawTabs(page) {
    const bar = D.getElementById('tabbar')
    bar.style.display = this.tabs.includes(page.path) ? 'flex' : 'none'
    bar.replaceChildren(
      ...(this.app.tabBar?.list ?? []).map((tab) => {
        const on = tab.pagePath === page.path
        const el = D.createElement('div')
        el.className = 't'
        el.style.color = on ? this.app.tabBar.selectedColor : this.app.tabBar.color
        const icon = D.createElement('img')
        icon.src = on ? tab.selectedIconPath : tab.iconPath
        el.append(icon, tab.text)
        el.addEventListener('click', () => this.navigate({ url: `/${tab.pagePath}` }, 'tab'))
        return el
      }),
    )
  }
}
