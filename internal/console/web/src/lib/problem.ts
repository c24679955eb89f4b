/** What went wrong, in words that can be shown. */

export interface FieldProblem {
  field: string
  message: string
}

export interface ProblemBody {
  code: string
  message: string
  fields?: FieldProblem[]
  requestId?: string
  detail?: unknown
}

export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly fields: FieldProblem[]
  readonly requestId: string
  readonly detail: unknown

  constructor(status: number, body: ProblemBody) {
    super(body.message)
    this.name = 'Problem'
    this.status = status
    this.code = body.code
    this.fields = body.fields ?? []
    this.requestId = body.requestId ?? ''
    this.detail = body.detail
  }

  /** Nobody knows whether the command was carried out: the same key must be used again. */
  get uncertain(): boolean {
    return this.status === 0 || this.status >= 500
  }
}

/** The code of a body that did not fit; its message says nothing that the fields do not say. */
const GENERIC_INVALID = 'request.invalid'

const FALLBACK: Record<number, string> = {
  400: '请求没有被接受，请刷新页面再试',
  401: '登录已过期，请重新登录',
  403: '你的角色不能做这件事，请找店长开通',
  404: '没有找到，可能已被删除',
  409: '内容刚被别人改过，请刷新后再试',
  413: '内容太大，请精简后再试',
  422: '有些内容填得不对，请检查',
  429: '操作太频繁，请稍等一会儿再试',
  503: '系统正忙，请稍后再试',
}

/** Builds a Problem from any error response, even one that is not ours (a proxy's HTML page). */
export function problemFrom(status: number, body: unknown): Problem {
  if (isProblemBody(body)) return new Problem(status, body)
  return new Problem(status, { code: `http.${status}`, message: FALLBACK[status] ?? '系统出了点问题，请稍后再试' })
}

/** Builds a Problem from anything thrown. A failed fetch is a TypeError. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof DOMException && error.name === 'AbortError') return new Problem(0, { code: 'aborted', message: '已取消' })
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return new Problem(0, { code: 'network', message: '连不上服务器，请检查网络后再试' })
  }
  console.error(error)
  return new Problem(0, { code: 'client', message: '页面出了点问题，请刷新再试' })
}

export function isAborted(error: unknown): boolean {
  return asProblem(error).code === 'aborted'
}

/** The message for one field; server paths like "body.prices[0].priceFen" match "prices[0].priceFen". */
export function fieldMessage(problem: Problem | null | undefined, field: string): string {
  return problem?.fields.find((item) => item.field === field || item.field.replace(/^(body|query|path)\./, '') === field)?.message ?? ''
}

/**
 * The part of a problem that no field on screen shows: the message above the form. A message of its own
 * ("at most ¥5,000.00 at a time") stays even when the field says briefly what is wrong.
 */
export function generalMessage(problem: Problem | null, shownFields: string[]): string {
  if (!problem) return ''
  const unseen = problem.fields.filter((item) => !shownFields.some((field) => fieldMessage(problem, field) === item.message))
  if (problem.fields.length > 0 && unseen.length === 0) {
    const repeated = problem.fields.some((item) => problem.message.startsWith(item.message))
    return problem.code === GENERIC_INVALID || repeated ? '' : problem.message
  }
  return unseen.length > 0 ? unseen.map((item) => item.message).join('；') : problem.message
}

function isProblemBody(body: unknown): body is ProblemBody {
  return typeof body === 'object' && body !== null && typeof (body as ProblemBody).code === 'string' && typeof (body as ProblemBody).message === 'string'
}
