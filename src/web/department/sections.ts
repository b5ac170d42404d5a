import type { Actor } from '../../access/actor.ts'
import type { Right } from '../../access/rights.ts'

/** The parts of a public body's pages, each for those who have a right; in the order of the navigation. */
const sections = [
  { section: 'inbox', href: '/department', right: 'inbox:read' },
  { section: 'write', href: '/department/write', right: 'messages:write' },
  { section: 'templates', href: '/department/templates', right: 'messages:read' },
  { section: 'mailings', href: '/department/mailings', right: 'messages:read' },
  { section: 'reconciliation', href: '/department/reconciliation', right: 'messages:read' },
  { section: 'batches', href: '/department/batches', right: 'messages:read' },
  { section: 'contact-points', href: '/department/contact-points', right: 'contact-points:manage' },
  { section: 'systems', href: '/department/systems', right: 'systems:manage' },
  { section: 'approvals', href: '/department/approvals', right: ['systems:manage', 'messages:write'] },
  { section: 'staff', href: '/department/staff', right: 'staff:manage' },
  { section: 'logs', href: '/department/logs', right: 'logs:read' },
] as const satisfies { section: string; href: string; right: Right | readonly Right[] }[]
export type DepartmentSection = (typeof sections)[number]['section']

/** What somebody may open. What each is called is in words/…/shell.json. */
export function sectionsFor({ rights }: Pick<Actor, 'rights'>): { section: DepartmentSection; href: string }[] {
  return sections
    .filter(({ right }) => [right].flat().some((one) => rights.has(one)))
    .map(({ section, href }) => ({ section, href }))
}
