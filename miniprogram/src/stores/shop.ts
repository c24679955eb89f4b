import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import type { OwnerConfig } from '@/api/types'
import { accentVars } from '@/utils/color'

const KEY = 'lc.config'

/** The shop's public settings; the last known ones are used until (or while) the network answers. */
export const useShop = defineStore('shop', () => {
  const config = ref<OwnerConfig | null>((uni.getStorageSync(KEY) as OwnerConfig) || null)
  const name = computed(() => config.value?.shopName || '亮车')
  const vars = computed(() => accentVars(config.value?.accentColor))
  /** WeChat asks for at most three messages at once. */
  type Name = keyof OwnerConfig['templates']
  const asked = (...names: Name[]) => names.map((name) => config.value?.templates[name] ?? '').filter(Boolean)
  const templates = computed(() => asked('deduction', 'topup', 'refund'))
  /** Useful once something is booked. */
  const bookingTemplates = computed(() => asked('bookingReminder', 'bookingChanged', 'carReady'))
  /** Useful while waiting for a place. */
  const offerTemplates = computed(() => asked('bookingOffer', 'bookingReminder', 'carReady'))

  async function load(): Promise<void> {
    config.value = await api.get('/api/owner/config')
    uni.setStorageSync(KEY, config.value)
    try {
      uni.setTabBarStyle({ selectedColor: config.value.accentColor, fail: () => {} })
    } catch {
      // Pages without a tab bar refuse this; the next tab page sets it.
    }
  }

  return { config, name, vars, templates, bookingTemplates, offerTemplates, load }
})
