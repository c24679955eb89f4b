import { unzipSync, strFromU8 } from 'fflate/browser'
import { describe, expect, it } from 'vitest'
import { exportColumns, type Column } from '@/lib/columns'
import { guardFormula, toCsv, toSheet, toXlsx, type ExportColumn } from '@/lib/export'

interface Row {
  name: string
  fen: number
}
const columns: ExportColumn<Row>[] = [
  { label: '姓名', value: (row) => row.name },
  { label: '余额', value: (row) => ({ fen: row.fen }) },
]

describe('csv', () => {
  it('begins with a BOM and ends lines the way Excel likes', () => {
    const csv = toCsv(columns, [{ name: '王小明', fen: 9999999 }])
    expect(csv.startsWith('\ufeff')).toBe(true)
    expect(csv).toBe('\ufeff姓名,余额\r\n王小明,99999.99\r\n')
  })

  it('quotes commas, quotes and line breaks', () => {
    expect(toCsv(columns, [{ name: 'a,"b"\nc', fen: 0 }])).toContain('"a,""b""\nc",0.00')
  })

  it('keeps a negative amount a number', () => expect(toCsv(columns, [{ name: 'x', fen: -3500 }])).toContain('x,-35.00'))
})

describe('formula guard', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '  =1', '＝1', '|cmd'])('neutralises %j', (text) => expect(guardFormula(text)).toBe(`'${text}`))
  it.each(['王小明', '沪A12345', '1=1', ''])('leaves %j alone', (text) => expect(guardFormula(text)).toBe(text))
})

describe('xlsx', () => {
  it('types text as text and money as numbers', () => {
    const [, row] = toSheet(columns, [{ name: '=HYPERLINK("x")', fen: 1999 }])
    expect(row![0]).toEqual({ value: `'=HYPERLINK("x")`, type: String })
    expect(row![1]).toMatchObject({ value: 19.99, type: Number, format: '#,##0.00' })
  })

  it('writes a file without any formula, also when it is large', async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => ({ name: i % 2 ? '=cmd|calc' : `会员 ${i}`, fen: i * 101 }))
    const blob = await toXlsx(columns, rows)
    const files = unzipSync(new Uint8Array(await blob.arrayBuffer()))
    const sheet = strFromU8(files['xl/worksheets/sheet1.xml']!)
    expect(sheet).not.toContain('<f>')
    expect(sheet.match(/<row /g)).toHaveLength(4001)
  })
})

it('exports what a list column shows, and columns that are only for the sheet', () => {
  const list: Column<Row>[] = [
    { key: 'name', label: '姓名', text: (row) => row.name },
    { key: 'fen', label: '余额', money: (row) => row.fen },
    { key: 'act', label: '操作', export: false },
    { key: 'extra', label: '备注', exportOnly: true, text: () => '只在表格里' },
    { key: 'state', label: '状态', tag: { table: 'memberStatus', code: () => 'active' } },
  ]
  const made = exportColumns(list)
  expect(made.map((column) => column.label)).toEqual(['姓名', '余额', '备注', '状态'])
  expect(made.map((column) => column.value({ name: '王', fen: 5 }))).toEqual(['王', { fen: 5 }, '只在表格里', '正常'])
})
