import { fullTime } from './dates'
import type { CellValue, ExportColumn } from './export'
import { label, type LabelTable } from './labels'

/** One column of a list: what it shows, how it sorts, what a spreadsheet gets. Give one of text, money, when, tag. */
export interface Column<T> {
  key: string
  label: string
  /** In px; columns without a width share what is left. */
  width?: number
  end?: boolean
  /** The API's sort key, when it can sort by this column. */
  sort?: string
  text?: (row: T) => string | undefined
  money?: (row: T) => number | undefined
  count?: (row: T) => number | undefined
  when?: (row: T) => string | undefined
  tag?: { table: LabelTable; code: (row: T) => string | undefined }
  /** Target of a link inside the cell. */
  to?: (row: T) => string | undefined
  /** Another value for the spreadsheet; false keeps the column out of it. */
  export?: ((row: T) => CellValue) | false
  /** Only in the spreadsheet. */
  exportOnly?: boolean
}

export type FilterField =
  | { kind: 'search'; key: string; placeholder: string; width?: number }
  | { kind: 'select'; key: string; placeholder: string; options: { value: string; label: string }[]; width?: number }
  | { kind: 'dates'; from: string; to: string }

export function filterKeys(fields: FilterField[]): string[] {
  return fields.flatMap((field) => (field.kind === 'dates' ? [field.from, field.to] : [field.key]))
}

export function exportColumns<T>(columns: Column<T>[]): ExportColumn<T>[] {
  return columns.filter((column) => column.export !== false).map((column) => ({ label: column.label, value: (row) => exportValue(column, row), width: column.when ? 20 : 16 }))
}

function exportValue<T>(column: Column<T>, row: T): CellValue {
  if (column.export) return column.export(row)
  if (column.money) {
    const fen = column.money(row)
    return fen === undefined ? '' : { fen }
  }
  if (column.count) return column.count(row)
  if (column.when) return fullTime(column.when(row))
  if (column.tag) return label(column.tag.table, column.tag.code(row))
  return column.text?.(row) ?? ''
}
