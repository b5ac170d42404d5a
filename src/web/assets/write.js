// A form that is kept as one goes. Without this, its buttons do the same.

const form = document.querySelector('form[data-post-draft]')
const words = form.dataset
const state = form.querySelector('[data-post-state]')
const waitMs = 1500
const retryMs = 15_000

let timer
let underWay = false
let isAgain = false
/** After a change elsewhere, or once the form is on its way, nothing more is saved by itself. */
let isOver = false
/** As the page came: what was typed before this script did is not saved yet. */
const asItCame = form.cloneNode(true)
asItCame.reset()
let saved = fingerprint(asItCame)

function fingerprint(of = form) {
  const data = new FormData(of)
  return JSON.stringify(
    [...data].filter(
      ([name, value]) => typeof value === 'string' && name !== 'draftVersion' && name !== 'csrf' && name !== 'owner',
    ),
  )
}

/** Polite: a screen reader says it when it has nothing else to say. */
function say(text) {
  if (state) state.textContent = text
}

function later(ms = waitMs) {
  clearTimeout(timer)
  timer = setTimeout(save, ms)
}

/** What the form holds, without its files, as if this button had been pressed. */
function dataFor(action) {
  const data = new FormData(form)
  data.delete('files')
  data.set('action', action)
  return data
}

async function save() {
  if (isOver || fingerprint() === saved) return
  if (underWay) {
    isAgain = true
    return
  }
  const now = fingerprint()
  const answer = await send(dataFor('autosave'), () => say(words.saving))
  if (answer?.ok) saved = now
}

/** One at a time: each says which version it has seen. Answers what became of it, or undefined where nothing did. */
async function send(data, begin, onProgress) {
  underWay = true
  begin()
  try {
    // The version may have been raised since the form was read.
    data.set('draftVersion', form.elements.draftVersion.value)
    const { status, body } = await post(data, onProgress)
    return take(status, body)
  } catch {
    say(words.notSaved)
    later(retryMs)
  } finally {
    underWay = false
    if (isAgain) {
      isAgain = false
      later()
    }
  }
}

/** XMLHttpRequest, as only it tells how far an upload is. */
function post(data, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    // Not form.action: its buttons are called that too.
    request.open('POST', form.getAttribute('action'))
    request.setRequestHeader('accept', 'application/json')
    request.responseType = 'json'
    request.timeout = 120_000
    if (onProgress) request.upload.addEventListener('progress', onProgress)
    request.addEventListener('load', () => resolve({ status: request.status, body: request.response }))
    for (const failed of ['error', 'timeout', 'abort']) request.addEventListener(failed, reject)
    request.send(data)
  })
}

/** Nothing is kept from here on: said where somebody writes, as they would not see it below the buttons. */
function stop(text) {
  isOver = true
  state?.classList.add('post-draft-state--over')
  const written = document.activeElement?.closest('[data-post-draft] .govuk-form-group')
  if (state && written) written.after(state)
  say(text)
  return { ok: false, errors: [] }
}

function take(status, body) {
  if (status === 401) return stop(words.signedOut)
  if (status === 409) return stop(words.changed)
  if (status === 404) return stop(words.gone)
  if (body === null || typeof body !== 'object') throw new Error('no answer')
  if (body.draft) {
    form.elements.draftVersion.value = body.version
    form.setAttribute('action', `/drafts/${body.draft}`)
    if (location.pathname !== `/drafts/${body.draft}`) history.replaceState(null, '', `/drafts/${body.draft}`)
  }
  if (body.files) showFiles(body.files)
  say(body.errors?.length ? body.errors.map(({ text }) => text).join('. ') : (body.saved ?? ''))
  return { ok: status === 200, errors: body.errors ?? [] }
}

// Files

const filesPart = form.querySelector('[data-post-files]')
const list = form.querySelector('[data-post-list]')

function showFiles(files) {
  if (!list) return
  const items = files.map(({ id, name, about, href }) => {
    const item = document.createElement('li')
    item.className = 'post-draft-files__item'
    const said = document.createElement('span')
    said.className = 'post-draft-files__name'
    const link = Object.assign(document.createElement('a'), { className: 'govuk-link', href, textContent: name })
    said.append(
      link,
      ' ',
      Object.assign(document.createElement('span'), { className: 'post-draft-files__about', textContent: about }),
    )
    const button = Object.assign(document.createElement('button'), {
      type: 'submit',
      name: 'action',
      value: `remove:${id}`,
      className: 'post-link-button',
    })
    button.dataset.postRemove = id
    button.append(
      words.remove,
      Object.assign(document.createElement('span'), { className: 'govuk-visually-hidden', textContent: ` ${name}` }),
    )
    item.append(said, button)
    return item
  })
  // What is wrong with another stays said.
  list.replaceChildren(...items, ...wrong())
}
const wrong = () => form.querySelectorAll('[data-post-wrong]')

/** Those that stay under way in turn: a new one waits for the one before. */
let queue = Promise.resolve()
let filesLeft = 0

function addFiles(files) {
  for (const row of wrong()) row.remove()
  filesLeft += files.length
  for (const file of files)
    queue = queue
      .then(() => addFile(file))
      .finally(() => {
        filesLeft -= 1
      })
}

async function addFile(file) {
  const row = document.createElement('li')
  row.className = 'post-draft-files__item'
  const bar = Object.assign(document.createElement('progress'), { max: 100, value: 0 })
  bar.setAttribute('aria-label', `${words.uploading} ${file.name}`)
  row.append(Object.assign(document.createElement('span'), { className: 'post-draft-files__name', textContent: file.name }), bar)
  list.append(row)
  if (file.size > Number(words.bytesMax)) return fail(row, `${file.name}: ${words.tooLarge}`)
  while (underWay) await new Promise((resolve) => setTimeout(resolve, 50))
  const data = dataFor('autosave')
  data.append('files', file)
  const now = fingerprint()
  const answer = await send(
    data,
    () => say(`${words.uploading} ${file.name}`),
    ({ loaded, total }) => {
      bar.value = (loaded / total) * 100
    },
  )
  if (answer?.ok) {
    saved = now
    say(`${words.added}: ${file.name}`)
  } else fail(row, answer?.errors.map(({ text }) => text).join('. ') || words.notSaved)
}

/** Beside the file, until others are chosen. */
function fail(row, text) {
  row.dataset.postWrong = ''
  row.querySelector('progress')?.remove()
  row.append(
    Object.assign(document.createElement('p'), { className: 'govuk-error-message post-draft-files__error', textContent: text }),
  )
  list.append(row)
  say(text)
}

if (filesPart) {
  const input = filesPart.querySelector('input[type=file]')
  const drop = filesPart.querySelector('[data-post-drop]')
  filesPart.classList.add('post-draft-files--script')
  drop.append(Object.assign(document.createElement('p'), { className: 'post-draft-files__hint', textContent: words.drop }))
  const addChosen = () => {
    addFiles([...input.files])
    input.value = ''
  }
  input.addEventListener('change', addChosen)
  // Chosen before this script was there.
  if (input.files.length > 0) addChosen()
  drop.addEventListener('dragover', (event) => {
    if (![...event.dataTransfer.types].includes('Files')) return
    event.preventDefault()
    drop.classList.add('post-draft-files__drop--over')
  })
  drop.addEventListener('dragleave', () => drop.classList.remove('post-draft-files__drop--over'))
  drop.addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('post-draft-files__drop--over')
    addFiles([...event.dataTransfer.files])
  })
  list.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-post-remove]')
    if (!button || isOver) return
    event.preventDefault()
    while (underWay) await new Promise((resolve) => setTimeout(resolve, 50))
    const answer = await send(dataFor(button.value), () => say(words.saving))
    if (!answer?.ok) return
    say(words.removed)
    // What was pressed is gone: on to the next thing that can be done with files.
    ;(list.querySelector('button') ?? input).focus()
  })
}

form.addEventListener('input', (event) => {
  if (event.target.type !== 'file') later()
})
if (fingerprint() !== saved) later()
let isWaiting = false
form.addEventListener('submit', async (event) => {
  clearTimeout(timer)
  if (!underWay && filesLeft === 0) {
    isOver = true
    return
  }
  // What is being saved raises the version that this says it has seen, and a file is part of it: it goes when they are there.
  event.preventDefault()
  if (isWaiting) return
  isWaiting = true
  const known = wrong().length
  while (underWay || filesLeft > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  isWaiting = false
  // Whoever sends it is told first what is not taken.
  if (wrong().length <= known) form.requestSubmit(event.submitter)
})
// Back by the button of the browser: the form is as it was, and goes on being kept.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})
// Whoever goes elsewhere in the middle of a word loses nothing.
addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') save()
})
