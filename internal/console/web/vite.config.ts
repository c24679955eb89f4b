import { fileURLToPath, URL } from 'node:url'
import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  base: '/console/',
  plugins: [
    vue(),
    // Element Plus parts are bundled one by one, so that a page pays only for what it draws.
    Components({ dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })], dts: false }),
  ],
  resolve: {
    alias: [
      { find: '@', replacement: here('./src') },
      // The asynchronous zipper starts a worker from a blob: URL, which our content security policy refuses.
      { find: /^fflate$/, replacement: here('./src/lib/fflate-sync.ts') },
    ],
  },
  build: {
    manifest: true, // read by scripts/check-size.mjs
    chunkSizeWarningLimit: 700,
    // dist/.gitkeep is copied from public/, so emptying the folder does not delete the committed file.
    emptyOutDir: true,
  },
  server: { proxy: { '/api': process.env.LIANGCHE_API ?? 'http://127.0.0.1:8080' } },
})
