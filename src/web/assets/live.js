// Windows show the same before long: the server says that the mailbox looks different now, and a page asks for itself again. Without
// this, whoever loads a page again sees what is so.

/** Calls `changed` when the mailbox is in another state than the page says, where it says one. */
export function watch(stateShown, changed) {
  const live = new EventSource('/live')
  live.addEventListener('state', ({ data }) => {
    if (stateShown() && data !== stateShown()) changed()
  })
  live.addEventListener('end', () => live.close())
  addEventListener('pagehide', () => live.close())
  // A page that comes back from the browser's memory, or that has no stream of its own, asks when it is looked at.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload())
  document.addEventListener('visibilitychange', async () => {
    if (document.visibilityState !== 'visible' || live.readyState === EventSource.OPEN || !stateShown()) return
    const answer = await fetch('/live?once=1').catch(() => undefined)
    if (answer?.ok && (await answer.text()) !== stateShown()) changed()
  })
}

/** Puts what is in `next` in the place of what is in `part`, if it says something else. Whoever was on a link stays on it. */
export function replaceIn(part, next) {
  if (part.textContent === next.textContent) return
  const { activeElement } = document
  const wasIn = part.contains(activeElement)
  const href = wasIn && activeElement.getAttribute('href')
  part.replaceChildren(...document.adoptNode(next).childNodes)
  part.dispatchEvent(new CustomEvent('post:swapped', { bubbles: true }))
  if (!wasIn) return
  const same = [...part.querySelectorAll('a')].find((link) => link.getAttribute('href') === href)
  if (!same) part.setAttribute('tabindex', '-1')
  ;(same ?? part).focus({ preventScroll: true })
}

/** A part of a page that says of itself in which state of the mailbox it is; or says none, and asks when somebody comes back to it. */
export function startLive(part) {
  const outcome = document.createElement('p')
  outcome.className = 'govuk-visually-hidden'
  outcome.setAttribute('role', 'status')
  document.body.append(outcome)
  async function refresh() {
    const answer = await fetch(location.href, { redirect: 'error' }).catch(() => undefined)
    if (!answer?.ok) return
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]')
    if (!next) return
    part.dataset.live = next.dataset.live
    const before = part.querySelector('.govuk-panel')
    replaceIn(part, next)
    const panel = part.querySelector('.govuk-panel')
    if (!before && panel) outcome.textContent = panel.textContent
  }
  if (part.dataset.live) watch(() => part.dataset.live, refresh)
  else {
    addEventListener('focus', refresh)
    addEventListener('pageshow', ({ persisted }) => persisted && refresh())
  }
}
