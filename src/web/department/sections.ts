import type { Actor } from '../../access/actor.ts'
import type { Right } from '../../access/rights.ts'

/** The parts of a public body's pages, each for those who have a right; in the order of the navigation. */
const sections = [
  { section: 'inbox', text: 'Inbox', href: '/department', right: 'inbox:read' },
  { section: 'write', text: 'Write a letter', href: '/department/write', right: 'messages:write' },
  { section: 'templates', text: 'Templates', href: '/department/templates', right: 'messages:read' },
  { section: 'mailings', text: 'Mailings', href: '/department/mailings', right: 'messages:read' },
  { section: 'reconciliation', text: 'Sent', href: '/department/reconciliation', right: 'messages:read' },
  { section: 'batches', text: 'Batches', href: '/department/batches', right: 'messages:read' },
  { section: 'contact-points', text: 'Contact points', href: '/department/contact-points', right: 'contact-points:manage' },
  { section: 'systems', text: 'Systems', href: '/department/systems', right: 'systems:manage' },
  { section: 'approvals', text: 'Approvals', href: '/department/approvals', right: ['systems:manage', 'messages:write'] },
  { section: 'staff', text: 'Staff', href: '/department/staff', right: 'staff:manage' },
  { section: 'logs', text: 'Logs', href: '/department/logs', right: 'logs:read' },
] as const satisfies { section: string; text: string; href: string; right: Right | readonly Right[] }[]
export type DepartmentSection = (typeof sections)[number]['section']

/** What somebody may open. */
export function sectionsFor({ rights }: Pick<Actor, 'rights'>): { section: DepartmentSection; text: string; href: string }[] {
  return sections
    .filter(({ right }) => [right].flat().some((one) => rights.has(one)))
    .map(({ section, text, href }) => ({ section, text, href }))
}
