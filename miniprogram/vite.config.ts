import { fileURLToPath, URL } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import uniImport from '@dcloudio/vite-plugin-uni'
import { inlineWotIcons, noVendorBeacon } from './scripts/vite-plugins'

// uni's command line posts a build ping to its vendor unless CI is set: builds stay silent and offline.
process.env.CI ||= '1'

// A CommonJS package in an ESM config: its default export arrives wrapped.
const uni = ((uniImport as unknown as { default?: typeof uniImport }).default ?? uniImport) as typeof uniImport

const target = process.env.UNI_PLATFORM === 'mp-weixin' ? 'mp-weixin' : 'h5'
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const backend = process.env.LIANGCHE_BACKEND ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: './',
  plugins: [noVendorBeacon(), inlineWotIcons(), uni()] as Plugin[],
  resolve: { alias: { '@platform': here(`./src/platform/${target}.ts`) } },
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ['legacy-js-api', 'import'] } } },
  build: { chunkSizeWarningLimit: 700, assetsInlineLimit: 4096 },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: { '/api': backend, '/hooks': backend, '/media': backend, '/sandbox': backend },
  },
})
