import { defineStore } from 'pinia'
import { ref } from 'vue'
import { platform } from '@platform'
import { api, setSilentLogin } from '@/api/client'
import { readSession, writeSession } from '@/api/tokens'
import type { LoginProof } from '@/platform/types'
import { forgetOwnerData } from '@/utils/local-data'
import { useStaff } from './staff'

/** The owner's login. The token itself lives in api/tokens, where the client reads it. */
export const useSession = defineStore('session', () => {
  const loggedIn = ref(readSession('owner') !== null)
  const loginError = ref(platform.takeLoginError())

  async function exchange(proof: LoginProof): Promise<boolean> {
    const result = await api.post('/api/owner/session', { body: proof })
    writeSession('owner', result.session)
    loggedIn.value = true
    loginError.value = ''
    return true
  }

  /** Logs in without asking, when the platform can. */
  async function ensure(): Promise<boolean> {
    const fresh = platform.name === 'h5' ? await platform.silentLogin('owner').catch(() => null) : null
    if (fresh) return exchange(fresh) // the person just came back from the login page
    if (readSession('owner')) return (loggedIn.value = true)
    const proof = await platform.silentLogin('owner', true)
    return proof ? exchange(proof) : false
  }

  /** The person tapped "log in". Resolves with false while the browser leaves for the login page. */
  async function login(to: string): Promise<boolean> {
    const proof = await platform.login('owner', to)
    return proof ? exchange(proof) : false
  }

  async function logout(): Promise<void> {
    await api.delete('/api/owner/session').catch(() => {})
    drop()
    forgetOwnerData()
  }

  function drop(): void {
    writeSession('owner', null)
    loggedIn.value = false
  }

  /** Why the login redirect failed, for the page that shows it. */
  function takeLoginError(): string {
    const message = loginError.value
    loginError.value = ''
    return message
  }

  /** Registered once at start: how the client renews a session that has run out. */
  function installRenewal(): void {
    setSilentLogin(async (audience) => {
      if (audience === 'staff') return useStaff().renew()
      loggedIn.value = false
      const proof = await platform.silentLogin('owner').catch(() => null)
      return proof ? exchange(proof) : false
    })
  }

  return { loggedIn, loginError, ensure, login, logout, drop, takeLoginError, installRenewal }
})
