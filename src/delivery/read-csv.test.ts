import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CsvRow, type Fault, FileFault, fileBytesMax, readCsv } from './read-csv.ts'

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(content: string | Buffer, size = 7): Promise<CsvRow[]> {
  const rows: CsvRow[] = []
  for await (const row of readCsv(inPieces(Buffer.from(content), size))) rows.push(row)
  return rows
}

async function faultsOf(content: string | Buffer): Promise<readonly Fault[]> {
  try {
    await read(content)
  } catch (error) {
    if (error instanceof FileFault) return error.faults
    throw error
  }
  return []
}

const asUtf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')
const cellsOf = (rows: CsvRow[]) => rows.map(({ cells }) => cells)

describe('a CSV', () => {
  const text = 'identifier,name\nCT-1,Zoë £5\n'
  const cells = [
    ['identifier', 'name'],
    ['CT-1', 'Zoë £5'],
  ]

  test('is read in UTF-8, with its mark or without', async () => {
    assert.deepEqual(cellsOf(await read(text)), cells)
    assert.deepEqual(cellsOf(await read(`\ufeff${text}`)), cells)
  })

  test('is read in UTF-16 with its mark, however its pieces are cut', async () => {
    assert.deepEqual(cellsOf(await read(asUtf16(text))), cells)
    assert.deepEqual(cellsOf(await read(asUtf16(text).swap16(), 3)), cells)
  })

  test('may end its lines in any way, and part its cells by semicolons or tabs', async () => {
    for (const end of ['\r\n', '\r', '\n']) assert.deepEqual(cellsOf(await read(text.replaceAll('\n', end))), cells)
    for (const mark of [';', '\t']) assert.deepEqual(cellsOf(await read(text.replaceAll(',', mark))), cells)
  })

  test('has commas, quotation marks and line ends in its cells', async () => {
    const [, row] = await read('a,b\n"1 High Street,\nNorthfold","the ""Oaks"""\n')
    assert.deepEqual(row, { row: 2, cells: ['1 High Street,\nNorthfold', 'the "Oaks"'] })
    assert.deepEqual(cellsOf(await read('a,b\n5" pipe,x\n'))[1], ['5" pipe', 'x'])
  })

  test('has rows that are numbered as in the spreadsheet; empty ones count, and are left out', async () => {
    const rows = await read('a,b\n\n1,2\n , \n3,4\n\n')
    assert.deepEqual(rows, [
      { row: 1, cells: ['a', 'b'] },
      { row: 3, cells: ['1', '2'] },
      { row: 5, cells: ['3', '4'] },
    ])
  })
})

describe('what is no CSV is refused:', () => {
  test('Windows-1252, at the row', async () => {
    assert.deepEqual(await faultsOf(Buffer.from('a,b\n1,2\n\n3,Zo\xeb\n', 'latin1')), [{ code: 'not-utf8', row: 4 }])
  })

  test('an Excel workbook, new or old', async () => {
    assert.deepEqual(await faultsOf(Buffer.from([0x50, 0x4b, 3, 4, 20, 0])), [{ code: 'workbook' }])
    assert.deepEqual(await faultsOf(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1])), [{ code: 'workbook' }])
  })

  test('other bytes, and nothing', async () => {
    assert.deepEqual(await faultsOf(Buffer.from([1, 2, 0, 0, 3])), [{ code: 'not-csv' }])
    assert.deepEqual(await faultsOf(''), [{ code: 'empty' }])
  })

  test('a quotation mark that is not closed, at its row', async () => {
    assert.deepEqual(await faultsOf('a,b\n1,2\n"3,4\n5,6\n'), [{ code: 'unclosed', row: 3 }])
    assert.deepEqual(await faultsOf(`a,b\n1,2\n"3,${'x\n'.repeat(600_000)}`), [{ code: 'unclosed', row: 3 }])
  })

  test('one that is too large, before it is read to its end', async () => {
    let given = 0
    async function* endless() {
      for (;;) {
        given += 1
        yield Buffer.from(`a,${'b'.repeat(99_997)}\n`)
      }
    }
    const reading = async () => {
      for await (const _ of readCsv(endless()));
    }
    await assert.rejects(reading(), { faults: [{ code: 'too-large', megabytes: 200 }] })
    assert.ok(given * 100_000 < fileBytesMax + 10_000_000)
  })

  test('a connection that breaks is no fault of the file', async () => {
    async function* broken() {
      yield Buffer.from('a,b\n1,2\n')
      throw new Error('broken')
    }
    await assert.rejects(async () => {
      for await (const _ of readCsv(broken()));
    }, /broken/)
  })
})
