import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { platform } from '@platform'
import { ownerBooking } from '@/api/booking'
import type { BookableService, BookingChannel, BookingKind, BookingOptions } from '@/api/booking-types'
import type { Place } from '@/platform/types'
import { useMember } from '@/stores/member'

/** What somebody is about to book, shared by the pages on which they choose it. */
export const useDraft = defineStore('booking-draft', () => {
  const member = useMember()
  const options = shallowRef<BookingOptions | null>(null)
  const storeId = ref(0)
  const kind = ref<BookingKind>('visit')
  const vehicleId = ref(0)
  const serviceIds = ref<number[]>([])
  const note = ref('')
  const address = ref('')
  const place = shallowRef<Place | null>(null)
  const returnAddress = ref('')
  const destination = ref('')
  const channel = ref<BookingChannel>(platform.name === 'mp-weixin' ? 'mini_program' : 'h5')

  const store = computed(() => options.value?.stores?.find((s) => s.id === storeId.value) ?? null)
  const vehicles = computed(() => member.home?.vehicles ?? [])
  const vehicle = computed(() => vehicles.value.find((v) => v.id === vehicleId.value) ?? null)
  const classId = computed(() => vehicle.value?.vehicleClassId ?? 0)
  const services = computed(() => (options.value?.services ?? []).filter((s) => s.bookingKinds?.includes(kind.value)))
  const kinds = computed(() => new Set((options.value?.services ?? []).flatMap((s) => s.bookingKinds ?? [])))
  const termsOf = (s: BookableService) => s.prices?.find((p) => p.vehicleClassId === classId.value)
  const chosen = computed(() => services.value.filter((s) => serviceIds.value.includes(s.id)))
  const priceFen = computed(() => chosen.value.reduce((sum, s) => sum + (termsOf(s)?.priceFen ?? 0), 0))
  const minutes = computed(() => chosen.value.reduce((sum, s) => sum + (termsOf(s)?.minutes ?? 0), 0))
  const title = computed(() => chosen.value.map((s) => s.name).join('、'))
  const complete = computed(() => storeId.value > 0 && vehicle.value !== null && chosen.value.length > 0)

  /** The options of a store; without one, of the store that the member belongs to or the first. */
  async function load(wanted = storeId.value): Promise<void> {
    const found = await ownerBooking.options(wanted || undefined)
    options.value = found
    const known = (id: number | undefined) => found.stores?.some((s) => s.id === id)
    const home = member.home?.store?.id
    const next = [wanted, home, found.stores?.[0]?.id].find((id) => id && known(id)) ?? 0
    storeId.value = next
    // The services listed are those of the store that was asked for.
    if (next && next !== wanted) options.value = await ownerBooking.options(next)
    if (!kinds.value.has(kind.value)) kind.value = ([...kinds.value][0] as BookingKind) ?? 'visit'
    if (!vehicle.value) vehicleId.value = vehicles.value[0]?.id ?? 0
    prune()
  }
  /** What cannot be had for this store, kind and car is no longer chosen. */
  function prune(): void {
    serviceIds.value = serviceIds.value.filter((id) => {
      const service = services.value.find((s) => s.id === id)
      return service && (!classId.value || termsOf(service))
    })
  }
  function setKind(next: BookingKind): void {
    kind.value = next
    prune()
  }
  function setVehicle(id: number): void {
    vehicleId.value = id
    prune()
  }
  /** Booked: the next booking starts with the same car and store, and nothing else. */
  function clear(): void {
    serviceIds.value = []
    note.value = address.value = returnAddress.value = destination.value = ''
    place.value = null
    channel.value = platform.name === 'mp-weixin' ? 'mini_program' : 'h5'
  }

  return {
    options, storeId, kind, vehicleId, serviceIds, note, address, place, returnAddress, destination, channel,
    store, vehicles, vehicle, classId, services, kinds, chosen, priceFen, minutes, title, complete, load, setKind, setVehicle, clear,
  }
})
