// Only improves: every page works without it.
import { initAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()
if (document.querySelector('form[data-post-draft]')) import('./write.js')
