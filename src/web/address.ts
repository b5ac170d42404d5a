import { Type } from 'typebox'

const Id = Type.String({ format: 'uuid' })
export const LetterParams = Type.Object({ id: Id })
export const FileParams = Type.Object({ id: Id, fileId: Id })
export const Slug = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })
