import type { Problem } from './types'

/** The server answered, and the answer is no. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.message)
    this.name = 'ApiError'
  }
  get code(): string {
    return this.problem.code
  }
  fieldMessage(field: string): string {
    return this.problem.fields?.find((f) => f.field === field || f.field.endsWith(`.${field}`))?.message ?? ''
  }
}

/** No answer: the command may or may not have arrived. */
export class NetworkError extends Error {
  constructor(readonly kind: 'offline' | 'timeout') {
    super(kind === 'timeout' ? '网络有点慢，还没有收到回复' : '没有网络，请检查后再试')
    this.name = 'NetworkError'
  }
}

/** The session is over and cannot be renewed silently. */
export class SessionError extends Error {
  constructor(readonly audience: 'owner' | 'staff') {
    super('登录已过期，请重新登录')
    this.name = 'SessionError'
  }
}

export const isCode = (error: unknown, ...codes: string[]): error is ApiError =>
  error instanceof ApiError && codes.includes(error.code)

/** A sentence for the person; never a stack, a code or a status. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    const first = error.problem.fields?.[0]
    return first && error.status === 422 ? first.message : error.message
  }
  if (error instanceof NetworkError || error instanceof SessionError) return error.message
  if (error instanceof Error && error.name === 'PlatformError') return error.message
  return '出了点问题，请再试一次'
}

/** Server trouble that says nothing about whether a command was carried out. */
export function isUncertain(error: unknown): boolean {
  if (error instanceof NetworkError) return true
  return error instanceof ApiError && (error.status >= 500 || error.status === 408 || error.status === 429)
}
