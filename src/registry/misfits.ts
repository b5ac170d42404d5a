import type { TSchema } from 'typebox'
import { Errors } from 'typebox/value'
import type { FieldProblem } from '../problems.ts'

/** The fields of a value that do not fit its schema. */
export function misfitsOf(schema: TSchema, value: unknown): FieldProblem[] {
  return Errors(schema, value).flatMap(toFieldProblem)
}

type Misfit = ReturnType<typeof Errors>[number]

function toFieldProblem(misfit: Misfit): FieldProblem[] {
  const field = misfit.instancePath
  switch (misfit.keyword) {
    case 'additionalProperties':
      // Each such field has an error of its own, below.
      return []
    case 'boolean':
      return [{ field, message: 'is not a field of a declaration' }]
    case 'required':
      return misfit.params.requiredProperties.map((name) => ({ field: `${field}/${name}`, message: 'is missing' }))
    case 'enum':
      return [{ field, message: `must be one of ${misfit.params.allowedValues.join(', ')}` }]
    default:
      return [{ field, message: misfit.message }]
  }
}
