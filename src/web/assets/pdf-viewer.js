// Shows a PDF page by page, by pdf.js. Only on the page of a document, and only from our own address.
import * as pdfjs from './pdf/pdf.min.mjs'

pdfjs.GlobalWorkerOptions.workerSrc = new URL('./pdf/pdf.worker.min.mjs', import.meta.url).href

const folder = (name) => new URL(`./pdf/${name}/`, import.meta.url).href
/** Without WebAssembly, which our policy does not allow. The worker has no way to the network: what it needs is fetched here. */
const settings = {
  useWasm: false,
  useWorkerFetch: false,
  enableXfa: false,
  stopAtErrors: false,
  cMapUrl: folder('cmaps'),
  standardFontDataUrl: folder('standard_fonts'),
  wasmUrl: folder('wasm'),
  verbosity: 0,
}

const zoomSteps = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4]
/** What the smallest of today's telephones can draw. */
const pixelsMax = 16_000_000
/** Each printed page is a picture in memory. Whoever wants more prints from the file itself. */
const printedMax = 60
const cssPerPoint = 96 / 72

/** @param {HTMLElement} viewer */
export async function startPdfViewer(viewer) {
  const find = (name) => viewer.querySelector(name)
  const { stage, page: place } = { stage: find('[data-stage]'), page: find('[data-page]') }
  const say = (name, values) => viewer.dataset[name].replace(/%(\w+)/g, (_, key) => String(values[key]))
  const buttons = Object.fromEntries([...viewer.querySelectorAll('[data-do]')].map((button) => [button.dataset.do, button]))
  const number = find('#pdf-page')
  viewer.hidden = false

  let pdf
  try {
    pdf = await load(viewer.dataset.file)
  } catch (error) {
    showMessage(viewer, viewer.dataset[error?.name === 'PasswordException' ? 'locked' : 'damaged'])
    return
  }
  // What the buttons of the page do, the viewer does now.
  document.querySelector('[data-without-viewer]')?.remove()
  find('#pdf-count').textContent = say('of', { count: pdf.numPages })

  const state = { page: 1, zoom: 'fit', scale: 1, drawing: undefined, turn: 0 }

  async function draw() {
    const turn = ++state.turn
    state.drawing?.cancel()
    const page = await pdf.getPage(state.page)
    if (turn !== state.turn) return
    const { width } = page.getViewport({ scale: cssPerPoint })
    const fit = Math.max(0.1, (stage.clientWidth - 2) / width)
    state.scale = state.zoom === 'fit' ? Math.min(fit, 2.5) : state.zoom
    const viewport = page.getViewport({ scale: state.scale * cssPerPoint })
    const next = makePage(viewport, say('canvas', { page: state.page }))
    state.drawing = page.render({ canvas: next.canvas, viewport, transform: next.transform })
    showControls()
    try {
      await state.drawing.promise
    } catch (error) {
      if (error?.name === 'RenderingCancelledException') return
      throw error
    }
    const hasText = await addText(page, viewport, next.text)
    await addLinks(page, viewport, next.links, pdf, goTo)
    if (turn !== state.turn) return
    place.replaceChildren(next.canvas, next.text, next.links)
    place.style.width = `${viewport.width}px`
    place.style.height = `${viewport.height}px`
    place.style.setProperty('--total-scale-factor', String(viewport.scale))
    viewer.dataset.drawn = String(state.page)
    find('[data-status]').textContent = say('shown', { page: state.page, count: pdf.numPages })
    showMessage(viewer, hasText ? '' : viewer.dataset.noText)
  }
  const redraw = () =>
    draw().catch(() => {
      showMessage(viewer, viewer.dataset.damaged)
    })

  function showControls() {
    number.value = String(state.page)
    setDisabled(buttons.previous, state.page === 1)
    setDisabled(buttons.next, state.page === pdf.numPages)
    setDisabled(buttons['zoom-out'], state.scale <= zoomSteps[0])
    setDisabled(buttons['zoom-in'], state.scale >= zoomSteps.at(-1))
    buttons.fit.setAttribute('aria-pressed', String(state.zoom === 'fit'))
    find('[data-zoom-level]').textContent = say('zoom', { percent: Math.round(state.scale * 100) })
  }

  function goTo(page) {
    const wanted = Math.min(Math.max(1, Math.round(page)), pdf.numPages)
    const isOther = wanted !== state.page
    state.page = wanted
    number.value = String(wanted)
    if (!isOther) return
    stage.scrollTo(0, 0)
    redraw()
  }

  function zoomBy(direction) {
    const next =
      direction > 0
        ? zoomSteps.find((step) => step > state.scale + 0.01)
        : zoomSteps.findLast((step) => step < state.scale - 0.01)
    if (next === undefined) return
    state.zoom = next
    redraw()
  }

  const actions = {
    previous: () => goTo(state.page - 1),
    next: () => goTo(state.page + 1),
    'zoom-out': () => zoomBy(-1),
    'zoom-in': () => zoomBy(1),
    fit: () => {
      state.zoom = 'fit'
      redraw()
    },
    'full-screen': () => (document.fullscreenElement === viewer ? document.exitFullscreen() : viewer.requestFullscreen()),
    print: () => print(pdf, viewer, say),
  }
  viewer.addEventListener('click', (event) => {
    const button = event.target.closest('[data-do]')
    if (button !== null && button.getAttribute('aria-disabled') !== 'true') actions[button.dataset.do]()
  })
  number.addEventListener('change', () => {
    const wanted = Number.parseInt(number.value, 10)
    goTo(Number.isNaN(wanted) ? state.page : wanted)
  })
  number.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') number.dispatchEvent(new Event('change'))
  })
  const keys = {
    PageUp: 'previous',
    PageDown: 'next',
    ArrowLeft: 'previous',
    ArrowRight: 'next',
    '+': 'zoom-in',
    '=': 'zoom-in',
    '-': 'zoom-out',
    0: 'fit',
  }
  stage.addEventListener('keydown', (event) => {
    const action = keys[event.key]
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    // Where the page is wider than the window, these move it.
    if (event.key.startsWith('Arrow') && stage.scrollWidth > stage.clientWidth) return
    event.preventDefault()
    actions[action]()
  })
  const home = () => goTo(1)
  const end = () => goTo(pdf.numPages)
  stage.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey) return
    if (event.key === 'Home') home()
    if (event.key === 'End') end()
  })

  if (!document.fullscreenEnabled) buttons['full-screen'].hidden = true
  const fullScreenWords = buttons['full-screen'].textContent
  document.addEventListener('fullscreenchange', () => {
    const isFull = document.fullscreenElement === viewer
    buttons['full-screen'].textContent = isFull ? buttons['full-screen'].dataset.leave : fullScreenWords
  })

  let widthBefore = stage.clientWidth
  new ResizeObserver(() => {
    if (stage.clientWidth === widthBefore) return
    widthBefore = stage.clientWidth
    if (state.zoom === 'fit') requestAnimationFrame(redraw)
  }).observe(stage)
  await redraw()
}

async function load(address) {
  const answer = await fetch(address, { credentials: 'same-origin' })
  if (!answer.ok) throw new Error(`The document could not be had: ${answer.status}`)
  return pdfjs.getDocument({ data: new Uint8Array(await answer.arrayBuffer()), ...settings }).promise
}

/** A page to draw on, sharp on a screen of many dots, as far as the device can hold it. */
function makePage(viewport, label) {
  const canvas = document.createElement('canvas')
  const wanted = globalThis.devicePixelRatio || 1
  const ratio = Math.min(wanted, Math.sqrt(pixelsMax / (viewport.width * viewport.height)))
  canvas.width = Math.floor(viewport.width * ratio)
  canvas.height = Math.floor(viewport.height * ratio)
  canvas.className = 'post-viewer__canvas'
  canvas.setAttribute('role', 'img')
  canvas.setAttribute('aria-label', label)
  const text = document.createElement('div')
  text.className = 'post-viewer__text'
  const links = document.createElement('div')
  links.className = 'post-viewer__links'
  return { canvas, text, links, transform: ratio === 1 ? undefined : [ratio, 0, 0, ratio, 0, 0] }
}

/** The words of the page, where they stand in the picture: to select, and to be read aloud. */
async function addText(page, viewport, container) {
  const content = await page.getTextContent()
  await new pdfjs.TextLayer({ textContentSource: content, container, viewport }).render()
  return content.items.some(({ str }) => str?.trim())
}

/** Links go where links of letters may go, and say where; those within the document turn the page. */
async function addLinks(page, viewport, container, pdf, goTo) {
  for (const { subtype, url, dest, rect } of await page.getAnnotations()) {
    if (subtype !== 'Link' || !rect) continue
    const link = document.createElement('a')
    if (url !== undefined && /^(https:|mailto:|tel:)/.test(url)) {
      link.href = url
      link.target = '_blank'
      link.rel = 'noopener noreferrer'
      link.title = url
      link.setAttribute('aria-label', url)
    } else if (dest) {
      const target = await pageOf(pdf, dest)
      if (target === undefined) continue
      link.href = `#page-${target}`
      link.setAttribute('aria-label', String(target))
      link.addEventListener('click', (event) => {
        event.preventDefault()
        goTo(target)
      })
    } else continue
    const [left, top, right, bottom] = viewport.convertToViewportRectangle(rect)
    link.style.left = `${(Math.min(left, right) / viewport.width) * 100}%`
    link.style.top = `${(Math.min(top, bottom) / viewport.height) * 100}%`
    link.style.width = `${(Math.abs(right - left) / viewport.width) * 100}%`
    link.style.height = `${(Math.abs(bottom - top) / viewport.height) * 100}%`
    container.append(link)
  }
}

async function pageOf(pdf, dest) {
  try {
    const [reference] = typeof dest === 'string' ? await pdf.getDestination(dest) : dest
    return (await pdf.getPageIndex(reference)) + 1
  } catch {
    return undefined
  }
}

/** Every page as a picture of 150 dots an inch, on paper of its own. */
async function print(pdf, viewer, say) {
  if (pdf.numPages > printedMax) {
    globalThis.open(viewer.dataset.file, '_blank', 'noopener')
    return
  }
  const status = viewer.querySelector('[data-status]')
  const sheets = document.createElement('div')
  sheets.className = 'post-viewer__sheets'
  sheets.setAttribute('aria-hidden', 'true')
  for (let at = 1; at <= pdf.numPages; at++) {
    status.textContent = say('printing', { page: at, count: pdf.numPages })
    const page = await pdf.getPage(at)
    const viewport = page.getViewport({ scale: 150 / 72 })
    const canvas = document.createElement('canvas')
    canvas.width = Math.floor(viewport.width)
    canvas.height = Math.floor(viewport.height)
    await page.render({ canvas, viewport, intent: 'print' }).promise
    sheets.append(canvas)
  }
  status.textContent = ''
  document.body.append(sheets)
  document.documentElement.classList.add('post-prints-document')
  const clean = () => {
    document.documentElement.classList.remove('post-prints-document')
    sheets.remove()
  }
  globalThis.addEventListener('afterprint', clean, { once: true })
  globalThis.print()
}

function setDisabled(button, isDisabled) {
  // Not `disabled`: the focus would be lost from the button that turned to the last page.
  button.setAttribute('aria-disabled', String(isDisabled))
}

function showMessage(viewer, words) {
  const message = viewer.querySelector('[data-message]')
  message.textContent = words
  message.hidden = words === ''
  if (viewer.dataset.drawn === undefined) viewer.querySelector('[data-status]').textContent = ''
  viewer.classList.toggle('post-viewer--failed', viewer.dataset.drawn === undefined)
}
