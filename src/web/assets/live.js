// Windows show the same before long: the server says that the mailbox looks different now, and a page asks for itself again. Without
// this, whoever loads a page again sees what is so.

/**
 * Calls `changed` when the mailbox is in another state than the page says, where it says one. A browser has few connections to a
 * site, so that not every window has a stream: the one that was looked at last has it, and tells the others.
 */
export function watch(stateShown, changed) {
  const hear = (state) => {
    if (stateShown() && state !== stateShown()) changed()
  }
  // An old browser has no such locks, or channels: each of its windows has a stream.
  const others = navigator.locks && new BroadcastChannel('post')
  others?.addEventListener('message', ({ data }) => hear(data))
  let live
  /** Until the stream has ended, the window is left, or another takes it (AbortError). */
  async function follow(options) {
    let stream
    const listen = () =>
      new Promise((end) => {
        stream = new EventSource('/live')
        live = stream
        stream.addEventListener('state', ({ data }) => {
          others?.postMessage(data)
          hear(data)
        })
        stream.addEventListener('end', end)
        stream.addEventListener('error', () => stream.readyState === EventSource.CLOSED && end())
        addEventListener('pagehide', end)
      })
    try {
      await (navigator.locks?.request('post', options, listen) ?? listen())
    } finally {
      stream?.close()
    }
  }
  let isWaiting = false
  /** When the window that has the stream is closed, another goes on. */
  async function wait() {
    if (isWaiting) return
    isWaiting = true
    const error = await follow({}).catch((error) => error)
    isWaiting = false
    waitAfter(error)
  }
  const waitAfter = (error) => error?.name === 'AbortError' && wait()
  const take = () => {
    if (!live || live.readyState === EventSource.CLOSED) follow({ steal: true }).catch(waitAfter)
  }
  if (document.visibilityState === 'visible' || !navigator.locks) take()
  else wait()
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && take())
  // A page that comes back from the browser's memory.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload())
}

/** Whether somebody else's mailbox, or the own again, was opened in another window since this page was made. */
export function isOfAnotherMailbox(page) {
  const whose = (each) => each.querySelector('.post-mailbox-open__text')?.textContent
  return whose(page) !== whose(document)
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
  let latest = 0
  async function refresh() {
    latest += 1
    const turn = latest
    const answer = await fetch(location.href, { redirect: 'error' }).catch(() => undefined)
    if (!answer?.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = page.querySelector('[data-live]')
    // Asked once more meanwhile: that answer is newer.
    if (!next || turn !== latest) return
    if (isOfAnotherMailbox(page)) return location.reload()
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
