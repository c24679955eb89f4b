/// <reference types="vite/client" />
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<object, object, any>
  export default component
}
interface ImportMetaEnv {
  /** Origin of the API for the mini-program build, e.g. https://car.example.com (no path). */
  readonly VITE_MP_API_BASE: string
}
