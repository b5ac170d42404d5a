import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { filesMax, mediaTypes, messageBytesMax, sharedBytesMax } from '../../documents/document.ts'
import { type MessageEventType, messageEventTypes } from '../../evidence/events.ts'
import { Problem, problems } from '../../problems.ts'
import { sendPage } from '../page.ts'
import { listChapters, listScopes, type OpenApi } from './operations.ts'

export type DocsOptions = {
  /** The description of the API; asked for once, at the first request, when all routes are there. */
  openApi: () => object
  config: Pick<Config, 'baseUrl' | 'demo' | 'serviceName'>
}

/** Opens `/docs`: how to use the API, and every operation as the OpenAPI document describes it. */
export function registerDocs(app: FastifyInstance, { openApi, config }: DocsOptions): void {
  let data: ReturnType<typeof describe> | undefined
  app.get('/docs', { schema: { hide: true } }, async (request, reply) => {
    data ??= describe(openApi() as OpenApi, config)
    return sendPage(request, reply, 'docs/reference', data)
  })
}

const eventsInWords: Record<MessageEventType, string> = {
  'message.accepted': 'We keep the message. It is never lost from then on.',
  'message.rejected': 'A submission was refused, and its answer said why. There is no message of this id but its evidence.',
  'message.available': 'It can be read in the mailbox: the legal moment of delivery.',
  'message.opened': 'The recipient opened it. Told once, with the time of the first opening.',
  'message.handed-over':
    'The bytes of a document were given to the recipient, or to somebody whom they let in. Told once for each file and person.',
  'message.action':
    'The recipient did, began or declined something that it asks to do. The event names the action and its new state; told for each change.',
  'message.answered': 'The recipient answered it; told for each answer. The answer is in your inbox.',
  'message.recalled': 'You took it back before it was opened.',
  'message.failed': 'It was to be available later, and its recipient could not be reached any more when the time came.',
}

const adviceInWords = [
  { name: 'fix', meaning: 'The request is wrong. Sending it again as it is will never work.' },
  { name: 'retry', meaning: 'The same request may work later. Wait, longer each time, and send it again.' },
  { name: 'other-channel', meaning: 'This recipient cannot be reached here. Use another way, such as paper.' },
]

function describe(openApi: OpenApi, { baseUrl, demo, serviceName }: DocsOptions['config']) {
  return {
    title: 'API for senders',
    serviceName,
    introduction: openApi.info?.description ?? '',
    baseUrl,
    demo,
    client: demo
      ? { id: 'demo-sender', secret: 'demo-sender-secret', service: 'council-tax', recipient: 'CT-1001' }
      : { id: 'your-client-id', secret: undefined, service: 'your-service', recipient: 'the-identifier' },
    chapters: listChapters(openApi),
    scopes: listScopes(openApi),
    events: messageEventTypes.map((type) => ({ name: type, meaning: eventsInWords[type] })),
    advice: adviceInWords,
    problems: Object.entries(problems)
      .map(([name, [status, advice, sentence]]) => ({ name, status, meaning: `${status}, ${advice}. ${sentence}` }))
      .sort((a, b) => a.status - b.status),
    problemExample: JSON.stringify(new Problem('body-invalid', [{ field: '/subject', message: 'This is needed.' }]), null, 2),
    limits: { megabytes: messageBytesMax / 1024 / 1024, sharedMegabytes: sharedBytesMax / 1024 / 1024, files: filesMax },
    mediaTypes: Object.entries(mediaTypes).map(([mediaType, endings]) => ({
      name: mediaType,
      meaning: `Name ends in ${endings.map((ending) => `.${ending}`).join(' or ')}`,
    })),
  }
}
