import { onBeforeMount, onMounted } from 'vue'

/** Page hooks outside uni-app: load runs before show, whatever order a page registers them in; the rest on demand. */
type Hook = (argument?: unknown) => unknown

export const pageQuery: Record<string, string> = {}
const hooks = new Map<string, Hook[]>()

const register = (name: string) => (hook: Hook) => {
  hooks.set(name, [...(hooks.get(name) ?? []), hook])
  if (name === 'onLoad') onBeforeMount(() => void hook({ ...pageQuery }))
  if (name === 'onShow') onMounted(() => void hook())
}

export const fireHook = (name: string, argument?: unknown) => Promise.all((hooks.get(name) ?? []).map((h) => h(argument)))
export const forgetHooks = () => hooks.clear()

export const onLaunch = register('onLaunch')
export const onLoad = register('onLoad')
export const onShow = register('onShow')
export const onHide = register('onHide')
export const onUnload = register('onUnload')
export const onPullDownRefresh = register('onPullDownRefresh')
export const onReachBottom = register('onReachBottom')
export const onShareAppMessage = register('onShareAppMessage')
