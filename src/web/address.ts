import { Type } from 'typebox'

/** Not the format `uuid`, which lets urn:uuid: pass. */
export const Id = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' })
export const LetterParams = Type.Object({ id: Id })
export const FileParams = Type.Object({ id: Id, fileId: Id })
export const Slug = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })
