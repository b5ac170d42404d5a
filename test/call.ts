// biome-ignore lint/suspicious/noExplicitAny: what a test asserts of an answer is what says its shape.
export type Answer = { status: number; headers: Headers; body: any }

/** One call of the API, as a sender's system makes it. */
export async function callApi(
  server: { baseUrl: string },
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(server.baseUrl + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}
