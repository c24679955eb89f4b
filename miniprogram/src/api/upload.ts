import { platform } from '@platform'
import type { LocalPhoto } from '@/platform/types'
import { audienceOf, withSession } from './client'
import { NetworkError } from './errors'
import { resultOf, type RawResponse } from './http'

/** Photos are large and garages are badly covered: longer than a call, shorter than anybody waits. */
const TIMEOUT_MS = 60_000

/** Sends one photo with a few fields. Rejects as the other calls do. */
export async function uploadPhoto(path: string, photo: LocalPhoto, fields: Record<string, string>): Promise<unknown> {
  const response = await withSession(audienceOf(path), (header) =>
    new Promise<RawResponse>((resolve, reject) => {
      uni.uploadFile({
        url: platform.apiBase + path,
        name: 'file',
        filePath: photo.path,
        ...(photo.file ? { file: photo.file } : {}),
        formData: fields,
        header,
        timeout: TIMEOUT_MS,
        success: (result) => resolve({ status: result.statusCode, data: parse(result.data) }),
        fail: (error) => reject(new NetworkError(/timeout/i.test(error.errMsg ?? '') ? 'timeout' : 'offline')),
      })
    }),
  )
  return resultOf(response)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
