// How far something is, while it goes on. Without this, a link loads the page again.

const waitMs = 2000
const retryMs = 15_000

/** Takes the place of what is shown by what the same page says now, until that says that it is over: then the whole page is loaded. */
export function startProgress(shown) {
  const { again } = shown.dataset
  const later = (ms) => setTimeout(look, ms)
  async function look() {
    if (document.hidden) return later(waitMs)
    try {
      const answer = await fetch(again, { redirect: 'error' })
      if (!answer.ok) return later(retryMs)
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      const now = page.getElementById(shown.id)
      if (!now?.dataset.again) return location.assign(again)
      if (now.innerHTML !== shown.innerHTML) shown.replaceChildren(...now.childNodes)
      later(waitMs)
    } catch {
      later(retryMs)
    }
  }
  later(waitMs)
}
