// Shows what is found while somebody types, and again once documents were read. The form does the same without it.

const pauseMs = 250
const readAgainMs = 2_000
const readAgainMost = 10

export function startSearch(form) {
  const results = document.getElementById('results')
  const status = document.getElementById('search-status')
  let turn = 0
  let timer
  let readAgain = 0

  /** What the form would ask for. */
  function address() {
    const asked = new URLSearchParams()
    for (const [name, value] of new FormData(form)) if (value !== '') asked.append(name, value)
    return `/search?${asked}`
  }

  async function show(url) {
    turn += 1
    const mine = turn
    let page
    try {
      const answer = await fetch(url, { headers: { accept: 'text/html' } })
      if (!answer.ok || answer.redirected) return
      page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    } catch {
      return // The form is still there.
    }
    const found = page.getElementById('results')
    // Another search was begun meanwhile, or somebody is saving this one just now.
    if (found === null || mine !== turn || results.contains(document.activeElement)) return
    results.replaceChildren(...found.childNodes)
    results.dataset.reading = found.dataset.reading ?? ''
    status.textContent = document.getElementById('count')?.textContent ?? ''
    history.replaceState(null, '', url)
    waitForReading()
  }

  function waitForReading() {
    clearTimeout(timer)
    if (results.dataset.reading !== 'yes' || readAgain >= readAgainMost) return
    readAgain += 1
    timer = setTimeout(() => show(location.pathname + location.search), readAgainMs)
  }

  form.elements.namedItem('q').addEventListener('input', ({ target }) => {
    clearTimeout(timer)
    // Each search of another's mailbox is noted for its owner: only those that are meant.
    const isOwn = form.dataset.asTyped === 'yes' && new FormData(form).get('mailbox') !== 'all'
    if (!isOwn || target.value.trim().length < 2) return
    readAgain = 0
    timer = setTimeout(() => show(address()), pauseMs)
  })
  waitForReading()
}
