import type { Database } from '../src/database/connect.ts'

/** Under which service's ledger, and into which mailbox. */
export type Load = { serviceId: string; organisationId: string; mailboxId: string; recipientName: string }

/** Of each letter: accepted, available, and every second one opened. */
export const eventsOf = (letters: number) => 2 * letters + Math.floor(letters / 2)

/**
 * Letters with all that `accept` and `open` write of them, in one transaction and one statement, faster than through them: mailbox, ledger
 * and events with their facts, so that the audit finds nothing. `first` is the number of the first letter.
 */
export async function loadLetters(owner: Database, load: Load, first: number, letters: number): Promise<void> {
  const { serviceId, organisationId, mailboxId, recipientName } = load
  const now = new Date()
  await owner`
    with letter as materialized (
      select uuidv7() as id, 'load-' || n as reference, 'Letter number ' || n || ': you have a bill.' as body, n % 2 = 1 as is_opened
      from generate_series(${first}::integer, ${first + letters - 1}::integer) as n
    ),
    noted as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at, opened_at, recipient_name)
      select ${serviceId}, reference, id, sha256(convert_to(body, 'UTF8')), ${mailboxId}, id, ${now}, ${now}, case when is_opened then ${now}::timestamptz end, ${recipientName}
      from letter
    ),
    delivered as (
      insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content,
                           documents, reply_allowed, door, available_at, opened_at)
      select ${mailboxId}, id, id, ${serviceId}, ${organisationId}, ${serviceId}, 'Northfold Council', 'Council tax', 'Your bill',
             jsonb_build_array(jsonb_build_object('language', 'en', 'subject', 'Your bill', 'body', body)), '[]', true, 'sender-api', ${now},
             case when is_opened then ${now}::timestamptz end
      from letter
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    select ${serviceId}, type, id, reference, ${now}, case type
      when 'message.accepted' then jsonb_build_object(
        'by', jsonb_build_object('kind', 'system', 'id', 'billing', 'name', 'Billing'), 'door', 'sender-api', 'addressedBy', 'link',
        'subject', 'Your bill', 'isToService', false, 'senderName', 'Northfold Council', 'serviceName', 'Council tax',
        'recipientName', ${recipientName}::text,
        'parts', jsonb_build_array(jsonb_build_object(
          'part', 'text', 'language', 'en', 'subject', 'Your bill', 'size', octet_length(body), 'algorithm', 'SHA-256',
          'digest', encode(sha256(convert_to(body, 'UTF8')), 'hex')
        ))
      )
      when 'message.opened' then jsonb_build_object(
        'by', jsonb_build_object('kind', 'owner', 'id', ${mailboxId}::text, 'name', ${recipientName}::text), 'door', 'citizen-pages'
      )
    end
    from letter cross join unnest(array['message.accepted', 'message.available', 'message.opened']) with ordinality as happened (type, place)
    where type <> 'message.opened' or is_opened
    order by reference, place`
}
