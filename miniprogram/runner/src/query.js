/** wx.createSelectorQuery on the DOM below a component. `currentHost` gives the page's component. */
export function createQueryClass(currentHost) {
  function measure(node, fields) {
    if (!node) return null
    const el = node.getBackendElement?.()
    const box = el?.getBoundingClientRect?.() ?? {}
    const out = {}
    if (fields.id) out.id = node.id
    if (fields.dataset) out.dataset = node.dataset
    if (fields.rect) Object.assign(out, { left: box.left, top: box.top, right: box.right, bottom: box.bottom })
    if (fields.size) Object.assign(out, { width: box.width, height: box.height })
    if (fields.scrollOffset) {
      Object.assign(out, { scrollLeft: el.scrollLeft, scrollTop: el.scrollTop, scrollHeight: el.scrollHeight, scrollWidth: el.scrollWidth })
    }
    if (fields.node) out.node = el
    return out
  }

  return class Query {
    requests = []
    component = null; // the semicolon matters: "null in (…)" would be an expression

    in(component) {
      this.component = component
      return this
    }
    select(selector) {
      return this.#request(selector, true)
    }
    selectAll(selector) {
      return this.#request(selector, false)
    }
    selectViewport() {
      return this.#request(null, true)
    }
    #request(selector, single) {
      const add = (fields, done) => {
        this.requests.push({ selector, single, fields, done, component: this.component })
        return this
      }
      return {
        boundingClientRect: (done) => add({ rect: true, size: true, id: true, dataset: true }, done),
        scrollOffset: (done) => add({ scrollOffset: true }, done),
        fields: add,
        node: (done) => add({ node: true }, done),
        context: (done) => add({ context: true }, done),
      }
    }
    #answer({ selector, single, fields, component }) {
      if (selector === null) return { width: innerWidth, height: innerHeight, scrollTop: 0, scrollLeft: 0 }
      const shadow = (component?._$ ?? currentHost())?.getShadowRoot?.()
      if (single) return measure(shadow?.querySelector(selector), fields)
      return (shadow?.querySelectorAll(selector) ?? []).map((node) => measure(node, fields))
    }
    exec(done) {
      setTimeout(() => {
        const results = this.requests.map((request) => {
          const result = this.#answer(request)
          request.done?.(result)
          return result
        })
        done?.(results)
      }, 0)
    }
  }
}
