import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { problems } from '../../problems.ts'
import { registerDocs } from './reference.ts'

const letter = {
  type: 'object',
  required: ['reference', 'content'],
  properties: {
    reference: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[^\\u0000]*$', description: 'Your own `reference`.' },
    content: {
      type: 'array',
      minItems: 1,
      maxItems: 10,
      items: {
        type: 'object',
        required: ['language'],
        properties: {
          language: { type: 'string', pattern: '^[a-z]{2}$' },
          role: { anyOf: [{ const: 'main' }, { enum: ['additional'] }] },
        },
      },
    },
    by: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
  },
}

function openApi() {
  return {
    openapi: '3.1.0',
    info: { title: 'The API', version: '1', description: 'Send <b>post</b>.' },
    tags: [{ name: 'Messages', description: 'Send, and see.' }],
    components: {
      schemas: { Letter: letter },
      securitySchemes: {
        system: { type: 'oauth2', flows: { clientCredentials: { scopes: { 'messages:write': 'Send messages.' } } } },
      },
    },
    paths: {
      '/v1/messages': {
        post: {
          operationId: 'sendMessage',
          tags: ['Messages'],
          summary: 'Send a message',
          security: [{ system: ['messages:write'] }],
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Letter' } } } },
          responses: {
            200: { description: 'Default Response', content: { 'application/json': { schema: letter } } },
            201: { description: 'Default Response', content: { 'application/json': { schema: letter } } },
            409: { description: 'The reference was used.' },
          },
        },
      },
      '/v1/events': {
        get: {
          operationId: 'getEvents',
          summary: 'What has happened',
          parameters: [
            {
              name: 'wait',
              in: 'query',
              required: true,
              description: 'Seconds.',
              schema: { type: 'integer', minimum: 0, maximum: 30, default: 0 },
            },
          ],
          responses: { 204: { description: 'Nothing.' } },
        },
      },
    },
  }
}

async function getDocs(demo = true) {
  let asked = 0
  const app = fastify()
  registerDocs(app, {
    openApi: () => {
      asked++
      return openApi()
    },
    config: { baseUrl: 'https://post.example', demo, serviceName: 'Digital Post' },
  })
  await app.inject('/docs')
  const answer = await app.inject('/docs')
  await app.close()
  assert.equal(answer.statusCode, 200)
  const text = answer.body.replaceAll('<wbr>', '')
  return { asked, html: answer.body, text: text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ') }
}

test('The documentation shows each operation with its method, address, scope, fields and answers', async () => {
  const { html, text, asked } = await getDocs()
  assert.equal(asked, 1, 'the description is asked for once')
  const operation = text.slice(text.lastIndexOf('Send a message'), text.lastIndexOf('All scopes'))
  for (const words of [
    'POST /v1/messages Scope: messages:write',
    'reference text, needed Your own reference . 1 to 128 characters',
    'content list of objects, needed 1 to 10 entries',
    'content[].language text, needed Form: ^[a-z]{2}$',
    'content[].role word One of main or additional',
    'by date and time, or null',
    'Answer 200 or 201',
    '409 : The reference was used.',
    'GET /v1/events',
    'wait whole number, in the query Seconds. At most 30 Default: 0',
    '204 : Nothing.',
  ]) {
    assert.ok(operation.includes(words), `${words}\n${operation}`)
  }
  assert.match(text, /messages:write Send messages\./)
  assert.match(html, /<h3[^>]* id="send-message"/)
})

test('The documentation’s table of problems holds every problem', async () => {
  const { text } = await getDocs()
  for (const [code, [status, advice]] of Object.entries(problems)) assert.ok(text.includes(`${code} ${status}, ${advice}.`), code)
})

test('Every link within the documentation leads somewhere, and no anchor is there twice', async () => {
  const { html } = await getDocs()
  const anchors = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  assert.equal(new Set(anchors).size, anchors.length)
  const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
  assert.ok(links.includes('send-message') && links.includes('get-events'))
  assert.deepEqual(
    links.filter((link) => !anchors.includes(link)),
    [],
  )
})

test('The documentation shows what the description says as text, and needs no script', async () => {
  const { html } = await getDocs()
  assert.ok(html.includes('Send &lt;b&gt;post&lt;/b&gt;.'))
  assert.doesNotMatch(html, / style=| on\w+=|<script(?! type="module" src)/)
})

test('The documentation gives the demo’s secret in a demo only', async () => {
  const inDemo = await getDocs(true)
  assert.ok(inDemo.html.includes('demo-sender:demo-sender-secret'))
  assert.ok(inDemo.html.includes('https://post.example/oauth/token'))
  const outside = await getDocs(false)
  assert.ok(!outside.html.includes('demo-sender'))
  assert.ok(outside.html.includes('client_assertion'))
})
