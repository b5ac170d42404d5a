import { readFileSync } from 'node:fs'
import { v7 as newId } from 'uuid'
import { sendLines } from '../src/api/client/send-lines.ts'
import type { Database } from '../src/database/connect.ts'
import { letter, turnsWithLog } from './bench-letter.ts'
import { measure, openRequests, percentiles, print, secondsEach } from './measure.ts'
import type { Program } from './program.ts'
import { takeToken } from './server.ts'

const linesAtOnce = 100

/**
 * A stream of letters in bulk for some seconds, and until all of it is sealed; then single letters at four connections, without
 * and with such a stream beside them. What the program's memory came to is of the whole run.
 */
export async function measureBulk(program: Program, database: Database): Promise<void> {
  const { baseUrl } = program
  for (const withPdf of [false, true]) await measureStream(program, database, withPdf)
  const headers = { authorization: `Bearer ${await takeToken({ baseUrl })}`, 'content-type': 'application/json' }
  const letters = openRequests(4, `${baseUrl}/v1/messages`, 'POST', headers, () => JSON.stringify(letter(false)))
  const [alone] = await measure(4, [letters.send])
  const beside = await startStream(baseUrl, false)
  const [together] = await measure(4, [letters.send])
  const { rate } = await beside.end()
  letters.close()
  print('Accept a letter over HTTP, 4 connections', alone!)
  print(`Accept a letter over HTTP, 4 connections, beside ${rate.toFixed(0)} a second in bulk`, together!, alone!.rate)
}

/** One stream for so many seconds: with `npm run bench -- 300 sustained`, for five minutes. */
export async function measureStream({ baseUrl, child }: Program, database: Database, withPdf: boolean): Promise<void> {
  await turnsWithLog(database).settle()
  const cpuBefore = cpuSeconds(child.pid!)
  const stream = await startStream(baseUrl, withPdf)
  await stream.runFor(secondsEach * 1_000)
  const { rate, times, count } = await stream.end()
  const ended = performance.now()
  await turnsWithLog(database).settle()
  const what = withPdf ? ', with a 50 kB PDF' : ''
  print(`Accept letters in bulk, one stream${what}; the times are those of answers`, { rate, ...percentiles(times) })
  const cpu = ((cpuSeconds(child.pid!) - cpuBefore) * 1_000) / count
  console.log(
    `\n${count} letters, all sealed ${((performance.now() - ended) / 1_000).toFixed(1)} s after the last; ${cpu.toFixed(3)} ms of processor for each in the program, its log included; it had ${peakMegabytes(child.pid!)} MB at most\n`,
  )
}

/** Lines as fast as they are taken. */
async function startStream(baseUrl: string, withPdf: boolean) {
  const token = await takeToken({ baseUrl })
  const authorization = `Bearer ${token}`
  const reference = newId()
  const response = await fetch(`${baseUrl}/v1/batches/${reference}`, {
    method: 'PUT',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'The bench' }),
  })
  const { id } = (await response.json()) as { id: string }
  const { reference: _, service: __, ...said } = letter(withPdf)
  const end = `",${JSON.stringify(said).slice(1)}\n`
  let sent = 0
  let isOver = false
  const sentAt: number[] = []
  async function* lines() {
    while (!isOver) {
      let text = ''
      for (let line = 0; line < (withPdf ? 10 : linesAtOnce); line += 1) {
        sentAt.push(performance.now())
        text += `{"reference":"${reference}-${sent++}${end}`
      }
      yield text
      // So that answers are read between.
      await new Promise(setImmediate)
    }
  }
  const times: number[] = []
  const began = performance.now()
  let count = 0
  const done = (async () => {
    for await (const { line, problem } of sendLines(`${baseUrl}/v1/batches/${id}/messages`, token, lines())) {
      if (problem) throw new Error(`a letter was not accepted: ${problem.code}`)
      count += 1
      times.push(performance.now() - sentAt[line - 1]!)
    }
    return { rate: (count * 1_000) / (performance.now() - began), times, count }
  })()
  return {
    runFor: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    end: () => {
      isOver = true
      return done
    },
  }
}

/** Of the process and all its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakMegabytes(pid: number): string {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return (Number(peak) / 1024).toFixed(0)
}
