import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { makeRouter } from './router'
import './styles/base.css'

async function start(): Promise<void> {
  const app = createApp(App).use(createPinia())
  const router = makeRouter()
  app.use(router)
  // Mounting replaces the "opening" line of index.html, so it waits until there is a page to show.
  await router.isReady().catch(() => undefined)
  app.mount('#app')
}

void start()
