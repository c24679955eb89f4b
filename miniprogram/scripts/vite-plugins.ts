import fs from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'vite'

const VENDOR_HOST = /cdn\.dcloud\.net\.cn|at\.alicdn\.com/
const BEACON_CALL = /preloadAssets\(\{/

/**
 * uni-app phones home. Its mp-weixin runtime calls wx.preloadAssets three seconds after start with a
 * vendor URL (the host is spelled as character codes) that carries the appid; on H5 a CSS animation
 * fetches a vendor image. Both are removed here, and the build fails when either one comes back.
 */
export function noVendorBeacon(): Plugin {
  let removed = false
  return {
    name: 'no-vendor-beacon',
    enforce: 'pre',
    transform(code, id) {
      if (!/uni-mp-weixin[\\/]dist[\\/]uni\.mp\.esm\.js/.test(id)) return
      const out = code.replace(/function preloadAsset\(\) \{/, 'function preloadAsset() { return;')
      removed = out !== code
      return { code: out, map: null }
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        if (process.env.UNI_PLATFORM === 'mp-weixin' && !removed) {
          this.error('preloadAsset() was not found in uni-mp-weixin: read its runtime again')
        }
        for (const file of Object.values(bundle)) {
          if (file.type === 'asset' && file.fileName.endsWith('.css')) {
            file.source = String(file.source).replace(/url\(https:\/\/cdn\.dcloud\.net\.cn[^)]*\)/g, 'none')
          }
          const text = file.type === 'chunk' ? file.code : typeof file.source === 'string' ? file.source : ''
          if (BEACON_CALL.test(text) || VENDOR_HOST.test(text)) this.error(`vendor address in ${file.fileName}`)
        }
      },
    },
  }
}

/**
 * wot-design-uni fetches its icon font from a public CDN on mini-programs: embed the copy that it ships.
 * H5 has a second rule with that copy as a file of our own, so there the CDN's rule is only emptied.
 */
export function inlineWotIcons(): Plugin {
  const local = 'local("wd-icons");'
  return {
    name: 'inline-wot-icons', // without `enforce`: it must see the CSS that vite:css compiled from SCSS
    transform(code, id) {
      if (!/wd-icon/.test(id) || !code.includes('at.alicdn.com')) return
      const ttf = path.resolve('node_modules/wot-design-uni/components/wd-icon/wd-icons.ttf')
      const embedded = () => `url(data:font/ttf;base64,${fs.readFileSync(ttf).toString('base64')}) format("truetype");`
      const font = process.env.UNI_PLATFORM === 'mp-weixin' ? embedded() : local
      return { code: code.replace(/url\([^;]*at\.alicdn\.com[^;]*;/, font), map: null }
    },
  }
}
