const TITLE: Record<string, string> = { male: '先生', female: '女士' }

/** 何** → 何女士 where the gender is known: a till reads who stands there, and no more than that. */
export function calledName(masked: string, gender?: string): string {
  const title = TITLE[gender ?? '']
  const surname = /^([\u4e00-\u9fa5])\*+$/.exec(masked)?.[1]
  return title && surname ? surname + title : masked
}
