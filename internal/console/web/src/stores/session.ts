import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import * as sessionApi from '@/api/session'
import { applyBrand, DEFAULT_ACCENT } from '@/lib/brand'
import { may } from '@/lib/permissions'
import { asProblem } from '@/lib/problem'
import type { StaffMe } from '@/lib/types'

const STORE_KEY = 'liangche.console.store'
/** The cookies cannot be read here: this says that there may be some, so that a first visit asks for nothing. */
const SIGNED_IN_KEY = 'liangche.console.signedIn'

/** Who is signed in, which store is looked at, and the shop's look. */
export const useSession = defineStore('session', () => {
  const me = ref<StaffMe | null>(null)
  const shopName = ref('亮车')
  const storeId = ref<number | undefined>(readStore())
  const loaded = ref(false)

  const permissions = computed(() => me.value?.permissions ?? [])
  const stores = computed(() => me.value?.stores ?? [])
  /** The store in view; a person of one store always looks at that one. */
  const store = computed(() => (stores.value.length === 1 ? stores.value[0] : stores.value.find((item) => item.id === storeId.value)))

  function can(permission: string | undefined): boolean {
    return may(permissions.value, permission)
  }

  /** Asks once who we are; nobody is fine, other faults are thrown. */
  async function load(): Promise<void> {
    if (loaded.value) return
    if (!localStorage.getItem(SIGNED_IN_KEY)) {
      loaded.value = true
      return
    }
    try {
      adopt(await sessionApi.getMe())
    } catch (error) {
      if (asProblem(error).status !== 401) throw error
    }
    loaded.value = true
  }

  async function login(username: string, password: string): Promise<void> {
    await sessionApi.login(username, password)
    adopt(await sessionApi.getMe())
    loaded.value = true
  }

  async function logout(): Promise<void> {
    try {
      await sessionApi.logout()
    } finally {
      forget()
    }
  }

  function forget(): void {
    localStorage.removeItem(SIGNED_IN_KEY)
    me.value = null
  }

  function adopt(fresh: StaffMe): void {
    me.value = fresh
    localStorage.setItem(SIGNED_IN_KEY, '1')
    if (fresh.shopName) shopName.value = fresh.shopName
  }

  function chooseStore(id: number | undefined): void {
    storeId.value = id
    if (id) localStorage.setItem(STORE_KEY, String(id))
    else localStorage.removeItem(STORE_KEY)
  }

  /** The shop's name and accent; without them the defaults stay. */
  async function loadLook(): Promise<void> {
    applyBrand(DEFAULT_ACCENT)
    try {
      const look = await sessionApi.getShopLook()
      shopName.value = look.shopName
      applyBrand(look.accentColor)
    } catch {
      // The page works in the default colour.
    }
  }

  return { me, shopName, storeId, store, stores, permissions, loaded, can, load, login, logout, forget, chooseStore, loadLook }
})

function readStore(): number | undefined {
  const text = localStorage.getItem(STORE_KEY)
  return text ? Number(text) : undefined
}
