-- What people write, from the first word to the sending: drafts with their files, letters that are handed on, and what was
-- typed into a form whose session had ended.

create table draft (
  mailbox_id uuid not null,
  -- The message will have it as its reference: sent twice, it is one message.
  id uuid not null,
  kind text not null check (kind in ('new', 'answer', 'forward')),
  -- What is answered or forwarded, in the same mailbox.
  message_id uuid,
  -- Where a new message goes, or a forwarded one: a contact point, or a party.
  contact_point_id uuid,
  to_party_id uuid,
  -- As it was called when it was chosen.
  to_name text not null,
  service_id uuid not null,
  -- Of what is answered or forwarded: whoever may not see that does not see the draft.
  category text not null,
  recipient_only boolean not null,
  subject text not null,
  body text not null,
  -- What the contact point asks for, in its order.
  answers jsonb not null,
  -- Raised with each change: who has seen another version changes nothing.
  version integer not null default 1,
  updated_at timestamptz not null,
  written_by_id uuid not null,
  written_by_name text not null,
  -- Where it is to be sent later: when, and by whom (an actor's By).
  send_at timestamptz,
  send_by jsonb,
  -- Why it could not be sent when it was due: a problem's code.
  refused text,
  primary key (mailbox_id, id),
  check ((kind = 'new') = (message_id is null)),
  check (num_nonnulls(contact_point_id, to_party_id) = case kind when 'answer' then 0 else 1 end),
  check ((send_at is null) = (send_by is null))
);
create index draft_updated on draft (mailbox_id, updated_at, id);
create index draft_message on draft (mailbox_id, message_id) where message_id is not null;
create index draft_due on draft (send_at) where send_at is not null;

create table draft_file (
  mailbox_id uuid not null,
  draft_id uuid not null,
  id uuid not null,
  filename text not null,
  media_type text not null,
  size integer not null,
  sha256 text not null,
  bytes bytea not null,
  primary key (mailbox_id, draft_id, id),
  foreign key (mailbox_id, draft_id) references draft on delete cascade on update cascade
);
alter table draft_file alter column bytes set storage external;

-- Sealed, for an hour, and for the person whose form it was.
create table kept_form (
  id_hash bytea primary key,
  party_id uuid not null references party,
  content_sealed bytea not null,
  expires_at timestamptz not null
);
create index kept_form_expires on kept_form (expires_at);
create index kept_form_party on kept_form (party_id);

alter table message
  -- Of a letter that was handed on: {messageId, senderName, serviceName, subject, availableAt} of the first.
  add forwarded jsonb;

do $$
declare each text;
begin
  foreach each in array array['draft', 'draft_file', 'kept_form'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
  end loop;
end $$;

create policy own on draft
  using (
    mailbox_id = (select scope_id('mailbox'))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    and ((select scope_texts('categories')) is null or category = any ((select scope_texts('categories'))::text[]))
    and (not recipient_only or (select scope_text('isHelper')) is distinct from 'true')
  );
-- Of everybody's, only what is due: whose it is, and by whom it is sent.
create policy due on draft for select using ((select scope_is('delivery')) and send_at is not null);
create policy merging on draft using ((select scope_is('merge')));

create policy of_draft on draft_file
  using (exists (select from draft where draft.mailbox_id = draft_file.mailbox_id and draft.id = draft_file.draft_id));

create policy own on kept_form using (party_id = (select scope_id('party')));
create policy merging on kept_form using ((select scope_is('merge')));
create policy ending on kept_form using ((select scope_is('upkeep')));
