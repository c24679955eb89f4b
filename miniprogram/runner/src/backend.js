import { glassEasel } from 'glass-easel-miniprogram-adapter'

/** glass-easel draws into the real DOM through this; a few tags and attributes need help. */

const D = document
/** Tags with another name in the DOM, so that the browser does not treat them as its own. */
const TAGS = { image: 'wx-image', text: 'wx-text', button: 'wx-button' }
/** Events of form controls and scroll-views that events.js translates; the framework must not listen itself. */
const TRANSLATED = new Set(['input', 'focus', 'blur', 'scroll', 'confirm', 'change', 'load', 'error', 'submit', 'reset'])
const SIZE_OF_MODE = { aspectFit: 'contain', aspectFill: 'cover' }
const INPUT_TYPES = { idcard: 'text', nickname: 'text', digit: 'text', 'safe-password': 'password' }

const rpx = (style) => style.replace(/(-?\d*\.?\d+)rpx/g, 'calc($1 * var(--rpx))')

function setAttribute(el, tag, plain, name, value) {
  if (name === 'style') return plain(name, rpx(value))
  if (tag === 'wx-image' && name === 'src') el.style.backgroundImage = value ? `url("${value}")` : ''
  if (tag === 'wx-image' && name === 'mode') el.style.backgroundSize = SIZE_OF_MODE[value] ?? '100% 100%'
  if ((tag === 'input' || tag === 'textarea') && name === 'value') {
    if (el.value !== value) el.value = value
    return
  }
  if (tag === 'input' && name === 'password' && value !== 'false') return plain('type', 'password')
  if (tag === 'input' && name === 'type') return plain('type', INPUT_TYPES[value] ?? value)
  if (tag === 'scroll-view') {
    if (name === 'scroll-x' || name === 'scroll-y') return value === 'false' ? el.removeAttribute(name) : plain(name, '')
    if (name === 'scroll-left') return void (el.scrollLeft = parseFloat(value) || 0)
    if (name === 'scroll-top') return void (el.scrollTop = parseFloat(value) || 0)
  }
  plain(name, value)
}

class DomContext extends glassEasel.CurrentWindowBackendContext {
  constructor() {
    super()
    this.document = {
      createTextNode: (text) => D.createTextNode(text),
      createDocumentFragment: () => D.createDocumentFragment(),
      createElement: (tag) => {
        const name = TAGS[tag] ?? tag
        const el = D.createElement(name)
        const plain = el.setAttribute.bind(el)
        el.setAttribute = (key, value) => setAttribute(el, name, plain, key, value)
        return el
      },
    }
  }
  setListenerStats(element, type, ...rest) {
    if (!TRANSLATED.has(type)) super.setListenerStats(element, type, ...rest)
  }
}

export function createBackend() {
  const context = new DomContext()
  context.onEvent((target, type, detail, options) => {
    glassEasel.Event.dispatchEvent(target, new glassEasel.Event(type, detail, options))
  })
  return context
}
