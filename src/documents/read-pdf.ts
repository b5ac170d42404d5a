import path from 'node:path'
import { textLengthMax, Unreadable } from './read-office.ts'

const pagesMax = 500
const data = path.join(import.meta.dirname, '../../node_modules/pdfjs-dist')

/** The text of a PDF, page by page. A scan has none. */
export async function readPdf(bytes: Uint8Array): Promise<string> {
  // It wants one for drawing, when it is loaded; nothing is drawn here, and what draws is not there.
  Object.assign(globalThis, { DOMMatrix: class {} })
  const { getDocument } = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const loading = getDocument({
    // It wants bytes that are not a Buffer, and takes them over.
    data: new Uint8Array(bytes),
    cMapUrl: `${data}/cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${data}/standard_fonts/`,
    disableFontFace: true,
    isEvalSupported: false,
    useSystemFonts: false,
    verbosity: 0,
  })
  try {
    const pdf = await loading.promise
    let text = ''
    for (let number = 1; number <= Math.min(pdf.numPages, pagesMax) && text.length < textLengthMax; number += 1) {
      const page = await pdf.getPage(number)
      const { items } = await page.getTextContent()
      for (const item of items) if ('str' in item) text += item.hasEOL ? `${item.str}\n` : item.str
      text += '\n'
      page.cleanup()
    }
    return text.slice(0, textLengthMax)
  } catch (error) {
    throw (error as Error).name === 'PasswordException' ? new Unreadable('protected') : error
  }
}
