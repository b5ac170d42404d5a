-- What the program may see and change is held by the database. It logs in as a role that owns nothing, and that row-level
-- security binds: each transaction says its scope (database/scope.ts) in settings called post.…; where none is said there is
-- nothing. The application's own conditions in each query are the first lock, this is the second.
--
-- Where a table is read in lists, scope values stand in scalar subqueries, so that they are worked out once for a statement and not
-- for each row. Where rows are found by their keys, one at a time, a subquery would cost more than it saves.

create function scope_text(key text) returns text stable language sql return nullif(current_setting('post.' || key, true), '');

-- Null where the scope does not limit by it; an empty list is a limit. All of these are simple enough to be worked out in place.
create function scope_id(key text) returns uuid stable language sql return scope_text(key)::uuid;
create function scope_ids(key text) returns uuid[] stable language sql return scope_text(key)::uuid[];
create function scope_texts(key text) returns text[] stable language sql return scope_text(key)::text[];

create function scope_is(variadic purposes text[]) returns boolean stable language sql
  return coalesce(scope_text('purpose') = any(purposes), false);

-- What needs a look at another table stands in a function of its own, in PL/pgSQL, which is not worked into the statement: it
-- is asked only where nothing simpler has said yes, and a statement that never asks does not pay for it. Each sees what its
-- caller sees.

create function is_public_body(asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (select from organisation where organisation.party_id = asked_id);
end $$;

-- Whether a grant binds a party to that of the scope.
create function is_in_a_grant(asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (select from access_grant where giver_id = asked_id) or exists (select from access_grant where holder_id = asked_id);
end $$;

-- Of an identifier of the whole installation: whether a service of the scope has known it before.
create function is_known_to_service(asked_scheme text, asked_hash bytea) returns boolean stable language plpgsql as $$
begin
  return exists (
    select from known_identifier
    where service_id = any (scope_ids('ownServices')) and scheme = asked_scheme and value_hash = asked_hash
  );
end $$;

-- Whether a message is in the mailbox of the scope, and may be seen there.
create function is_received(asked_mailbox_id uuid, asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return asked_mailbox_id = scope_id('mailbox')
    and exists (select from message where message.mailbox_id = asked_mailbox_id and message.id = asked_id);
end $$;

-- Whether the scope sees the line of the sender's ledger that an event is about.
create function is_in_ledger(asked_sender_id uuid, asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (select from ledger where ledger.sender_id = asked_sender_id and ledger.message_id = asked_id);
end $$;

-- Everything is closed, also to the owner of the tables, who says that it means to do upkeep.
do $$
declare each text;
begin
  for each in select tablename from pg_tables where schemaname = 'public' loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
  end loop;
end $$;

create policy known on migration for select using (true);
create policy bookkeeping on migration to current_user using (true);

-- The directory: public bodies, what they do, and kinds of post.

create policy directory on organisation for select using (true);
create policy registry on organisation using (scope_is('registry'));
create policy directory on service for select using (true);
create policy registry on service using (scope_is('registry'));
create policy directory on category for select using (true);
create policy registry on category using (scope_is('registry'));

-- Parties.

create policy purpose on party using (scope_is('registry', 'merge'));
create policy known on party for select
  using (scope_is('delivery', 'sign-in', 'linking') or kind = 'public-body' or id = scope_id('party') or is_in_a_grant(id));
create policy signing_up on party for insert with check (scope_is('sign-in'));
create policy registering on mailbox for update using (party_id = scope_id('party'));
create policy purpose on mailbox using (scope_is('registry', 'merge'));
create policy known on mailbox for select
  using (scope_is('delivery', 'sign-in', 'granting') or party_id = scope_id('party') or is_public_body(party_id));
create policy signing_up on mailbox for insert with check (scope_is('sign-in'));

create policy own on consent using (party_id = scope_id('party'));
create policy purpose on consent using (scope_is('registry', 'merge'));
create policy to_be_addressed on consent for select using (scope_is('delivery'));

create policy own on link using (party_id = scope_id('party'));
-- Of the whole installation's identifiers, a service sees those that it has known before.
create policy known on link for select
  using (
    scope_is('delivery', 'linking')
    or service_id = any (scope_ids('ownServices'))
    or (service_id = '00000000-0000-0000-0000-000000000000' and is_known_to_service(scheme, value_hash))
  );
create policy purpose on link using (scope_is('registry', 'merge'));

create policy own on access_grant using (scope_id('party') in (giver_id, holder_id));
create policy purpose on access_grant using (scope_is('registry', 'merge'));
create policy known on access_grant for select using (scope_is('sign-in', 'granting'));
-- An offer is nobody's: whoever shows its code may accept or decline it, until somebody has.
create policy accepting on access_grant for update
  using (scope_is('granting') and accepted_at is null) with check (shown_to_id = scope_id('party'));

create policy own on look for select
  using (
    party_id = (select scope_id('party'))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    -- Whoever may not see each letter does not see either that it was looked at.
    and (
      (select scope_texts('categories') is null and scope_text('isHelper') is distinct from 'true')
      or (message_id is null and (select scope_texts('categories')) is null)
      or exists (select from message where message.mailbox_id = (select scope_id('mailbox')) and message.id = look.message_id)
      or exists (
        select from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
        where ledger.sender_id = (select scope_id('party')) and ledger.message_id = look.message_id
      )
    )
  );
create policy of_service on look for select
  using (service_id = any ((select scope_ids('ownServices'))::uuid[]) and by_kind in ('staff', 'system'));
create policy purpose on look using ((select scope_is('registry', 'merge')));
-- To note a look shows nothing.
create policy noting on look for insert with check (coalesce(scope_text('purpose'), scope_text('party'), scope_text('mailbox')) is not null);

create policy own on grant_document using (party_id = scope_id('party'));
create policy purpose on grant_document using (scope_is('registry', 'merge'));
create policy own on grant_attempt using (party_id = scope_id('party'));
create policy purpose on grant_attempt using (scope_is('merge'));

create policy own on registration_change using (party_id = scope_id('party'));
create policy purpose on registration_change using (scope_is('registry', 'merge'));
create policy own on link_request using (party_id = scope_id('party'));
create policy purpose on link_request using (scope_is('linking', 'merge'));
create policy ending on link_request using (scope_is('upkeep'));

-- What registrars look for and do.

create policy registry on record_search using (scope_is('registry', 'merge'));
create policy registry on record_view using (scope_is('registry', 'merge'));
create policy registry on merge_request using (scope_is('registry', 'merge'));

-- Signing in.

create policy purpose on session using (scope_is('sign-in', 'merge'));
create policy ending on session using (scope_is('upkeep'));
create policy purpose on one_login_subject using (scope_is('registry', 'merge'));
create policy known on one_login_subject for select using (scope_is('sign-in'));
create policy signing_up on one_login_subject for insert with check (scope_is('sign-in'));
create policy purpose on used_token using (scope_is('sign-in'));
create policy ending on used_token using (scope_is('upkeep'));
create policy known on registrar for select using (scope_is('sign-in'));
create policy registry on registrar using (scope_is('registry'));

-- Public bodies' own.

create policy own on client using (organisation_id = scope_id('organisation') and service_ids && scope_ids('ownServices'));
create policy registry on client using (scope_is('registry'));
create policy known on client for select using (scope_is('sign-in'));
create policy noting on client for update using (scope_is('sign-in'));
create policy own on client_key
  using (organisation_id = scope_id('organisation') and exists (select from client where client.id = client_id));
create policy registry on client_key using (scope_is('registry'));
create policy known on client_key for select using (scope_is('sign-in'));
create policy own on staff_member using (organisation_id = scope_id('organisation'));
create policy registry on staff_member using (scope_is('registry'));
create policy known on staff_member for select using (scope_is('sign-in'));
create policy own on staff_role
  using (exists (select from staff_member where staff_member.id = staff_id and organisation_id = scope_id('organisation')));
create policy registry on staff_role using (scope_is('registry'));
create policy known on staff_role for select using (scope_is('sign-in'));
create policy own on staff_change using (organisation_id = scope_id('organisation') and service_ids && scope_ids('ownServices'));
create policy registry on staff_change using (scope_is('registry'));
create policy own on client_change using (organisation_id = scope_id('organisation') and service_ids && scope_ids('ownServices'));
create policy registry on client_change using (scope_is('registry'));
create policy own on approval using (organisation_id = scope_id('organisation') and service_ids && scope_ids('ownServices'));
create policy directory on contact_group for select using (true);
create policy own on contact_group using (organisation_id = scope_id('organisation'));
create policy registry on contact_group using (scope_is('registry'));
create policy directory on contact_point for select using (true);
create policy own on contact_point using (organisation_id = scope_id('organisation'));
create policy registry on contact_point using (scope_is('registry'));

-- Services' own.

create policy directory on service_scheme for select using (true);
create policy registry on service_scheme using (scope_is('registry'));
create policy purpose on known_identifier using (scope_is('registry', 'merge'));
create policy to_be_addressed on known_identifier for select using (scope_is('delivery'));
create policy own on known_identifier for select using (service_id = any (scope_ids('ownServices')));
create policy noting on known_identifier for insert with check (service_id = any (scope_ids('ownServices')));
create policy own on recipient_change for select using (service_id = any (scope_ids('ownServices')));
create policy telling on recipient_change for insert with check (coalesce(scope_text('purpose'), scope_text('party'), scope_text('mailbox')) is not null);
create policy purpose on recipient_change using (scope_is('registry', 'merge'));
create policy own on lookup_allowance using (service_id = any (scope_ids('ownServices')));
create policy own on lookup_log for select using (service_id = any (scope_ids('ownServices')));
create policy noting on lookup_log for insert with check (service_id = any (scope_ids('ownServices')));

-- Post. Whose mailbox it is in, or who sent it; and of that only what the reader's limits let through.

create policy post on message for select
  using (
    (mailbox_id = (select scope_id('mailbox')) or sender_id = any ((select scope_ids('senders'))::uuid[]))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    and ((select scope_texts('categories')) is null or category = any ((select scope_texts('categories'))::text[]))
    and (not recipient_only or (select scope_text('isHelper')) is distinct from 'true')
  );
create policy received on message for update using (mailbox_id = (select scope_id('mailbox')));
create policy sending on message for insert with check (sender_id = any (scope_ids('senders')));
create policy merging on message using (scope_is('merge'));

create policy of_message on file for select
  using (exists (select from message where message.mailbox_id = file.mailbox_id and message.id = file.message_id));
create policy sending on file for insert with check (scope_is('delivery'));
create policy merging on file using (scope_is('merge'));

-- One's own; what was received, by whoever may see it; and what is answered, by whom it was received.
create policy own on ledger
  using (
    sender_id = any ((select scope_ids('senders'))::uuid[])
    or mailbox_id = any ((select scope_ids('mailboxes'))::uuid[])
    or is_received(mailbox_id, message_id)
  )
  with check (
    sender_id = any (scope_ids('senders'))
    or mailbox_id = any (scope_ids('mailboxes'))
    or is_received(mailbox_id, message_id)
  );
create policy merging on ledger using (scope_is('merge'));

create policy own on event for select using (sender_id = any ((select scope_ids('senders'))::uuid[]));
create policy merging on event using (scope_is('merge'));
create policy telling on event for insert
  with check (sender_id = any (scope_ids('senders')) or is_in_ledger(sender_id, message_id));

-- The job tables belong to the worker's own role (database/roles.ts). What was made before as the owner held no job that counts.
drop schema if exists graphile_worker cascade;
