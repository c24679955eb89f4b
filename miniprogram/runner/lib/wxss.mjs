import path from 'node:path'
import postcss from 'postcss'
import selectorParser from 'postcss-selector-parser'

/** Tags that the runner renders under another name, so that the browser's own styles do not touch them. */
const RENAMED = { page: '.wx-page-body', button: 'wx-button', image: 'wx-image', text: 'wx-text' }

/** WXSS with its @imports in place. */
function inline(file, read, seen = new Set()) {
  if (seen.has(file)) return ''
  seen.add(file)
  return read(file).replace(/@import\s+(?:url\()?["']([^"']+)["']\)?\s*;/g, (_, target) => {
    const next = target.startsWith('/') ? target.slice(1) : path.join(path.dirname(file), target)
    return inline(path.normalize(next), read, seen)
  })
}

const rename = selectorParser((selectors) => {
  selectors.walkTags((tag) => {
    tag.value = RENAMED[tag.value] ?? tag.value
  })
})

/** WXSS → CSS: rpx becomes a calc() on the page's width, tags get the runner's names. */
export function wxssToCss(file, read) {
  const root = postcss.parse(inline(file, read))
  root.walkRules((rule) => {
    const inKeyframes = rule.parent.type === 'atrule' && /keyframes/.test(rule.parent.name)
    if (!inKeyframes) rule.selector = rename.processSync(rule.selector)
  })
  root.walkDecls((declaration) => {
    declaration.value = declaration.value.replace(/(-?\d*\.?\d+)rpx/g, 'calc($1 * var(--rpx))')
  })
  return root.toString()
}
