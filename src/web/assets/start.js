// Only improves: every page works without it.
import { initAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')

/** Of a page, or of what a script has put into it (mailbox.js). */
function start(scope) {
  initAll({ scope })
  const viewer = scope.querySelector('[data-pdf-viewer]')
  if (viewer !== null) import('./pdf-viewer.js').then(({ startPdfViewer }) => startPdfViewer(viewer))
  const printButton = scope.querySelector('[data-print]')
  if (printButton !== null) import('./print.js').then(({ startPrint }) => startPrint(printButton))
}

start(document)
document.addEventListener('post:swapped', ({ target }) => start(target))
if (document.querySelector('.post-panes, .post-shortcuts')) import('./mailbox.js')
const live = document.querySelector('[data-live]')
if (live) import('./live.js').then(({ startLive }) => startLive(live))
if (document.querySelector('form[data-post-draft]')) import('./write.js')

const search = document.getElementById('search')
if (search) import('./search.js').then(({ startSearch }) => startSearch(search))
const progress = document.querySelector('[data-again]')
if (progress) import('./progress.js').then(({ startProgress }) => startProgress(progress))
