import { expect, it } from 'vitest'
import { brandVariables, contrast } from '@/lib/brand'

it.each(['#0b7a75', '#ffe600', '#ffffff', '#00d0ff', 'nonsense'])('white text is readable on the accent made of %s', (color) => {
  const variables = brandVariables(color)
  expect(contrast(variables['--brand']!, '#ffffff')).toBeGreaterThanOrEqual(4.5)
  expect(contrast(variables['--brand-dark']!, variables['--brand-soft']!)).toBeGreaterThanOrEqual(4.5)
})
