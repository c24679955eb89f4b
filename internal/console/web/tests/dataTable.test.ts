import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import DataTable from '@/components/DataTable.vue'
import type { Column } from '@/lib/columns'
import { Problem } from '@/lib/problem'

interface Row {
  id: number
  name: string
  fen: number
}
const rows: Row[] = [
  { id: 1, name: '王小明', fen: 0 },
  { id: 2, name: '<img src=x onerror=alert(1)>', fen: 9999999 },
  { id: 3, name: '李四', fen: 100 },
]
const columns: Column<Row>[] = [
  { key: 'name', label: '姓名', text: (row) => row.name },
  { key: 'fen', label: '余额', sort: 'balance', money: (row) => row.fen },
  { key: 'hidden', label: '备注', exportOnly: true, text: () => '不画' },
]

function draw(props: Record<string, unknown> = {}) {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:all(.*)*', component: { template: '<i/>' } }] })
  const table = mount(DataTable as unknown as Component, {
    props: { columns, rows, caption: '会员', rowTo: (row: Row) => `/members/${row.id}`, ...props },
    global: { plugins: [router] },
    attachTo: document.body,
  })
  return { table, router }
}

describe('DataTable', () => {
  it('draws text as text and money in full', () => {
    const { table } = draw()
    expect(table.find('img').exists()).toBe(false)
    expect(table.text()).toContain('<img src=x')
    expect(table.text()).toContain('99,999.99')
    expect(table.text()).not.toContain('备注')
    table.unmount()
  })

  it('walks with the arrows, opens with Enter and pages with PageDown', async () => {
    const { table, router } = draw()
    const lines = table.findAll('tbody tr')
    expect(lines.map((line) => line.attributes('tabindex'))).toEqual(['0', '-1', '-1'])
    await lines[0]!.trigger('keydown', { key: 'ArrowDown' })
    expect(document.activeElement).toBe(lines[1]!.element)
    await lines[1]!.trigger('keydown', { key: 'End' })
    expect(document.activeElement).toBe(lines[2]!.element)
    await lines[2]!.trigger('keydown', { key: 'PageDown' })
    expect(table.emitted('next')).toHaveLength(1)
    await lines[2]!.trigger('keydown', { key: 'Enter' })
    await router.isReady()
    expect(router.currentRoute.value.path).toBe('/members/3')
    table.unmount()
  })

  it('sorts down, then up, then not at all', async () => {
    const { table } = draw()
    await table.find('.sorter').trigger('click')
    await table.setProps({ sort: '-balance' } as never)
    expect(table.findAll('th')[1]!.attributes('aria-sort')).toBe('descending')
    await table.find('.sorter').trigger('click')
    await table.setProps({ sort: 'balance' } as never)
    await table.find('.sorter').trigger('click')
    expect(table.emitted('sort')).toEqual([['-balance'], ['balance'], ['']])
    table.unmount()
  })

  it('has one action in its empty and in its error state', async () => {
    const empty = draw({ rows: [], emptyTitle: '没有符合条件的记录', emptyAction: '清除筛选' }).table
    await empty.find('button:not(.sorter)').trigger('click')
    expect(empty.text()).toContain('没有符合条件的记录')
    expect(empty.emitted('emptyAct')).toHaveLength(1)
    empty.unmount()

    const broken = draw({ rows: [], problem: new Problem(503, { code: 'x', message: '系统正忙' }) }).table
    expect(broken.find('[role=alert]').text()).toContain('系统正忙')
    await broken.find('button:not(.sorter)').trigger('click')
    expect(broken.emitted('retry')).toHaveLength(1)
    broken.unmount()
  })

  it('shows a skeleton only before the first rows', async () => {
    const { table } = draw({ rows: [], loading: true })
    expect(table.findAll('.skeleton')).toHaveLength(8)
    await table.setProps({ rows } as never)
    expect(table.find('.skeleton').exists()).toBe(false)
    expect(table.find('.stale').exists()).toBe(true)
    table.unmount()
  })
})
