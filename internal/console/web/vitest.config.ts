import { mergeConfig, defineConfig } from 'vitest/config'
import base from './vite.config.ts'

export default mergeConfig(
  base,
  defineConfig({
    test: {
      environment: 'happy-dom',
      include: ['tests/**/*.test.ts'],
      setupFiles: ['tests/setup.ts'],
      testTimeout: 30_000, // a busy build server is slow, and slow is not wrong
      server: { deps: { inline: ['element-plus', 'write-excel-file'] } },
    },
  }),
)
