import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import { isCode, messageOf, NetworkError, SessionError } from '@/api/errors'
import type { Home } from '@/api/types'
import { ageLabel } from '@/utils/dates'
import { HOME_KEY } from '@/utils/local-data'

interface CachedHome {
  at: number
  home: Home
}

type HomeState = 'loading' | 'guest' | 'stranger' | 'member' | 'error'

/** The owner's card as the home page shows it, kept on the phone for times without network. */
export const useMember = defineStore('member', () => {
  const cached = (uni.getStorageSync(HOME_KEY) || null) as CachedHome | null
  const home = ref<Home | null>(cached?.home ?? null)
  const loadedAt = ref(cached?.at ?? 0)
  /** True when what is shown could not be refreshed just now. */
  const stale = ref(false)
  const state = ref<HomeState>(home.value ? 'member' : 'loading')
  const error = ref('')
  const now = ref(Date.now())
  const age = computed(() => ageLabel(loadedAt.value, now.value))

  function forget(next: HomeState): void {
    home.value = null
    loadedAt.value = 0
    uni.removeStorageSync(HOME_KEY)
    state.value = next
  }

  async function load(): Promise<void> {
    error.value = ''
    try {
      home.value = await api.get('/api/owner/home')
      loadedAt.value = now.value = Date.now()
      stale.value = false
      state.value = 'member'
      uni.setStorageSync(HOME_KEY, { at: loadedAt.value, home: home.value } satisfies CachedHome)
    } catch (problem) {
      now.value = Date.now()
      if (isCode(problem, 'member.not_joined')) return forget('stranger')
      if (problem instanceof SessionError) return forget('guest')
      stale.value = home.value !== null
      if (home.value) return
      state.value = 'error'
      error.value = problem instanceof NetworkError ? '没有网络，打开网络后再试' : messageOf(problem)
    }
  }

  return { home, state, stale, age, error, load, forget }
})
