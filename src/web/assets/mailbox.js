// Makes the mailbox smoother: a letter opens without the whole page being loaded, lists follow what happens elsewhere, and keys
// do what buttons do. Every page and form works without it.
import { isOfAnotherMailbox, replaceIn, watch } from './live.js'

const ofMailbox = /^\/(inbox|folders\/(archive|bin|[0-9a-f-]{36})|letters\/[0-9a-f-]{36})$/
const panes = () => document.querySelector('.post-panes')
const main = () => document.querySelector('#main-content')

const says = document.createElement('p')
says.className = 'govuk-visually-hidden'
says.setAttribute('role', 'status')
document.body.append(says)

/** The page at an address, or undefined where it is not of the mailbox: the browser goes there itself then. */
async function fetchPage(address, options = {}) {
  const response = await fetch(address, options)
  if (!response.headers.get('content-type')?.startsWith('text/html')) return undefined
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  return page.querySelector('.post-panes') && { page, url: new URL(response.url) }
}

let latest = 0

/** Shows a page in place of this one. */
async function show(address, { options, history: how = 'push', scroll = 0, focus } = {}) {
  latest += 1
  const turn = latest
  panes().setAttribute('aria-busy', 'true')
  const found = await fetchPage(address, options).catch(() => undefined)
  // Another was asked for meanwhile.
  if (turn !== latest) return
  panes().removeAttribute('aria-busy')
  if (!found || isOfAnotherMailbox(found.page)) {
    // What was sent may have been done: the page that was open says what is.
    location.assign(options ? location.href : address)
    return
  }
  const { page, url } = found
  if (how === 'push' && url.pathname + url.search !== location.pathname + location.search) {
    history.replaceState({ scroll: scrollY }, '')
    history.pushState({ scroll: 0 }, '', url.pathname + url.search)
  } else if (how !== 'none') history.replaceState(history.state, '', url.pathname + url.search)
  const place = document.querySelector('.post-panes__list, .post-panes--list .post-panes__main')?.scrollTop ?? 0
  const left = panes().querySelector('.post-list__item--open a')?.pathname
  const next = document.adoptNode(page.querySelector('.post-panes'))
  panes().replaceWith(next)
  document.title = page.title
  for (const link of document.querySelectorAll('footer [rel="alternate"]'))
    link.href = page.querySelector('footer [rel="alternate"]')?.href ?? link.href
  next.dispatchEvent(new CustomEvent('post:swapped', { bubbles: true }))
  ready()
  const list = next.querySelector('.post-panes__list')
  if (list) list.scrollTop = place
  scrollTo(0, scroll)
  focusAfter(focus ?? left)
}

/** What was done comes first, then what was asked for; coming back to a list, the letter that was open. */
function focusAfter(letter) {
  const said = main().querySelector('.post-done, .govuk-error-summary')
  const row = letter && !panes().classList.contains('post-panes--letter') && rowOf(letter)
  if (row) return row.focus({ preventScroll: true })
  const target = said ?? main().querySelector('h1')
  if (!target) return
  target.setAttribute('tabindex', '-1')
  target.focus({ preventScroll: true })
}

const rows = () => [...document.querySelectorAll('.post-list--cards .post-list__subject a')]
const rowOf = (path) => rows().find(({ pathname }) => pathname === path)

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('.post-panes a[href]')
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
  if (!link || !isPlain || event.defaultPrevented || link.origin !== location.origin || !ofMailbox.test(link.pathname)) return
  if (link.hasAttribute('download') || link.hash) return
  event.preventDefault()
  show(link.href)
})

document.addEventListener('submit', (event) => {
  const form = event.target
  // To another address, and what comes is a file.
  if (event.submitter?.hasAttribute('formaction')) return
  const { pathname } = new URL(form.action, location.href)
  if (event.defaultPrevented || !['/filing', '/filing/undo'].includes(pathname) || event.submitter?.value === 'erase') return
  event.preventDefault()
  send(form, new FormData(form, event.submitter))
})

let isSending = false
async function send(form, data) {
  // A second click is not a second wish.
  if (isSending) return
  isSending = true
  try {
    await show(form.action, { options: { method: 'POST', body: new URLSearchParams(data) } })
  } finally {
    isSending = false
  }
}

history.scrollRestoration = 'manual'
addEventListener('popstate', ({ state }) => {
  if (panes() && ofMailbox.test(location.pathname)) show(location.href, { history: 'none', scroll: state?.scroll ?? 0 })
  else location.reload()
})

/** What a script adds to a list: all at once, and how many. */
function ready() {
  const all = document.querySelector('[data-choose-all]')
  if (!all) return
  all.hidden = false
  const box = all.querySelector('input')
  box.addEventListener('change', () => {
    for (const each of boxes()) each.checked = box.checked
    count()
  })
  document.querySelector('.post-list--cards').addEventListener('change', count)
  count()
}
const boxes = () => [...document.querySelectorAll('input[name="letters"]')]
function count() {
  const chosen = boxes().filter(({ checked }) => checked).length
  const said = document.querySelector('[data-chosen]')
  said.hidden = chosen === 0
  said.textContent = `${said.dataset.chosen} ${chosen}`
  const box = document.querySelector('[data-choose-all] input')
  box.checked = chosen > 0 && chosen === boxes().length
  box.indeterminate = chosen > 0 && !box.checked
}

let refreshes = 0
/** Brings the list and the counts up to date, and leaves alone what is read or written. */
async function refresh() {
  const shown = panes()
  if (!shown || isSending) return
  refreshes += 1
  const turn = refreshes
  const found = await fetchPage(
    shown.classList.contains('post-panes--letter')
      ? shown.dataset.list
      : location.href.replace(/([?&])(done|left|unopened|undone|erased)=[^&]*/g, '$1'),
  ).catch(() => undefined)
  // Asked once more meanwhile: that answer is newer.
  if (!found || panes() !== shown || turn !== refreshes) return
  const { page } = found
  // A letter that is being read is left alone.
  if (isOfAnotherMailbox(page)) return isLetter() ? undefined : location.reload()
  const unread = (within) => Number(within.querySelector('.post-folders')?.dataset.unread ?? 0)
  const isNew = unread(page) > unread(document)
  const chosen = new Set(
    boxes()
      .filter(({ checked }) => checked)
      .map(({ value }) => value),
  )
  const open = shown.querySelector('.post-list__item--open a')?.pathname
  const focused = document.activeElement
  const wasOn = focused && { path: focused.pathname, value: focused.name === 'letters' ? focused.value : undefined }
  // Somebody is choosing a folder in the list's own form.
  if (focused?.closest?.('.post-listing .post-bar')) return later()
  for (const part of ['.post-folders', '.post-due-place', '.post-listing']) {
    const [old, next] = [shown.querySelector(part), page.querySelector(part)]
    if (old && next) old.replaceWith(document.adoptNode(next))
  }
  shown.dataset.state = page.querySelector('.post-panes').dataset.state
  if (!shown.classList.contains('post-panes--letter')) document.title = page.title
  else asListBeside(open)
  for (const box of boxes()) box.checked = chosen.has(box.value)
  ready()
  if (wasOn?.value)
    boxes()
      .find(({ value }) => value === wasOn.value)
      ?.focus({ preventScroll: true })
  else if (wasOn?.path && !focused.isConnected)
    [...shown.querySelectorAll('.post-folders a, .post-listing a')]
      .find(({ pathname }) => pathname === wasOn.path)
      ?.focus({ preventScroll: true })
  if (isNew) says.textContent = shown.dataset.newPost
  await refreshLetter()
}

/** What is done with the open letter, and what it asks to do. Not in another's mailbox, whose owner is told of each time that it is read. */
async function refreshLetter() {
  const shown = panes()
  if (!isLetter() || document.querySelector('.post-mailbox-open')) return
  const found = await fetchPage(`${location.pathname}?again`).catch(() => undefined)
  if (!found || panes() !== shown || isSending) return
  for (const name of ['.post-letter-place', '.post-actions']) {
    const [part, next] = [shown.querySelector(name), found.page.querySelector(name)]
    // Somebody is choosing a folder just now.
    if (part && next && !part.querySelector('details[open]')) replaceIn(part, next)
  }
}

/** In the list's own page no letter is open. */
function asListBeside(open) {
  const link = open && rowOf(open)
  link?.setAttribute('aria-current', 'true')
  link?.closest('.post-list__item').classList.add('post-list__item--open')
}

let waiting
function later(ms = 2_000) {
  clearTimeout(waiting)
  waiting = setTimeout(refresh, ms)
}

watch(
  () => panes()?.dataset.state,
  () => later(50),
)

// What is opened over the list closes again without being asked.
document.addEventListener('keydown', ({ key, target }) => {
  const menu = key === 'Escape' && target.closest?.('.post-bar__more[open]')
  if (!menu) return
  menu.open = false
  menu.querySelector('summary').focus()
})
document.addEventListener('click', ({ target }) => {
  for (const menu of document.querySelectorAll('.post-bar__more[open]')) if (!menu.contains(target)) menu.open = false
})

// Keys. They can be switched off, as somebody who speaks to their machine may set them off without meaning to.
const memory = 'post-shortcuts-off'
const isOff = () => {
  try {
    return localStorage.getItem(memory) === 'yes'
  } catch {
    return false
  }
}
function switchOff(off) {
  try {
    localStorage.setItem(memory, off ? 'yes' : 'no')
  } catch {}
}

const isLetter = () => panes()?.classList.contains('post-panes--letter')
/** The letter that is open; or, of a list, the one whose row has the focus. */
function current() {
  const focused = document.activeElement?.closest?.('.post-list__item')?.querySelector('.post-list__subject a')
  return focused ?? (isLetter() ? document.querySelector('.post-list__item--open .post-list__subject a') : undefined)
}
function step(by) {
  const all = rows()
  const at = all.indexOf(current())
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by]
  if (!next) return
  if (isLetter()) return void show(next.href)
  next.focus()
}
/** Presses the button of the letter's own form, or files the letters that are chosen, or that with the focus. */
function file(...whats) {
  const form = document.querySelector(isLetter() ? '.post-filing--letter' : '.post-filing')
  const button = form && whats.map((what) => form.querySelector(`button[value="${what}"]`)).find(Boolean)
  if (!button) return
  const data = new FormData(form, button)
  if (!isLetter() && !data.has('letters')) {
    const letter = current()
    if (!letter) return
    data.set('letters', letter.pathname.split('/').at(-1))
    if (button.value === 'flag' && letter.closest('.post-list__item').querySelector('.post-flag')) data.set('what', 'unflag')
  }
  send(form, data)
}
const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: () => current() && !isLetter() && show(current().href),
  e: () => file('archive'),
  '#': () => file('bin'),
  u: () => file('unread'),
  s: () => file('flag', 'unflag'),
  '/': () =>
    document.querySelector('#find')?.offsetParent ? document.querySelector('#find').focus() : location.assign('/search'),
  '?': () => help(),
}
document.addEventListener('keydown', (event) => {
  const { key, target } = event
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return
  if (target.closest?.('input:not([type="checkbox"]), select, textarea, dialog, [contenteditable]')) return
  if (!Object.hasOwn(keys, key) || !panes() || (isOff() && key !== '?')) return
  event.preventDefault()
  keys[key]()
})

/** Which keys there are, from their own page, and the switch. */
async function help() {
  const page = new DOMParser().parseFromString(await (await fetch('/shortcuts')).text(), 'text/html')
  const content = page.querySelector('.post-shortcuts')
  if (!content) return location.assign('/shortcuts')
  const dialog = document.createElement('dialog')
  dialog.className = 'post-dialog'
  const heading = content.querySelector('h1')
  heading.id = 'post-shortcuts-title'
  dialog.setAttribute('aria-labelledby', heading.id)
  dialog.append(document.adoptNode(content))
  const close = button(content.dataset.close, () => dialog.close())
  addSwitch(content)
  content.append(close)
  document.body.append(dialog)
  dialog.addEventListener('close', () => dialog.remove())
  dialog.showModal()
}
function button(text, act) {
  const made = document.createElement('button')
  made.type = 'button'
  made.className = 'govuk-button govuk-button--secondary'
  made.textContent = text
  made.addEventListener('click', act)
  return made
}
function addSwitch(content) {
  const { on, off } = content.dataset
  const toggle = button(isOff() ? on : off, () => {
    switchOff(!isOff())
    toggle.textContent = isOff() ? on : off
  })
  content.append(toggle, ' ')
}

const own = document.querySelector('.post-shortcuts')
if (own) addSwitch(own)
ready()
