import { beforeEach, vi } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'
import { config } from '@vue/test-utils'
import { forgetCachedSessions } from '@/api/tokens'
import { forgetHooks, pageQuery } from './stubs/uni-app'
import { installUni } from './support'

// easycom registers our components by folder name; tests do the same.
const files = import.meta.glob('../src/components/*/*.vue', { eager: true, import: 'default' })
config.global.components = Object.fromEntries(
  Object.entries(files).map(([file, component]) => [/([\w-]+)\.vue$/.exec(file)![1]!, component as never]),
)

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useRealTimers()
  installUni()
  forgetCachedSessions()
  forgetHooks()
  for (const name of Object.keys(pageQuery)) delete pageQuery[name]
})
