import type { StaffRole } from '../../access/rights.ts'

/** The roles as staff read them. */
export const roleNames: Record<StaffRole, { name: string; may: string }> = {
  'post-reader': { name: 'Reads post', may: 'Opens what people have written, and what was sent to them' },
  'post-writer': { name: 'Writes letters', may: 'Reads post, writes letters and answers' },
  'contact-manager': { name: 'Manages contact points', may: 'Says where people can write to' },
  'systems-manager': { name: 'Manages systems', may: 'Registers systems and their keys, and approves those that others ask for' },
  'log-reader': { name: 'Reads the log', may: 'Sees what staff and systems did' },
  'staff-manager': { name: 'Manages staff', may: 'Says who works here, and with which roles' },
}
