// Only improves: every page works without it.
import { initAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')

/** Of a page, or of what a script has put into it (mailbox.js). */
function start(scope) {
  initAll({ scope })
}

start(document)
document.addEventListener('post:swapped', ({ target }) => start(target))
if (document.querySelector('.post-panes, .post-shortcuts')) import('./mailbox.js')
