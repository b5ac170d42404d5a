import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { wrongField } from '../src/problems.ts'
import { readWords, translate } from '../src/web/words.ts'
import { wordsOf } from './page-words.ts'
import { failures, fieldFaults, missing, rowFaults } from './reasons.ts'
import { isWrongDoor, listQuestions, type Question } from './rights-matrix/ask.ts'
import { persons, registrars, staff } from './rights-matrix/callers.ts'
import { buildWorld, type World } from './rights-matrix/world.ts'

/** For systems, for their developers, and what stands in for somebody else’s pages: in English. */
const notForPeople =
  /^\/(v1|oauth|log|demo|demo-service|one-login|one-login-stand-in|staff-stand-in|assets|health|openapi\.json|docs|linking\/jwks\.json|\.well-known)([/?]|$)/

/** Letters have a language of their own; subjects, names and what was typed are shown as they are. */
const isNotOurs = (attributes: string) => /\bclass="[^"]*\b(post-subject|post-reference|post-letter__text)\b/.test(attributes)

/** Every piece of words/, cut where HTML or a value stands in it, as a pattern for a whole piece of a page. */
function patternsOf(words: Record<string, unknown>): string[] {
  return Object.values(words).flatMap((value) =>
    typeof value === 'string' ? value.split(/<[^>]+>/) : patternsOf(value as Record<string, unknown>),
  )
}
const letters = (pattern: string) => pattern.replace(/\{\{.*?\}\}|\P{L}/gu, '').length
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const welsh = new Set(patternsOf(readWords('cy')).map((pattern) => pattern.trim()))
const english = patternsOf(readWords('en'))
  .map((pattern) => pattern.trim())
  .filter((pattern) => letters(pattern) > 2 && !welsh.has(pattern))
const wholes = new Set(english.filter((pattern) => !pattern.includes('{{')))
const withGaps = english
  .filter((pattern) => pattern.includes('{{') && letters(pattern) > 6)
  .map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split(/\{\{.*?\}\}/)
          .map(escaped)
          .join('.+')}$`,
      ),
  )

/** Frequent in English, and no words of Welsh. */
const englishWords = /\b(the|and|you|your|with|this|that|from|not|have|which|was|been|of|for|it)\b/i

describe('in Welsh', () => {
  let world: World
  let names: string[]
  before(async () => {
    world = await buildWorld()
    await giveReasons(world)
    await refuseLetter(world.test.owner)
    await lackAttestation(world.test.owner)
    const rows = await world.test.owner<{ name: string }[]>`
      select name from party union select name from service union select subject from message union select holder_name from access_grant
      union select offered_by_name from access_grant union select by_name from look union select reason from look union select reason from registration_change
      union select added_by_name from client_key union select by_name from client_change union select by_name from staff_change
      union select name->>'en' from contact_point union select name->>'en' from contact_group
      union select description from service union select description from organisation
      union select description->>'en' from contact_point union select description->>'en' from contact_group
      union select field->>'label' from message, jsonb_array_elements(contact->'fields') as field`
    names = rows
      .map(({ name }) => name)
      .filter(Boolean)
      .sort((a, b) => b.length - a.length)
  })
  after(() => world.stop())

  /** What is English on the page, as far as it is our own words. */
  const englishOn = (body: string): string[] =>
    wordsOf(body, 'cy', isNotOurs).flatMap(({ words, where }) => {
      const own = names.reduce((text, name) => text.replaceAll(name, '…'), words)
      const isOurs = (wholes.has(words) && !names.includes(words)) || withGaps.some((pattern) => pattern.test(words))
      return isOurs || englishWords.test(own) ? [`“${words}” (${where})`] : []
    })

  const askInWelsh = async ({ caller, method, address, as }: Pick<Question, 'caller' | 'method' | 'address' | 'as'>) => {
    await world.signedIn.reopen(caller)
    const { cookie = '', ...headers } = world.signedIn.headersOf(caller)
    // Of forms those that lack what they need: what is wrong is said in Welsh too.
    const csrf = world.signedIn.formTokenOf(caller)
    const form = method === 'POST' ? { ...formOf(as, { csrf }) } : undefined
    const answer = await world.app.inject({
      method,
      url: address,
      headers: { ...headers, ...form?.headers, cookie: `${cookie}; language=cy` },
      ...(form ? { payload: form.payload } : {}),
    })
    const isPage = String(answer.headers['content-type']).startsWith('text/html')
    return { isPage, body: answer.body, status: answer.statusCode }
  }

  const readers: readonly string[] = [...persons, ...staff, ...registrars]
  const isForReaders = ({ address, caller, expected }: Question) =>
    !notForPeople.test(address) &&
    (expected === undefined ? caller === 'rosa' || caller === 'lookupSystem' : readers.includes(caller) && !isWrongDoor(expected))

  const look = async (questions: readonly Question[]) => {
    const found: string[] = []
    let pages = 0
    for (const question of questions) {
      const { isPage, body, status } = await askInWelsh(question)
      if (!isPage) continue
      const { method, address, caller, thing } = question
      const name = `${method} ${address} (${caller}, ${thing.name}, ${status})`
      pages++
      if (!body.includes('<html lang="cy"')) found.push(`${name}: the page does not say that it is in Welsh`)
      found.push(...englishOn(body).map((words) => `${name}: ${words}`))
    }
    return { found: [...new Set(found)], pages }
  }

  test('a row that is wrong has its reason, on the page and in the file, and so has a webhook that failed', async () => {
    const [mailing] = await world.test.owner<{ id: string }[]>`select id from mailing where state = 'refused'`
    const ask = async (caller: Question['caller'], address: string) =>
      (await askInWelsh({ caller, method: 'GET', address, as: 'fields' })).body
    const page = await ask('parkingStaff', `/department/mailings/${mailing!.id}`)
    const file = await ask('parkingStaff', `/department/mailings/${mailing!.id}/errors.csv`)
    const t = translate('cy')
    const schemes: Record<string, string> = { nino: 'Rhif Yswiriant Gwladol', 'nhs-number': 'Rhif GIG' }
    for (const fault of rowFaults) {
      const named = 'scheme' in fault ? { scheme: schemes[fault.scheme] } : {}
      const max = 'max' in fault ? { max: fault.max.toLocaleString('en-GB') } : {}
      const words = t(`staff-mailings:row-faults.${fault.code}`, { ...fault, ...named, ...max })
      assert.ok(page.includes(`>${words}<`), `“${words}” is not on the page`)
      assert.ok(file.includes(words.includes(',') ? `"${words}"` : `,${words}`), `“${words}” is not in the file`)
    }
    assert.match(file, /^\ufeffrhes,colofn,beth sydd o’i le\r\n/)
    const paper = await ask('parkingStaff', `/department/mailings/${mailing!.id}/paper.csv`)
    assert.match(paper, /^\ufeffrhes,pam,identifier scheme,/)
    assert.ok(paper.includes(t('problems:recipient-not-found')))
    const webhook = await ask('staff', '/department/webhooks/council-tax')
    for (const failure of failures) {
      const words = t(`staff-webhooks:failure.${failure.code}`, failure)
      assert.ok(webhook.includes(`${words} `), `“${words}” is not on the page`)
    }
    assert.deepEqual([...englishOn(page), ...englishOn(webhook)], [])
  })

  test('a letter of a batch that is refused has its reason at each field, in English only where nothing else was written down', async () => {
    const [batch] = await world.test.owner<{ id: string }[]>`
      select id from batch where sender_id = (select id from service where slug = 'parking')`
    const page = (
      await askInWelsh({ caller: 'parkingStaff', method: 'GET', address: `/department/batches/${batch!.id}`, as: 'fields' })
    ).body
    const said = [...page.matchAll(/<code>\/field<\/code>: ([^<]+)</g)].map(([, words]) => words)
    assert.equal(new Set(said).size, fieldFaults.length, 'each in words of its own')
    for (const words of [
      'Rhaid i hwn fod yn un o’r canlynol: &quot;main&quot;, &quot;additional&quot; neu &quot;technical&quot;.',
      'Mae digid gwirio’r rhif hwn yn anghywir (Rhif GIG).',
    ])
      assert.ok(said.includes(words), `“${words}” is not on the page`)
    const file = (
      await askInWelsh({
        caller: 'parkingStaff',
        method: 'GET',
        address: `/department/batches/${batch!.id}/errors.csv`,
        as: 'fields',
      })
    ).body
    assert.match(file, /^\ufeffllinell,cyfeirnod,cod,cyngor,manylion,meysydd\r\n/)
    assert.match(
      file,
      /,body-invalid,fix,Nid yw’r cais yn cyd-fynd â’i sgema\. [^,]*,"\/field: Mae angen hwn\. .*\/before: This must not be empty\."/,
    )
    assert.match(page, /<code>\/before<\/code>: <span lang="en">This must not be empty\.<\/span>/)
    assert.deepEqual(englishOn(page), [])
  })

  test('what is missing to vouch for the log is said, and in English only what is wrong with a time stamp', async () => {
    const page = (await askInWelsh({ caller: 'rosa', method: 'GET', address: '/status', as: 'fields' })).body
    for (const one of missing) {
      const words = translate('cy')(`status:missing-because.${one.code}`, one)
      assert.ok(page.includes(`${words} `), `“${words}” is not on the page`)
    }
    assert.deepEqual(page.match(/(?<=<span lang="en">)[^<]+/g), ['The time-stamp is for other data.'])
    assert.deepEqual(englishOn(page), [])
  })

  const doors = [
    { whose: 'people', addresses: /^\/(?!(department|registrar)([/?]|$))/, read: 100, sent: 50 },
    { whose: 'staff', addresses: /^\/department([/?]|$)/, read: 100, sent: 50 },
    { whose: 'registrars', addresses: /^\/registrar([/?]|$)/, read: 30, sent: 10 },
  ]
  for (const { whose, addresses, read, sent } of doors) {
    test(`every page for ${whose} says nothing in English, nor does a refusal or an error`, { timeout: 1_800_000 }, async (t) => {
      const questions = listQuestions(world).filter((question) => addresses.test(question.address) && isForReaders(question))
      const first = <T>(several: T[]) => several.slice(0, 1)
      // Of each route what each caller is answered in each way, once.
      const kinds = Map.groupBy(questions, ({ route, caller, expected }) => [route, caller, expected].join())
      const asked = [...kinds.values()].flatMap(first)
      const reading = await look(asked.filter(({ method }) => method === 'GET'))
      const sending = await look(asked.filter(({ method, turn }) => method === 'POST' && turn === 0))
      t.diagnostic(`${reading.pages} pages read, ${sending.pages} that a form led to`)
      const found = [...reading.found, ...sending.found]
      assert.ok(reading.pages > read && sending.pages > sent)
      assert.ok(found.length === 0, `These are in English:\n  ${found.slice(0, 80).join('\n  ')}\n  ${found.length} in all`)
    })
  }
})

/** One mailing is refused for everything that can be wrong with a row, and one webhook has failed in every way. */
async function giveReasons({ test: { owner } }: World): Promise<void> {
  const faults = rowFaults.map((fault, place) => ({ row: place + 10, fault }))
  await owner`
    insert into mailing_error (sender_id, file_id, row, ordinal, fault)
    select sender_id, file_id, wrong.row, 0, wrong.fault
    from mailing, jsonb_to_recordset(${owner.json(faults)}) as wrong (row integer, fault jsonb)
    where sender_id = (select id from service where slug = 'parking')`
  await owner`update mailing set state = 'refused' where sender_id = (select id from service where slug = 'parking')`
  await owner`
    insert into webhook_delivery (service_id, position, event_id, message_id, is_dead, due_at, tries, last_tried_at, failure)
    select sender_id, position, id, message_id, true, at, 12, at, failure from (
      select event.*, row_number() over (order by position) as place from event
      where sender_id = (select id from service where slug = 'council-tax')
    ) as event
    join jsonb_array_elements(${owner.json(failures)}) with ordinality as failed (failure, place) using (place)
    on conflict (service_id, position) do update set tries = excluded.tries, last_tried_at = excluded.last_tried_at, failure = excluded.failure`
}

/** The log lacks what should vouch for it, for every reason, since longer than it may. */
async function lackAttestation(owner: World['test']['owner']): Promise<void> {
  const at = new Date('2026-01-01T10:00:00Z')
  await owner`
    update log_checkpoint set at = ${at}, missing = 'In English', missing_codes = ${owner.json(missing)}, ask_again_at = ${at}`
}

/** One letter of a batch for everything that can be wrong with a field. One was refused before there were codes. */
async function refuseLetter(owner: World['test']['owner']): Promise<void> {
  const before = { field: '/before', message: 'This must not be empty.' }
  const fields = [...fieldFaults.map((fault) => wrongField('/field', fault)), before]
  await owner`
    update batch_error set code = 'body-invalid', fields = ${owner.json(fields as never)}
    where sender_id = (select id from service where slug = 'parking')`
}

function formOf(as: Question['as'], fields: Record<string, string>) {
  if (as !== 'multipart') {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return { headers, payload: new URLSearchParams(fields).toString() }
  }
  const boundary = 'form'
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    payload: `${parts.join('')}--${boundary}--\r\n`,
  }
}
