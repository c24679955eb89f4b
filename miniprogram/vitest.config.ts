import { fileURLToPath, URL } from 'node:url'
import { defineConfig } from 'vitest/config'
import vue from '@vitejs/plugin-vue'
import { initPreContext, preHtml, preJs } from '@dcloudio/uni-cli-shared'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const platform = (process.env.UNI_PLATFORM ??= 'mp-weixin') as 'mp-weixin' | 'h5'
initPreContext(platform)

const HOST_TAGS = /^(view|text|image|scroll-view|canvas|picker|slider)$/

export default defineConfig({
  plugins: [
    {
      // The same #ifdef preprocessor that the uni compiler runs, so that a test sees one platform's source.
      name: 'uni-ifdef',
      enforce: 'pre',
      transform(code, id) {
        if (!id.includes('/src/') || !code.includes('#if')) return
        return { code: id.endsWith('.vue') ? preHtml(preJs(code)) : preJs(code), map: null }
      },
    },
    vue({ template: { compilerOptions: { isCustomElement: (tag) => HOST_TAGS.test(tag) || tag.startsWith('wd-') } } }),
  ],
  resolve: {
    alias: {
      '@platform': here(`./src/platform/${platform}.ts`),
      '@dcloudio/uni-app': here('./tests/stubs/uni-app.ts'),
      '@': here('./src'),
    },
  },
  css: { preprocessorOptions: { scss: { additionalData: '@import "@/uni.scss";', silenceDeprecations: ['legacy-js-api', 'import'] } } },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'], setupFiles: ['tests/setup.ts'], testTimeout: 30_000 }, // a busy build server is slow, and slow is not wrong
})
