import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Listed, listFolder } from '../../mailbox/list.ts'
import type { LetterPlace } from '../../mailbox/note.ts'
import { Problem } from '../../problems.ts'
import type { Surroundings } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'
import { FolderId, folderName, type PanesView, ShowQuery, viewPanes } from './folder-view.ts'
import { type Banner, DoneQuery, describeDone } from './inbox.ts'

const Flag = Type.Optional(Type.String())
/** Which list stands beside the letter: the folder that it is in, unless `in` says another; and what was just done. */
export const PanesQuery = {
  in: Type.Optional(FolderId),
  show: ShowQuery,
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  moved: Flag,
  noted: Flag,
  /** Asked for by the page itself, to see what has changed. */
  again: Flag,
  ...DoneQuery,
}
type Query = Omit<Listed, 'folder'> & { in?: string; moved?: string; noted?: string; done?: string }

export type Toolbar = LetterPlace & {
  id: string
  folderName: string
  erasedOn: Date | undefined
  mayFile: boolean
  mayErase: boolean
}

/** What stands around a letter received: the panes beside it, the buttons over it, and what was just done with it. */
export async function besideLetter(
  request: FastifyRequest,
  { config, database, clock }: Pick<Surroundings, 'config' | 'database' | 'clock'>,
  { id, folder, isFlagged, binnedAt, note, noteVersion }: LetterPlace & { id: string },
  query: Query,
): Promise<{ panes: PanesView; toolbar: Toolbar; banner: Banner | undefined }> {
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  const own = { ...query, folder, language: languageOf(request) }
  const asked = query.in === undefined ? own : { ...own, folder: query.in }
  const listed = await listFolder(database, actor, asked).catch((error) => {
    // The folder of the list was deleted meanwhile.
    if (error instanceof Problem && error.code === 'not-found') return listFolder(database, actor, own)
    throw error
  })
  const nameOf = (folder: string) => folderName(t, listed.folders, folder)
  const said = await describeDone(request, query, { database }, t, nameOf)
  const sentences = [
    ...(query.moved === undefined ? [] : [t('filing:moved-meanwhile', { folder: nameOf(folder) })]),
    ...(query.noted === undefined ? [] : [t('filing:note.saved')]),
  ]
  const mayFile = actor.rights.has('mailbox:file')
  const erasedOn = binnedAt ? new Date(binnedAt.getTime() + config.binDays * 24 * 60 * 60_000) : undefined
  return {
    panes: viewPanes(request, listed, { binDays: config.binDays, openId: id, now: clock() }),
    toolbar: {
      ...{ id, folder, isFlagged, binnedAt, note, noteVersion },
      folderName: nameOf(folder),
      erasedOn,
      mayFile,
      mayErase: actor.rights.has('mailbox:erase'),
    },
    banner: said ?? (sentences.length > 0 ? { sentences, undo: undefined } : undefined),
  }
}
