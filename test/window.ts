import type { LightMyRequestResponse } from 'fastify'
import type { Pages, Reader } from './pages.ts'

/** A window of a browser that is signed in: it keeps its page, and so the page's form. */
export type Window = {
  get: (url: string) => Promise<LightMyRequestResponse>
  /** Sends a form of the page that is shown. Fields that a name has several of are arrays. */
  submit: (action: string, fields?: Record<string, string | string[]>) => Promise<LightMyRequestResponse>
  /** The same, and where it leads. */
  submitAndFollow: (action: string, fields?: Record<string, string | string[]>) => Promise<LightMyRequestResponse>
  /** Sends what a form with files is encoded to. */
  send: (action: string, type: string, payload: Buffer) => Promise<LightMyRequestResponse>
  /** One more, in the same browser. */
  another: () => Window
}

export async function openWindow(pages: Pages, reader: Reader): Promise<Window> {
  const cookie = (await pages.signIn(reader))!
  const open = (): Window => {
    let shown = ''
    const headers = { cookie: `${cookie.name}=${cookie.value}` }
    const show = (answer: LightMyRequestResponse) => {
      if (answer.headers['content-type']?.toString().startsWith('text/html')) shown = answer.body
      return answer
    }
    const get: Window['get'] = async (url) => show(await pages.app.inject({ url, headers }))
    const submit: Window['submit'] = async (action, fields = {}) => {
      const csrf = /name="csrf" value="([^"]*)"/.exec(shown)?.[1] ?? ''
      const pairs = Object.entries({ csrf, ...fields }).flatMap(([name, value]) =>
        [value].flat().map((each) => [name, each] as [string, string]),
      )
      const payload = new URLSearchParams(pairs).toString()
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return show(await pages.app.inject({ method: 'POST', url: action, headers: { ...headers, ...type }, payload }))
    }
    return {
      get,
      submit,
      submitAndFollow: async (action, fields) => {
        const answer = await submit(action, fields)
        return answer.statusCode === 303 ? get(answer.headers.location as string) : answer
      },
      send: async (url, type, payload) =>
        show(await pages.app.inject({ method: 'POST', url, headers: { ...headers, 'content-type': type }, payload })),
      another: open,
    }
  }
  return open()
}
