import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api } from '@/api/client'
import { codeStep, groupCode, memberCode, qrText } from '@/utils/member-code'
import { base64Bytes } from '@/utils/sha256'
import { DEVICE_KEY } from '@/utils/local-data'

export interface CodeLimits {
  storeId?: number
  vehicleId?: number
  capFen?: number
}

interface Device {
  memberId: number
  deviceNo: string
  secret: string
  stepSeconds: number
  /** Server clock minus phone clock, ms. */
  clockOffset: number
  limits: CodeLimits
}

/** The member code of this phone. Only the first use and a forced renewal need the network. */
export const useCode = defineStore('code', () => {
  const device = ref<Device | null>((uni.getStorageSync(DEVICE_KEY) as Device) || null)
  const code = ref('')
  const secondsLeft = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined
  let shownStep = -1

  const grouped = computed(() => groupCode(code.value))
  const qr = computed(() => (code.value ? qrText(code.value) : ''))

  function store(next: Device | null): void {
    device.value = next
    if (next) uni.setStorageSync(DEVICE_KEY, next)
    else uni.removeStorageSync(DEVICE_KEY)
  }

  async function register(memberId: number): Promise<void> {
    const sentAt = Date.now()
    const answer = await api.post('/api/owner/code-devices', { body: {} })
    const middle = (sentAt + Date.now()) / 2
    store({
      memberId,
      deviceNo: answer.deviceNo,
      secret: answer.secret,
      stepSeconds: answer.stepSeconds,
      clockOffset: Date.parse(answer.serverTime) - middle,
      limits: {},
    })
    shownStep = -1
    derive()
  }

  function derive(): void {
    const own = device.value
    if (!own) return
    const now = Date.now() + own.clockOffset
    const step = codeStep(now, own.stepSeconds)
    secondsLeft.value = Math.ceil((own.stepSeconds * 1000 - (now % (own.stepSeconds * 1000))) / 1000)
    if (step === shownStep) return
    shownStep = step
    code.value = memberCode(base64Bytes(own.secret), own.deviceNo, step)
  }

  /** Shows codes until stop(). Registers this phone first when it has to. */
  async function start(memberId: number): Promise<void> {
    if (device.value && memberId && device.value.memberId !== memberId) store(null)
    if (!device.value) await register(memberId)
    derive()
    clearInterval(timer)
    timer = setInterval(derive, 500)
  }

  function stop(): void {
    clearInterval(timer)
    code.value = ''
    shownStep = -1
  }

  async function saveLimits(memberId: number, limits: CodeLimits): Promise<void> {
    if (!device.value) await register(memberId)
    const own = device.value!
    await api.put('/api/owner/code-devices/{deviceNo}/limits', { path: { deviceNo: own.deviceNo }, body: limits })
    store({ ...own, limits })
  }

  return { device, code, grouped, qr, secondsLeft, register, start, stop, saveLimits, forget: () => store(null) }
})
