import { sendLines } from '../src/api/client/send-lines.ts'
import { callApi } from './call.ts'
import { takeToken } from './server.ts'

/** As the demo's council sends them: twelve letters to Rosa, in a batch that is held and still open. Answers its id. */
export async function holdLetters(server: { baseUrl: string }): Promise<string> {
  const token = await takeToken(server)
  const batch = { service: 'council-tax', name: 'Bills of the autumn', hold: true }
  const { id } = (await callApi(server, token, 'PUT', '/v1/batches/autumn', batch)).body as { id: string }
  const file = { filename: 'how-to-pay.txt', mediaType: 'text/plain', content: Buffer.from('Pay here.').toString('base64') }
  const lines = Array.from({ length: 12 }, (_, place) => {
    const letter = {
      reference: `autumn-${place}`,
      recipient: { scheme: 'link', value: 'CT-1001' },
      subject: 'Your autumn bill',
      content: [
        {
          language: 'en',
          body: `Dear Rosa Example\n\nYou are to pay **£${100 + place}** by 1 December. This is for the autumn.`,
        },
        { language: 'cy', subject: 'Eich bil hydref', body: `Rydych i dalu **£${100 + place}** erbyn 1 Rhagfyr.` },
      ],
      documents: [{ role: 'additional', files: [file] }],
      actions: [{ kind: 'confirm', label: { en: 'Confirm who lives with you' } }],
    }
    return `${JSON.stringify(letter)}\n`
  })
  for await (const { problem } of sendLines(`${server.baseUrl}/v1/batches/${id}/messages`, token, lines))
    if (problem) throw new Error(problem.detail)
  return id
}
