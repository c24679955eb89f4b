/** Chinese number plates: normal form, validity, and how they are shown. */

export const PROVINCES = [...'京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼']
/** The letters that plates use: no I and no O. */
export const PLATE_LETTERS = [...'ABCDEFGHJKLMNPQRSTUVWXYZ']
export const PLATE_SUFFIXES = [...'警学挂港澳使领']
export const PLATE_DIGITS = [...'0123456789']

const province = `[${PROVINCES.join('')}]`
const letter = '[A-HJ-NP-Z]'
const alnum = '[A-HJ-NP-Z0-9]'
/** D and its successors A B C E mark battery cars, F and G H J K other new-energy cars. */
const energy = '[A-HJK]'

const FORMS = [
  new RegExp(`^${province}${letter}${alnum}{5}$`),
  new RegExp(`^${province}${letter}${alnum}{4}[警学挂使领]$`),
  new RegExp(`^粤${letter}${alnum}{4}[港澳]$`),
  new RegExp(`^${province}${letter}${energy}${alnum}\\d{4}$`), // small new-energy car
  new RegExp(`^${province}${letter}\\d{5}[DF]$`), // large new-energy vehicle
  /^使\d{6}$/,
  /^\d{6}使$/,
]

/** "沪a·8k316" → "沪A8K316" */
export function normalizePlate(text: string): string {
  return text
    .replace(/[Ａ-Ｚａ-ｚ０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .toUpperCase()
    .replace(/[\s·•・．.\-－—_]/g, '')
}

export function isPlate(text: string): boolean {
  const plate = normalizePlate(text)
  return FORMS.some((form) => form.test(plate))
}

/** New-energy plates are one character longer and green. */
export function isNewEnergy(text: string): boolean {
  return normalizePlate(text).length === 8
}

/** Says what is wrong with a plate, or '' when it is good. */
export function plateProblem(text: string): string {
  const plate = normalizePlate(text)
  if (!plate) return '请输入车牌号'
  if (isPlate(plate)) return ''
  if (!PROVINCES.includes(plate[0]!) && !/使/.test(plate)) return '车牌要以省份简称开头，如“沪”'
  if (/[IO]/.test(plate)) return '车牌里没有字母 I 和 O，请看看是不是数字 1 和 0'
  if (plate.length < 7) return `还差 ${7 - plate.length} 位`
  if (plate.length === 8) return '8 位是新能源车牌：小型车第 3 位是 D、F 等字母，大型车最后一位是 D 或 F'
  if (plate.length > 8) return '车牌太长了，请检查一下'
  return '车牌格式不正确，请检查一下'
}

/** "沪A8K316" → "沪A·8K316" */
export function showPlate(text: string): string {
  const plate = normalizePlate(text)
  return plate.length > 2 ? `${plate.slice(0, 2)}·${plate.slice(2)}` : plate
}
