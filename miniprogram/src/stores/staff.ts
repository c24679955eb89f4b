import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { platform } from '@platform'
import { api } from '@/api/client'
import { SessionError } from '@/api/errors'
import { readSession, writeSession } from '@/api/tokens'
import type { StaffMe, StaffSession } from '@/api/types'

const STORE_KEY = 'lc.staff.store'

/** The staff member at this desk and the store they work in now. */
export const useStaff = defineStore('staff', () => {
  const me = ref<StaffMe | null>(null)
  const storeId = ref<number>(Number(uni.getStorageSync(STORE_KEY)) || 0)
  const loginError = ref('')
  const store = computed(() => me.value?.stores?.find((s) => s.id === storeId.value) ?? null)

  const can = (permission: string) => me.value?.permissions?.includes(permission) ?? false

  function accept(result: StaffSession): void {
    writeSession('staff', result.session)
    me.value = result.staff
    settleStore()
  }

  /** Somebody with one store never has to choose; a store that is no longer theirs is forgotten. */
  function settleStore(): void {
    const stores = me.value?.stores ?? []
    if (stores.some((s) => s.id === storeId.value)) return
    chooseStore(stores.length === 1 ? stores[0]!.id : 0)
  }

  function chooseStore(id: number): void {
    storeId.value = id
    if (id) uni.setStorageSync(STORE_KEY, id)
    else uni.removeStorageSync(STORE_KEY)
  }

  async function loginByPassword(username: string, password: string): Promise<void> {
    accept(await api.post('/api/staff/session', { body: { method: 'password', username, password } }))
  }

  /** False while the browser leaves for WeChat's login page. */
  async function loginByWeChat(inviteCode?: string): Promise<boolean> {
    const proof = await platform.login('staff', '/pkg-staff/login/index', inviteCode)
    if (!proof) return false
    accept(
      await api.post('/api/staff/session', {
        body: { method: proof.channel, code: proof.code, ...(inviteCode ? { inviteCode } : {}) },
      }),
    )
    return true
  }

  /** A ticket that the login redirect brought back to this page. */
  async function takeTicket(inviteCode?: string): Promise<boolean> {
    if (platform.name !== 'h5') return false
    const proof = await platform.silentLogin('staff')
    if (!proof || proof.channel !== 'ticket') return false
    accept(
      await api.post('/api/staff/session', {
        body: { method: 'ticket', code: proof.code, ...(inviteCode ? { inviteCode } : {}) },
      }),
    )
    return true
  }

  /** Loads who is logged in; false when nobody is. */
  async function ensure(): Promise<boolean> {
    if (me.value) return true
    if (!readSession('staff')) return false
    try {
      me.value = await api.get('/api/staff/me')
      settleStore()
      return true
    } catch (error) {
      if (error instanceof SessionError) return false
      throw error
    }
  }

  /** Silent re-login works in the mini-program for staff who are bound to WeChat. */
  async function renew(): Promise<boolean> {
    if (platform.name !== 'mp-weixin' || !me.value?.wechatBound) {
      me.value = null
      return false
    }
    return loginByWeChat().catch(() => false)
  }

  async function logout(): Promise<void> {
    await api.delete('/api/staff/session').catch(() => {})
    writeSession('staff', null)
    me.value = null
  }

  return { me, storeId, store, loginError, can, loginByPassword, loginByWeChat, takeTicket, ensure, renew, logout, chooseStore }
})
