// Only improves: every page works without it.
import { initAll } from './govuk-frontend.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()

const search = document.getElementById('search')
if (search) import('./search.js').then(({ startSearch }) => startSearch(search))
