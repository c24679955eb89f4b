/** Spreadsheets of a list: XLSX with typed cells and CSV that Excel opens in Chinese. */

import { plainYuan } from './money'

export type CellValue = string | number | { fen: number } | null | undefined

export interface ExportColumn<T> {
  label: string
  value: (row: T) => CellValue
  /** In characters, for the spreadsheet. */
  width?: number
}

// A cell that begins with one of these could run as a formula; full-width forms count too.
const FORMULA_START = /^[\s]*[=+\-@＝＋－＠\t\r|]/

/** Text that a spreadsheet will not execute. */
export function guardFormula(text: string): string {
  return FORMULA_START.test(text) ? `'${text}` : text
}

export function toCsv<T>(columns: ExportColumn<T>[], rows: T[]): string {
  const lines = [columns.map((column) => csvCell(column.label)), ...rows.map((row) => columns.map((column) => csvCell(column.value(row))))]
  return '\ufeff' + lines.map((cells) => cells.join(',')).join('\r\n') + '\r\n'
}

function csvCell(value: CellValue): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'object') return plainYuan(value.fen)
  const text = guardFormula(value)
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

export interface SheetCell {
  value?: string | number
  type?: StringConstructor | NumberConstructor
  format?: string
  fontWeight?: 'bold'
  align?: 'right'
}

/** Cells of the sheet: text is typed as text, so that nothing in it can become a formula. */
export function toSheet<T>(columns: ExportColumn<T>[], rows: T[]): SheetCell[][] {
  const head = columns.map((column): SheetCell => ({ value: column.label, type: String, fontWeight: 'bold' }))
  return [head, ...rows.map((row) => columns.map((column) => sheetCell(column.value(row))))]
}

function sheetCell(value: CellValue): SheetCell {
  if (value === null || value === undefined || value === '') return { value: '', type: String }
  if (typeof value === 'number') return { value, type: Number }
  if (typeof value === 'object') return { value: Number(plainYuan(value.fen)), type: Number, format: '#,##0.00', align: 'right' }
  return { value: guardFormula(value), type: String }
}

export async function toXlsx<T>(columns: ExportColumn<T>[], rows: T[]): Promise<Blob> {
  const { default: writeExcel } = await import('write-excel-file/browser')
  const widths = columns.map((column) => ({ width: column.width ?? 16 }))
  return writeExcel(toSheet(columns, rows), { columns: widths, stickyRowsCount: 1 }).toBlob()
}

export function download(blob: Blob, fileName: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = fileName
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}


