import { defineStore } from 'pinia'
import { ref } from 'vue'
import { onNetChange } from '@/api/client'

/** Whether the last request was answered. */
export const useNet = defineStore('net', () => {
  const online = ref(true)

  function watchNetwork(onBack: () => void): void {
    onNetChange((answered) => {
      const back = answered && !online.value
      online.value = answered
      if (back) onBack()
    })
    uni.onNetworkStatusChange?.((status) => {
      if (!status.isConnected) online.value = false
    })
  }

  return { online, watchNetwork }
})
