import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { accentVars, cardFace, contrast, textOn } from '@/utils/color'
import { ageLabel, dayLabel, groupByDay, timeLabel, whenLabel, ymd } from '@/utils/dates'
import { codeStep, groupCode, luhnValid, memberCode, qrText, readMemberCode } from '@/utils/member-code'
import { discountLabel, moneyParts, parseYuan, yuan, yuanShort, yuanSign } from '@/utils/money'
import { calledName } from '@/utils/people'
import { isPlate, normalizePlate, plateProblem, showPlate } from '@/utils/plate'
import { drawQr, qrMatrix } from '@/utils/qr'
import { asciiBytes, base64Bytes, hmacSha256, sha256 } from '@/utils/sha256'
import { groupCardNo, isPhone, textBlocks } from '@/utils/text'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('money', () => {
  it('formats fen', () => {
    expect(yuan(0)).toBe('0.00')
    expect(yuan(9999999)).toBe('99,999.99')
    expect(yuan(-5)).toBe('−0.05')
    expect(yuanSign(-123456)).toBe('−¥1,234.56')
    expect(yuanSign(500, true)).toBe('+¥5.00')
    expect(yuanShort(50000)).toBe('500')
    expect(yuanShort(3550)).toBe('35.5')
    expect(moneyParts(100001)).toEqual({ sign: '', whole: '1,000', cents: '01' })
  })
  it('reads what a person types, without floating point', () => {
    expect(parseYuan('35')).toBe(3500)
    expect(parseYuan('35.')).toBe(3500)
    expect(parseYuan('35.5')).toBe(3550)
    expect(parseYuan('.5')).toBe(50)
    expect(parseYuan('¥1,234.56')).toBe(123456)
    expect(parseYuan('１２．５')).toBe(1250)
    expect(parseYuan('1.15')).toBe(115) // 1.15 * 100 is 114.99… in floating point
    for (const bad of ['', '.', '-1', '1.234', '1e3', 'abc', '12345678901']) expect(parseYuan(bad)).toBeNull()
  })
  it('names discounts', () => {
    expect(discountLabel(9500)).toBe('9.5 折')
    expect(discountLabel(9000)).toBe('9 折')
    expect(discountLabel(8550)).toBe('8.55 折')
    expect(discountLabel(10000)).toBe('')
  })
})

describe('plates', () => {
  it.each(['沪A8K316', '沪a·8k316', '京A12345', '粤B1234学', '粤Z123A港', '沪AD12345', '沪AFA1234', '沪A12345D', '沪A12345F', '使014578', '014578使'])('accepts %s', (plate) => {
    expect(isPlate(plate)).toBe(true)
    expect(plateProblem(plate)).toBe('')
  })
  it.each(['', '沪A8K31', '沪A8K31I', '沪AO1234', 'A8K3161', '沪AX12345', '沪A1234X5', '沪A12345Z', '沪A12345A', '沪Z123A港', '沪AD1234A', '沪AD123456', '沪112345'])('refuses %s', (plate) => {
    expect(isPlate(plate)).toBe(false)
    expect(plateProblem(plate)).not.toBe('')
  })
  it('has a normal form', () => {
    expect(normalizePlate('沪ａ·8k-316 ')).toBe('沪A8K316')
    expect(showPlate('沪A8K316')).toBe('沪A·8K316')
    expect(plateProblem('沪AI2345')).toContain('I 和 O')
  })
})

describe('dates in the shop’s zone', () => {
  const now = Date.parse('2026-11-22T06:30:00Z') // Sunday 14:30 in China
  it('says them as people do', () => {
    expect(whenLabel('2026-11-22T00:05:00Z', now)).toBe('今天 08:05')
    expect(dayLabel('2026-11-21T15:59:59Z', now)).toBe('昨天')
    expect(dayLabel('2026-11-21T16:00:00Z', now)).toBe('今天')
    expect(dayLabel('2026-11-18T04:00:00Z', now)).toBe('周三')
    expect(dayLabel('2026-11-15T04:00:00Z', now)).toBe('11月15日')
    expect(dayLabel('2025-11-15T04:00:00Z', now)).toBe('2025年11月15日')
    expect(timeLabel('2026-11-22T16:05:00Z')).toBe('00:05')
    expect(ymd('2026-11-22T16:05:00Z')).toBe('2026-11-23')
  })
  it('tells the age of what is shown', () => {
    expect(ageLabel(now - 20_000, now)).toBe('刚刚')
    expect(ageLabel(now - 3 * 60_000, now)).toBe('3 分钟前')
    expect(ageLabel(now - 5 * 3600_000, now)).toBe('5 小时前')
    expect(ageLabel(now - 50 * 3600_000, now)).toBe('2 天前')
  })
  it('groups a sorted list by day', () => {
    const items = ['2026-11-22T05:00:00Z', '2026-11-22T01:00:00Z', '2026-11-21T05:00:00Z'].map((at) => ({ at }))
    expect(groupByDay(items, (i) => i.at, now).map((g) => [g.day, g.items.length])).toEqual([['今天', 2], ['昨天', 1]])
  })
})

describe('hashes', () => {
  it('SHA-256 of the standard’s examples', () => {
    expect(hex(sha256(asciiBytes('')))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hex(sha256(asciiBytes('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(hex(sha256(asciiBytes('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')))).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    )
  })
  it('HMAC-SHA256 of RFC 4231', () => {
    expect(hex(hmacSha256(new Uint8Array(20).fill(0x0b), asciiBytes('Hi There')))).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(hex(hmacSha256(asciiBytes('Jefe'), asciiBytes('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    const long = 'Test Using Larger Than Block-Size Key - Hash Key First'
    expect(hex(hmacSha256(new Uint8Array(131).fill(0xaa), asciiBytes(long)))).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })
  it('agrees with Node for every length around a block', () => {
    for (let length = 0; length < 140; length++) {
      const key = Uint8Array.from({ length: 32 }, (_, i) => (i * 7 + length) & 255)
      const message = Uint8Array.from({ length }, (_, i) => (i * 31) & 255)
      expect(hex(hmacSha256(key, message))).toBe(createHmac('sha256', key).update(message).digest('hex'))
    }
  })
  it('reads base64', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 37) & 255)
    const text = Buffer.from(bytes).toString('base64')
    expect(base64Bytes(text)).toEqual(bytes)
    expect(base64Bytes(Buffer.from(bytes).toString('base64url'))).toEqual(bytes)
    expect(() => base64Bytes('a*b=')).toThrow()
  })
})

describe('member code', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
  it('agrees with the contract’s vector', () => {
    const code = memberCode(secret, '123456789', 29000000)
    const mac = createHmac('sha256', secret).update('LC1|123456789|29000000').digest()
    const otp = String(mac.readBigUInt64BE(0) % 100000000n).padStart(8, '0')
    expect(code.slice(0, 17)).toBe('123456789' + otp)
    expect(luhnValid(code)).toBe(true)
    console.log(`member code vector: deviceNo 123456789, secret 00..1f, step 29000000 -> ${code}`)
    expect(code).toMatchInlineSnapshot(`"123456789199119113"`)
  })
  it('agrees with big integers for many steps', () => {
    for (let step = 29000000; step < 29000200; step++) {
      const mac = createHmac('sha256', secret).update(`LC1|987654321|${step}`).digest()
      const otp = String(mac.readBigUInt64BE(0) % 100000000n).padStart(8, '0')
      expect(memberCode(secret, '987654321', step).slice(9, 17)).toBe(otp)
    }
  })
  it('reads what is typed, pasted or scanned', () => {
    const code = memberCode(secret, '123456789', 29000000)
    expect(readMemberCode(qrText(code))).toBe(code)
    expect(readMemberCode(` ${groupCode(code)} `)).toBe(code)
    expect(groupCode('123456789012345678')).toBe('123456 789012 345678')
    const wrong = code.slice(0, 17) + ((Number(code[17]) + 1) % 10)
    expect(readMemberCode(wrong)).toBeNull()
    expect(readMemberCode('13800006688')).toBeNull()
    expect(codeStep(59_999)).toBe(0)
    expect(codeStep(60_000)).toBe(1)
  })
})

describe('QR', () => {
  it('draws the finder patterns without seams', () => {
    const rects: number[][] = []
    const matrix = qrMatrix('LC1:123456789012345678')
    drawQr({ fillStyle: '', fillRect: (...rect: number[]) => void rects.push(rect) }, matrix, 248)
    expect(matrix.dark(0, 0) && matrix.dark(6, 6) && !matrix.dark(1, 1)).toBe(true)
    expect(rects.length).toBeGreaterThan(100)
    for (const rect of rects) for (const n of rect) expect(Number.isInteger(n)).toBe(true)
  })
})

describe('colours', () => {
  it.each(['#0b7a75', '#f5a524', '#ffff00', '#111111', '#ff5555', '#b8862b', '#c0c0c0'])('stay readable for %s', (color) => {
    const vars = Object.fromEntries(accentVars(color).split(';').map((v) => v.split(':') as [string, string]))
    expect(contrast(vars['--accent']!, vars['--accent-ink']!)).toBeGreaterThanOrEqual(4.4)
    expect(contrast(vars['--accent-text']!, '#ffffff')).toBeGreaterThanOrEqual(4.5)
    expect(contrast(vars['--accent-text']!, vars['--accent-soft']!)).toBeGreaterThanOrEqual(4.5)
    const face = cardFace(color)
    for (const stop of face.background.match(/#[0-9a-f]{6}/g)!) expect(contrast(stop, face.ink)).toBeGreaterThanOrEqual(4.4)
  })
  it('falls back to the house colour', () => {
    expect(accentVars('javascript:alert(1)')).toContain('--accent:#0b7a75')
    expect(textOn('#ffffff')).toBe('#14272b')
  })
})

describe('people', () => {
  it('are called by surname and title where the gender is known', () => {
    expect(calledName('何**', 'female')).toBe('何女士')
    expect(calledName('刘*', 'male')).toBe('刘先生')
    expect(calledName('何**', 'unknown')).toBe('何**')
    expect(calledName('J***', 'male')).toBe('J***')
    expect(calledName('', 'male')).toBe('')
  })
})

describe('texts', () => {
  it('splits headings and paragraphs', () => {
    expect(textBlocks('# 一\n甲\n乙\n\n丙')).toEqual([
      { heading: true, text: '一' },
      { heading: false, text: '甲\n乙' },
      { heading: false, text: '丙' },
    ])
  })
  it('knows phones and card numbers', () => {
    expect(isPhone('13800006688')).toBe(true)
    expect(isPhone('12800006688')).toBe(false)
    expect(groupCardNo('880020314477')).toBe('8800 2031 4477')
  })
})
