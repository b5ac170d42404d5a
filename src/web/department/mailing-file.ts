import type { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import { findMailing } from '../../delivery/find-mailings.ts'
import { type Fault, FileFault, fileBytesMax } from '../../delivery/read-csv.ts'
import { listSchemes, stageFile } from '../../delivery/stage-file.ts'
import { Problem } from '../../problems.ts'
import { LetterParams as MailingParams } from '../address.ts'
import { toLine } from '../form.ts'
import type { FieldError, Surroundings } from '../page.ts'
import { checkFormToken } from '../session.ts'
import { type Translate, wordsFor } from '../words.ts'
import { type FileDraft, sendMailingPage } from './mailing-page.ts'

const folder = '/department/mailings'

/** Takes the spreadsheet of a mailing, and reads it as it comes. */
export function mailingFilePages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.post(`${folder}/:id/file`, { schema: { params: MailingParams }, config: { isLong: true } }, async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'messages:write')
    const { id } = request.params
    if (!request.isMultipart()) throw new Problem('form-expired')
    const { fields, file } = await readUntilFile(request)
    const draft: FileDraft = { scheme: toLine(fields.get('scheme')) || 'link', severalAllowed: fields.has('severalAllowed') }
    const t = wordsFor(request)
    try {
      const mailing = await findMailing(database, actor, id)
      if (!servicesFor(actor, 'messages:write')?.includes(mailing.senderId)) throw new Problem('not-found')
      const refuse = (errors: FieldError[]) => sendMailingPage(request, reply, surroundings, id, { errors, file: draft })
      if (!(await listSchemes(database, mailing.senderId)).includes(draft.scheme))
        return await refuse([{ field: 'scheme', text: t('staff-mailings:form.scheme-missing') }])
      if (file === undefined) return await refuse([{ field: 'file', text: t('staff-mailings:form.file-missing') }])
      try {
        await stageFile(database, keys, actor, id, { ...draft, bytes: file.iterator({ destroyOnReturn: false }) }, clock())
      } catch (error) {
        if (!(error instanceof FileFault)) throw error
        // What is left of it is read, so that the browser gets to see our answer.
        file.resume()
        return await refuse([{ field: 'file', text: error.faults.map((fault) => faultInWords(fault, t)).join(' ') }])
      }
      return reply.redirect(`${folder}/${id}`, 303)
    } finally {
      file?.resume()
    }
  })
}

function faultInWords(fault: Fault, t: Translate): string {
  const max = 'max' in fault ? fault.max.toLocaleString('en-GB') : undefined
  return t(`staff-mailings:faults.${fault.code}`, { ...fault, max, howToSave: t('staff-mailings:how-to-save') })
}

type Started = {
  fields: ReadonlyMap<string, string>
  /** Undefined where none was chosen. */
  file: Readable | undefined
}

/** The fields of the form, which stand before its file, and the file when it begins to come. Refuses a form that is not ours. */
async function readUntilFile(request: FastifyRequest): Promise<Started> {
  const fields = new Map<string, string>()
  for await (const part of request.parts({ limits: { fileSize: fileBytesMax * 2 } })) {
    if (part.type === 'field') {
      fields.set(part.fieldname, String(part.value ?? ''))
      continue
    }
    try {
      checkFormToken(request, fields.get('csrf'))
    } catch (error) {
      part.file.resume()
      throw error
    }
    // A browser sends an empty nameless file where none was chosen.
    if (part.filename) return { fields, file: part.file }
    part.file.resume()
  }
  checkFormToken(request, fields.get('csrf'))
  return { fields, file: undefined }
}
