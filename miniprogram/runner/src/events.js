import { glassEasel } from 'glass-easel-miniprogram-adapter'
import { sim } from './sim.js'

/** DOM events of form controls, scroll-views and open-type buttons → component events as WeChat sends them. */

const SCROLL_LOWER_PX = 50
const isField = (el) => /^(INPUT|TEXTAREA)$/.test(el.tagName)

function nodeOf(el) {
  while (el && !el.__wxElement) el = el.parentElement
  return el?.__wxElement
}
function fire(el, type, detail) {
  const node = nodeOf(el)
  if (node) glassEasel.triggerEvent(node, type, detail, { bubbles: false, composed: false })
}
const listen = (type, handler) => document.addEventListener(type, handler, true)

async function openType(button) {
  const kind = button.getAttribute('open-type')
  sim.calls.push(['openType', kind])
  if (kind === 'getPhoneNumber') {
    const answer = (await sim.hooks.phone?.()) ?? { code: 'sim-phone-code', errMsg: 'getPhoneNumber:ok' }
    fire(button, 'getphonenumber', answer)
  }
  if (kind === 'agreePrivacyAuthorization') fire(button, 'agreeprivacyauthorization', {})
}

/** A native picker opens WeChat's own wheel: a test sets its value with __sim.pick(element, value). */
function pick(element, value) {
  fire(element.closest('picker') ?? element, 'change', { value })
}

export function installEvents() {
  sim.pick = pick
  listen('input', (e) => fire(e.target, 'input', { value: e.target.value, cursor: e.target.selectionStart }))
  listen('focus', (e) => isField(e.target) && fire(e.target, 'focus', { value: e.target.value, height: 0 }))
  listen('blur', (e) => isField(e.target) && fire(e.target, 'blur', { value: e.target.value }))
  listen('keydown', (e) => {
    if (e.key === 'Enter' && e.target.tagName === 'INPUT') fire(e.target, 'confirm', { value: e.target.value })
  })
  listen('scroll', (e) => {
    const t = e.target
    if (t.tagName !== 'SCROLL-VIEW') return
    const { scrollLeft, scrollTop, scrollHeight, scrollWidth } = t
    fire(t, 'scroll', { scrollLeft, scrollTop, scrollHeight, scrollWidth })
    if (scrollHeight - scrollTop - t.clientHeight < SCROLL_LOWER_PX) fire(t, 'scrolltolower', {})
  })
  listen('click', (e) => {
    const button = e.target.closest?.('wx-button[open-type]')
    if (button && !button.hasAttribute('disabled')) void openType(button)
  })
  makeEventsPlain()
}

/** WeChat hands handlers a plain object; glass-easel an Event whose fields are getters (uni-app checks hasOwn). */
function makeEventsPlain() {
  const plainTarget = (n) => (n ? { id: n.id, dataset: { ...n.dataset }, offsetLeft: 0, offsetTop: 0 } : n)
  const original = glassEasel.Event.prototype.wrapShadowedEvent
  glassEasel.Event.prototype.wrapShadowedEvent = function (target, mark, current) {
    const event = original.call(this, plainTarget(target), mark, plainTarget(current))
    const detail = this.detail
    const fields = {
      type: this.getEventName?.() ?? this.type,
      detail,
      timeStamp: this.timeStamp,
      touches: detail?.touches,
      changedTouches: detail?.changedTouches,
    }
    for (const [key, value] of Object.entries(fields)) {
      Object.defineProperty(event, key, { value, writable: true, enumerable: true, configurable: true })
    }
    return event
  }
}
