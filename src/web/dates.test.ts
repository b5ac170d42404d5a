import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayInLondon, dayInWords, endOfDay, exactTimeInWords, lengthInWords, minuteInLondon, timeInWords } from './dates.ts'

test('a day is the day in London, in summer too', () => {
  assert.equal(dayInWords(new Date('2026-11-23T23:59:59Z')), '23 November 2026')
  assert.equal(dayInWords(new Date('2026-06-30T22:59:59Z')), '30 June 2026')
  assert.equal(dayInWords(new Date('2026-06-30T23:00:00Z')), '1 July 2026')
})

test('a time is said as people say it', () => {
  assert.equal(timeInWords(new Date('2026-11-23T09:05:00Z')), '23 November 2026 at 9:05am')
  assert.equal(timeInWords(new Date('2026-07-01T11:30:00Z')), '1 July 2026 at 12:30pm')
  assert.equal(timeInWords(new Date('2026-11-23T00:05:00Z')), '23 November 2026 at 12:05am')
})

test('a day ends at midnight in London, and a day that is not there has no end', () => {
  assert.equal(endOfDay(2026, 12, 31)?.toISOString(), '2026-12-31T23:59:59.000Z')
  assert.equal(endOfDay(2027, 6, 30)?.toISOString(), '2027-06-30T22:59:59.000Z')
  assert.equal(endOfDay(2027, 2, 29), undefined)
  assert.equal(endOfDay(27, 1, 1), undefined)
})

test('a day as a date is the day in London', () => {
  assert.equal(dayInLondon(new Date('2026-06-30T23:00:00Z')), '2026-07-01')
  assert.equal(dayInLondon(new Date('2026-11-03T23:00:00Z')), '2026-11-03')
})

test('what deadlines are counted from is said with its seconds', () => {
  assert.equal(exactTimeInWords(new Date('2026-11-23T09:05:07Z')), '23 November 2026 at 9:05:07am')
})

test('a length is said in the units that it has', () => {
  const from = new Date('2026-11-23T10:00:00Z')
  const words = (seconds: number) => lengthInWords(from, new Date(from.getTime() + seconds * 1_000))
  assert.equal(words(0), '0 seconds')
  assert.equal(words(61), '1 minute and 1 second')
  assert.equal(words(3_600), '1 hour')
  assert.equal(words(2 * 86_400 + 3_600 + 125), '2 days, 1 hour and 2 minutes')
  assert.equal(words(-5), '0 seconds')
})

test('a minute is that of London’s clocks, and one that they leave out is none', () => {
  const minute = (...[year, month, day, hour, min]: [number, number, number, number, number]) =>
    minuteInLondon([year, month, day], [hour, min])?.toISOString()
  assert.equal(minute(2026, 11, 27, 9, 30), '2026-11-27T09:30:00.000Z')
  assert.equal(minute(2027, 6, 30, 0, 5), '2027-06-29T23:05:00.000Z')
  assert.equal(minute(2027, 3, 28, 1, 30), undefined)
  assert.equal(minute(2026, 10, 25, 1, 30), '2026-10-25T00:30:00.000Z')
  for (const none of [minute(2027, 2, 29, 9, 0), minute(2027, 1, 1, 24, 0), minute(2027, 1, 1, 9, 60)])
    assert.equal(none, undefined)
})
