import { describe, expect, it } from 'vitest'
import { discountText, parsePercent, parseYuan, percentOf, plainYuan, yuan, yuanText } from '@/lib/money'

describe('yuan', () => {
  it.each([
    [0, '0.00'],
    [1, '0.01'],
    [10, '0.10'],
    [100, '1.00'],
    [9999999, '99,999.99'],
    [100000000, '1,000,000.00'],
    [-3500, '-35.00'],
    [-5, '-0.05'],
  ])('%d fen is %s', (fen, text) => expect(yuan(fen)).toBe(text))

  it('says a loss with the minus before the sign', () => expect(yuanText(-1200)).toBe('-¥12.00'))
  it('has no commas for input fields', () => expect(plainYuan(9999999)).toBe('99999.99'))
})

describe('parseYuan', () => {
  it.each([
    ['0', 0],
    ['19.99', 1999],
    ['0.29', 29],
    ['1.1', 110],
    ['1.', 100],
    ['99,999.99', 9999999],
    ['¥ 500', 50000],
    ['500元', 50000],
    ['５００．５', 50050],
    ['-12.5', -1250],
    ['1234567890.12', 123456789012],
  ])('%s is %d fen', (text, fen) => expect(parseYuan(text)).toBe(fen))

  it.each(['', ' ', '1.005', '.5', 'abc', '1e3', '1.2.3', '--1', '12345678901', 'NaN', '=1'])('refuses %j', (text) => expect(parseYuan(text)).toBeNull())

  it('never says minus zero', () => expect(Object.is(parseYuan('-0'), 0)).toBe(true))

  it('gives back every amount it wrote', () => {
    for (let fen = 0; fen < 30000; fen += 7) expect(parseYuan(plainYuan(fen))).toBe(fen)
  })
})

describe('rates', () => {
  it.each([
    [8000, '80'],
    [9550, '95.5'],
    [10000, '100'],
    [1, '0.01'],
    [0, '0'],
  ])('%d basis points are %s %%', (bp, text) => {
    expect(percentOf(bp)).toBe(text)
    expect(parsePercent(text)).toBe(bp)
  })
  it.each([
    [9500, '9.5 折'],
    [9800, '9.8 折'],
    [8555, '8.555 折'],
    [500, '0.5 折'],
    [9000, '9 折'],
    [10000, '不打折'],
  ])('%d is said %s', (bp, text) => expect(discountText(bp)).toBe(text))
})
