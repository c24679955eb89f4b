/**
 * What a test sees and steers: window.__sim.
 *   calls   every wx call that matters, e.g. ['request', 'GET', url]
 *   errors  what the app or the framework threw
 *   log     warnings and wx functions that are not mocked
 *   hooks   answers a test may give: login, pay, scan, modal, phone, subscribe (plain values or promises)
 *   setData how much crosses the bridge between logic and view on a real phone
 */
export const sim = {
  ready: false,
  calls: [],
  errors: [],
  log: [],
  // A test that must answer before the app starts sets window.__SIM_HOOKS__ in an init script.
  hooks: window.__SIM_HOOKS__ ?? {},
  setData: { count: 0, bytes: 0, largest: 0 },
}
window.__sim = sim

export function logError(error) {
  sim.errors.push(String(error?.stack ?? error))
  console.error(error)
}
