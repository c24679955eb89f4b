import type { Resource } from './catalog'
import { api, cleanQuery, unwrap, type Query } from './client'
import { replyBody, type Arrival, type Follower, type FollowerDays, type LiveButton, type MenuButton, type Menus, type Reply, type ReplyInput, type Scene, type SceneInput, type Tried } from '@/lib/official'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })
const all = { params: { query: { limit: 200 } } }

export const getMenus = (signal?: AbortSignal): Promise<Menus> => unwrap(api.GET('/api/console/oa/menu', { signal }))
export const saveMenu = (buttons: MenuButton[]): Promise<Menus> => unwrap(api.PUT('/api/console/oa/menu', { body: { buttons } }))
export const publishMenu = (): Promise<Menus> => unwrap(api.POST('/api/console/oa/menu/publish'))
export const deleteMenu = (): Promise<Menus> => unwrap(api.POST('/api/console/oa/menu/delete'))

/** What WeChat shows now. */
export async function liveMenu(signal?: AbortSignal): Promise<LiveButton[]> {
  return (await unwrap(api.GET('/api/console/oa/menu/live', { signal }))).buttons
}

export const replies: Resource<Reply, ReplyInput> = {
  list: () => unwrap(api.GET('/api/console/oa/replies', all)),
  create: (body) => unwrap(api.POST('/api/console/oa/replies', { body: replyBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/oa/replies/{id}', { ...at(id), body: replyBody(body) })),
  remove: (id) => unwrap(api.DELETE('/api/console/oa/replies/{id}', at(id))),
}

export const tryReply = (text: string): Promise<Tried> => unwrap(api.POST('/api/console/oa/replies/try', { body: { text } }))

export function listFollowers(query: Query, signal?: AbortSignal): Promise<Page<Follower>> {
  return unwrap(api.GET('/api/console/oa/followers', { params: { query: cleanQuery<'/api/console/oa/followers'>(query) }, signal }))
}

export const followerDays = (signal?: AbortSignal): Promise<FollowerDays> => unwrap(api.GET('/api/console/oa/followers/days', { signal }))

export function listArrivals(query: Query, signal?: AbortSignal): Promise<Page<Arrival>> {
  return unwrap(api.GET('/api/console/oa/arrivals', { params: { query: cleanQuery<'/api/console/oa/arrivals'>(query) }, signal }))
}

export const listScenes = (): Promise<Page<Scene>> => unwrap(api.GET('/api/console/oa/scenes', all))
export const createScene = (body: SceneInput): Promise<Scene> => unwrap(api.POST('/api/console/oa/scenes', { body }))
