import { minuteText, parseMinute } from './booking'
import type { Shift, ShiftInput, WeekSpan } from './booking-types'
import { shiftDate } from './dates'

const DAY = 1440

export const weekOf = (monday: string): string[] => Array.from({ length: 7 }, (_, index) => shiftDate(monday, index))

export const spanText = (from: number, to: number): string => `${minuteText(from)}–${minuteText(to)}`

/** A shift as it is read on the week grid. */
export function shiftText(shift: Pick<ShiftInput, 'starts' | 'ends'>): string {
  return spanText(shift.starts, shift.ends)
}

export function breakText(shift: ShiftInput): string {
  return shift.breakEnds ? `休 ${spanText(shift.breakStarts ?? 0, shift.breakEnds)}` : ''
}

/** Working minutes, breaks left out. */
export function workMinutes(shifts: ShiftInput[]): number {
  return shifts.reduce((sum, shift) => sum + shift.ends - shift.starts - ((shift.breakEnds ?? 0) - (shift.breakStarts ?? 0)), 0)
}

export function hoursText(minutes: number): string {
  return `${String(Math.round(minutes / 6) / 10)} 小时`
}

/** One line of the shift form, as typed. */
export interface ShiftDraft {
  starts: string
  ends: string
  hasBreak: boolean
  breakStarts: string
  breakEnds: string
}

export function draftOf(shift?: ShiftInput): ShiftDraft {
  if (!shift) return { starts: '9:00', ends: '18:00', hasBreak: true, breakStarts: '12:00', breakEnds: '13:00' }
  const hasBreak = Boolean(shift.breakEnds)
  return {
    starts: minuteText(shift.starts),
    ends: minuteText(shift.ends),
    hasBreak,
    breakStarts: hasBreak ? minuteText(shift.breakStarts ?? 0) : '12:00',
    breakEnds: hasBreak ? minuteText(shift.breakEnds!) : '13:00',
  }
}

/** The shifts of a form, or in words why they cannot be. An end before its start is meant for the next day. */
export function readShifts(drafts: ShiftDraft[]): { shifts: ShiftInput[]; obstacle: string } {
  const shifts: ShiftInput[] = []
  for (const draft of drafts) {
    const starts = parseMinute(draft.starts)
    let ends = parseMinute(draft.ends)
    if (starts === null || ends === null || starts >= DAY) return { shifts, obstacle: '时间写成 9:00 这样' }
    if (ends <= starts) ends += DAY
    if (starts % 5 !== 0 || ends % 5 !== 0) return { shifts, obstacle: '时间要是 5 分钟的整数倍' }
    const shift: ShiftInput = { starts, ends }
    if (draft.hasBreak) {
      let breakStarts = parseMinute(draft.breakStarts)
      let breakEnds = parseMinute(draft.breakEnds)
      if (breakStarts === null || breakEnds === null) return { shifts, obstacle: '休息时间写成 12:00 这样' }
      if (breakStarts < starts) breakStarts += DAY
      if (breakEnds <= breakStarts) breakEnds += DAY
      if (breakStarts <= starts || breakEnds >= ends) return { shifts, obstacle: '休息要在班次中间' }
      shift.breakStarts = breakStarts
      shift.breakEnds = breakEnds
    }
    shifts.push(shift)
  }
  const sorted = [...shifts].sort((a, b) => a.starts - b.starts)
  if (sorted.some((shift, index) => index > 0 && shift.starts < sorted[index - 1]!.ends)) return { shifts, obstacle: '两段班次不能重叠' }
  return { shifts: sorted, obstacle: '' }
}

/** Shifts by person and day. */
export function shiftsOf(shifts: Shift[], staffId: number, day: string): Shift[] {
  return shifts.filter((shift) => shift.staffId === staffId && shift.day === day).sort((a, b) => a.starts - b.starts)
}

/** Opening hours of one weekday as typed: "9:00-12:00, 13:00-21:00"; empty is closed. Null when it cannot be read. */
export function parseSpans(text: string): { opens: number; closes: number }[] | null {
  const clean = text.normalize('NFKC').replace(/[–—~至到]/g, '-').replace(/[、;]/g, ',').trim()
  if (clean === '' || clean === '休' || clean === '休息') return []
  const spans: { opens: number; closes: number }[] = []
  for (const part of clean.split(',')) {
    const [from, to, ...rest] = part.split('-').map(parseMinute)
    if (from === null || from === undefined || to === null || to === undefined || rest.length > 0 || from >= DAY) return null
    const closes = to <= from ? to + DAY : to
    if (from % 5 !== 0 || closes % 5 !== 0) return null
    spans.push({ opens: from, closes })
  }
  spans.sort((a, b) => a.opens - b.opens)
  return spans.some((span, index) => index > 0 && span.opens < spans[index - 1]!.closes) ? null : spans
}

export function spansText(spans: { opens: number; closes: number }[]): string {
  return spans.map((span) => spanText(span.opens, span.closes)).join('，')
}

export const spansOn = (hours: WeekSpan[], weekday: number): WeekSpan[] => hours.filter((span) => span.weekday === weekday).sort((a, b) => a.opens - b.opens)
