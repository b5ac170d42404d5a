// Only improves: every page works without it.
import { initAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()

const viewer = document.querySelector('[data-pdf-viewer]')
if (viewer !== null) import('./pdf-viewer.js').then(({ startPdfViewer }) => startPdfViewer(viewer))
const printButton = document.querySelector('[data-print]')
if (printButton !== null) import('./print.js').then(({ startPrint }) => startPrint(printButton))
