/** Types that read an openapi-typescript `paths` interface. Nothing here exists at run time. */

export type Method = 'get' | 'post' | 'put' | 'delete'
type Operation<Paths, P extends keyof Paths, M extends Method> = M extends keyof Paths[P]
  ? Exclude<Paths[P][M], undefined>
  : never
type JsonOf<R> = R extends { content: { 'application/json': infer J } } ? J : undefined
type ResultOfOperation<Op> = Op extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 | 204 ? JsonOf<R[S]> : never }[keyof R]
  : never
type PathInit<Op> = Op extends { parameters: { path: infer X } } ? { path: X } : { path?: undefined }
type QueryInit<Op> = Op extends { parameters: { query: infer X } }
  ? { query: X }
  : Op extends { parameters: { query?: infer X } }
    ? { query?: X }
    : { query?: undefined }
type BodyOfOperation<Op> = Op extends { requestBody: { content: { 'application/json': infer B } } } ? B : never
type BodyInit<Op> = [BodyOfOperation<Op>] extends [never] ? { body?: undefined } : { body: BodyOfOperation<Op> }
type Init<Op> = PathInit<Op> & QueryInit<Op> & BodyInit<Op>

/** The JSON of a successful answer. */
export type ResultOf<Paths, P extends keyof Paths, M extends Method> = Exclude<
  ResultOfOperation<Operation<Paths, P, M>>,
  undefined
>
/** The JSON body that an operation takes, without the schema marker that some generators add. */
export type BodyOf<Paths, P extends keyof Paths, M extends Method> = Omit<
  BodyOfOperation<Operation<Paths, P, M>>,
  '$schema'
>
export type PathsWith<Paths, M extends Method> = {
  [K in keyof Paths]: Operation<Paths, K, M> extends never ? never : K
}[keyof Paths] &
  string
type InitOf<Paths, P extends keyof Paths, M extends Method> = Init<Operation<Paths, P, M>>
export type ArgsOf<Paths, P extends keyof Paths, M extends Method> = object extends InitOf<Paths, P, M>
  ? [init?: InitOf<Paths, P, M>]
  : [init: InitOf<Paths, P, M>]

export interface TypedClient<Paths> {
  get<P extends PathsWith<Paths, 'get'>>(path: P, ...args: ArgsOf<Paths, P, 'get'>): Promise<ResultOf<Paths, P, 'get'>>
  post<P extends PathsWith<Paths, 'post'>>(path: P, ...args: ArgsOf<Paths, P, 'post'>): Promise<ResultOf<Paths, P, 'post'>>
  put<P extends PathsWith<Paths, 'put'>>(path: P, ...args: ArgsOf<Paths, P, 'put'>): Promise<ResultOf<Paths, P, 'put'>>
  delete<P extends PathsWith<Paths, 'delete'>>(
    path: P,
    ...args: ArgsOf<Paths, P, 'delete'>
  ): Promise<ResultOf<Paths, P, 'delete'>>
}

/** What a call carries at run time. */
export interface CallInit {
  path?: Record<string, string | number>
  query?: Record<string, unknown>
  body?: unknown
}
