import PDFDocument from 'pdfkit'

export type Block =
  | { kind: 'heading'; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; items: readonly string[] }
  /** A row whose cells stand between ** is a total. */
  | { kind: 'table'; head: readonly [string, string]; rows: readonly (readonly [string, string])[] }

export type LetterBody = {
  name: string
  colour: string
  contact: readonly string[]
  /** Drawn in a square of 34 points. */
  emblem: (pdf: Pdf, x: number, y: number) => void
}

export type PrintedLetter = {
  from: LetterBody
  language: 'en' | 'cy'
  address: readonly string[]
  /** Label and value, such as the account number. */
  references: readonly (readonly [string, string])[]
  title: string
  blocks: readonly Block[]
  signature: readonly string[]
}

type Pdf = PDFKit.PDFDocument
type Structure = PDFKit.PDFStructureElement

const margin = 62
const ink = '#1c1c1c'
const grey = '#555555'
const line = '#b8b8b8'
const pageWidth = 595.28
const textWidth = pageWidth - 2 * margin
const footerHeight = 70
const labelWidth = 300

const words = {
  en: {
    page: (n: number, of: number) => `Page ${n} of ${of}`,
    invented: 'A demonstration letter. The public body and the people in it are invented.',
  },
  cy: {
    page: (n: number, of: number) => `Tudalen ${n} o ${of}`,
    invented: 'Llythyr enghreifftiol. Mae’r corff cyhoeddus a’r bobl ynddo yn ddychmygol.',
  },
}

/** A letter on A4, tagged for screen readers. The same letter gives the same bytes. */
export async function drawLetter(letter: PrintedLetter): Promise<Buffer> {
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: 50, left: margin, right: margin, bottom: footerHeight },
    pdfVersion: '1.5',
    tagged: true,
    lang: letter.language === 'cy' ? 'cy-GB' : 'en-GB',
    displayTitle: true,
    bufferPages: true,
    info: { Title: letter.title, Author: letter.from.name, CreationDate: new Date('2026-01-01T00:00:00Z') },
  })
  const chunks: Buffer[] = []
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => pdf.once('end', resolve))
  const root = pdf.struct('Document')
  pdf.addStructure(root)
  drawLetterhead(pdf, root, letter.from)
  drawAddress(pdf, root, letter)
  write(pdf, root, 'H1', letter.title, { bold: true, size: 16 })
  pdf.y += 10
  for (const block of letter.blocks) drawBlock(pdf, root, block, letter.from.colour)
  drawSignature(pdf, root, letter.signature)
  root.end()
  drawFooters(pdf, letter.language)
  pdf.end()
  await ended
  return Buffer.concat(chunks)
}

type Look = {
  bold?: boolean
  size?: number
  colour?: string
  x?: number
  y?: number
  width?: number
  align?: 'right'
  gap?: number
}

/** A text as one element for screen readers, at a place or below what was written last. */
function write(pdf: Pdf, parent: Structure, tag: string, text: string, look: Look = {}): void {
  const { x = margin, y = pdf.y, width = textWidth, align = 'left', gap = 3 } = look
  const content = () => setBody(pdf, look).text(text, x, y, { width, align, lineGap: gap })
  parent.add(pdf.struct(tag, {}, content))
}

function setBody(pdf: Pdf, { bold = false, size = 10.5, colour = ink }: Look = {}): Pdf {
  return pdf
    .font(bold ? 'Helvetica-Bold' : 'Helvetica')
    .fontSize(size)
    .fillColor(colour)
}

/** What a screen reader passes over. */
function decorate(pdf: Pdf, draw: () => void): void {
  pdf.markContent('Artifact', { type: 'Layout' })
  draw()
  pdf.endMarkedContent()
}

const rightColumn = { x: pageWidth - margin - 190, width: 190 }

function drawLetterhead(pdf: Pdf, root: Structure, { name, colour, contact, emblem }: LetterBody): void {
  decorate(pdf, () => {
    emblem(pdf, margin, 46)
    pdf.rect(margin, 98, textWidth, 2).fill(colour)
  })
  write(pdf, root, 'P', name, { bold: true, size: 15, colour, x: margin + 46, y: 57, width: 250 })
  for (const [index, text] of contact.entries()) {
    write(pdf, root, 'P', text, { ...rightColumn, size: 8.5, colour: grey, y: 48 + index * 12, align: 'right' })
  }
}

function drawAddress(pdf: Pdf, root: Structure, { address, references }: PrintedLetter): void {
  const top = 128
  for (const [index, text] of address.entries()) write(pdf, root, 'P', text, { y: top + index * 16, width: 240 })
  for (const [index, [label, value]] of references.entries()) {
    write(pdf, root, 'P', label, { ...rightColumn, size: 8.5, colour: grey, y: top + index * 32 })
    write(pdf, root, 'P', value, { ...rightColumn, bold: true, y: top + index * 32 + 11 })
  }
  pdf.y = top + Math.max(address.length * 16, references.length * 32) + 26
}

function drawBlock(pdf: Pdf, root: Structure, block: Block, colour: string): void {
  switch (block.kind) {
    case 'heading':
      pdf.y += 6
      write(pdf, root, 'H2', block.text, { bold: true, size: 12, colour })
      pdf.y += 2
      break
    case 'paragraph':
      write(pdf, root, 'P', block.text)
      pdf.y += 7
      break
    case 'list':
      drawList(pdf, root, block.items)
      break
    case 'table':
      drawTable(pdf, root, block, colour)
  }
}

function drawList(pdf: Pdf, root: Structure, items: readonly string[]): void {
  const list = pdf.struct('L')
  root.add(list)
  for (const item of items) {
    const element = pdf.struct('LI')
    list.add(element)
    const y = pdf.y
    write(pdf, element, 'Lbl', '•', { x: margin + 6, y, width: 10 })
    write(pdf, element, 'LBody', item, { x: margin + 20, y, width: textWidth - 20 })
    element.end()
    pdf.y += 2
  }
  list.end()
  pdf.y += 6
}

function drawTable(pdf: Pdf, root: Structure, { head, rows }: Extract<Block, { kind: 'table' }>, colour: string): void {
  const table = pdf.struct('Table')
  root.add(table)
  pdf.y += 2
  for (const [index, cells] of [head, ...rows].entries()) {
    const isHead = index === 0
    const isTotal = cells[0].startsWith('**')
    const y = pdf.y
    const rowHeight = setBody(pdf).heightOfString(cells[0], { width: labelWidth, lineGap: 2 }) + 9
    decorate(pdf, () => {
      if (isTotal) pdf.rect(margin, y, textWidth, rowHeight).fill('#f1f1f1')
      const edge = y + rowHeight
      pdf.moveTo(margin, edge).lineTo(margin + textWidth, edge)
      pdf.lineWidth(isHead ? 1.2 : 0.5).stroke(isHead ? colour : line)
    })
    const row = pdf.struct('TR')
    table.add(row)
    const look = { bold: isHead || isTotal, y: y + 6, gap: 2 }
    const [label, value] = cells.map((cell) => cell.replaceAll('**', '')) as [string, string]
    write(pdf, row, 'TH', label, { ...look, x: margin + 6, width: labelWidth })
    const valueWidth = textWidth - labelWidth - 22
    write(pdf, row, isHead ? 'TH' : 'TD', value, { ...look, x: margin + labelWidth + 16, width: valueWidth, align: 'right' })
    row.end()
    pdf.y = y + rowHeight
  }
  table.end()
  pdf.y += 12
}

function drawSignature(pdf: Pdf, root: Structure, signature: readonly string[]): void {
  pdf.y += 12
  for (const text of signature) write(pdf, root, 'P', text)
}

function drawFooters(pdf: Pdf, language: 'en' | 'cy'): void {
  const { start, count } = pdf.bufferedPageRange()
  for (let index = start; index < start + count; index++) {
    pdf.switchToPage(index)
    // Below the margin, where a text would otherwise begin a new page.
    pdf.page.margins.bottom = 0
    const y = pdf.page.height - 46
    pdf.markContent('Artifact', { type: 'Pagination' })
    pdf
      .moveTo(margin, y - 8)
      .lineTo(pageWidth - margin, y - 8)
      .lineWidth(0.5)
      .stroke(line)
    pdf.font('Helvetica').fontSize(8).fillColor(grey)
    pdf.text(words[language].invented, margin, y, { width: textWidth - 80, lineBreak: false })
    pdf.text(words[language].page(index + 1, count), pageWidth - margin - 80, y, { width: 80, align: 'right' })
    pdf.endMarkedContent()
  }
}
