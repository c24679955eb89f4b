import { onLoad, onPullDownRefresh, onReachBottom, onShow } from '@dcloudio/uni-app'
import { reactive, ref } from 'vue'
import { ApiError, isCode, isUncertain, messageOf, SessionError } from '@/api/errors'
import { useMember } from '@/stores/member'
import { useSession } from '@/stores/session'
import { returnTo } from '@/utils/return-to'
import { useOwnerPage } from './useOwnerPage'
import { usePaged } from './usePaged'
import { explain, go } from './useUi'

/**
 * A page of members that may be opened by a link: it loads once somebody is logged in and has a card; before that it invites
 * to log in or to join, and comes back afterwards with everything its address carried.
 */
export function useGate(fetch: (query: Record<string, string>) => Promise<unknown>, options: { everyShow?: boolean } = {}) {
  const page = useOwnerPage()
  const session = useSession()
  const member = useMember()
  const query: Record<string, string> = {}
  const loaded = ref(false)
  const gate = reactive({ state: 'loading' as 'loading' | 'guest' | 'stranger' | 'error' | 'ready', error: '', gone: false })

  const self = () => {
    const route = getCurrentPages().at(-1)?.route ?? 'pages/home/index'
    const tail = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    return `/${route}${tail.length ? `?${tail.join('&')}` : ''}`
  }

  async function start(): Promise<void> {
    if (gate.state !== 'ready') Object.assign(gate, { state: 'loading', error: '', gone: false })
    try {
      if (!(await session.ensure())) return void (gate.state = 'guest')
      await fetch(query)
      gate.state = 'ready'
      loaded.value = true
      if (!member.home) void member.load()
    } catch (error) {
      if (isCode(error, 'member.not_joined')) gate.state = 'stranger'
      else if (error instanceof SessionError) gate.state = 'guest'
      else {
        gate.error = messageOf(error)
        gate.gone = error instanceof ApiError && !isUncertain(error) // asking again would bring the same answer
        if (gate.state !== 'ready') gate.state = 'error' // what is shown stays readable
      }
    }
  }

  async function login() {
    try {
      if (await session.login(self())) await start()
    } catch (error) {
      explain(error, '登录没有成功')
    }
  }
  function join() {
    returnTo(self())
    go('/pages/join/index')
  }

  onLoad((given) => {
    for (const [name, value] of Object.entries(given ?? {})) query[name] = decodeURIComponent(String(value))
  })
  onShow(() => {
    if (!loaded.value || options.everyShow !== false) void start()
  })
  return { ...page, gate: reactive(Object.assign(gate, { start, login, join })), query, start }
}

/** The same for a page that is one list, loaded page by page. */
export function useGateList<T>(fetchPage: (after: string | undefined, query: Record<string, string>) => Promise<{ items: T[] | null; next?: string }>) {
  let query: Record<string, string> = {}
  const list = usePaged<T>((after) => fetchPage(after, query))
  const page = useGate(async (given) => {
    query = given
    await list.reload()
    if (list.problem.value && !list.items.value.length) throw list.problem.value
  })
  onReachBottom(() => void list.more())
  onPullDownRefresh(async () => {
    await page.start()
    uni.stopPullDownRefresh()
  })
  return { ...page, list }
}
