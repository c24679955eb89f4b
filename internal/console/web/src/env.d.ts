/// <reference types="vite/client" />
/// <reference types="element-plus/global" />

import 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    /** The permission that opens the page; absent means every signed-in person. */
    permission?: string
    /** Drawn without the shell: login, print. */
    bare?: boolean
    public?: boolean
  }
}
