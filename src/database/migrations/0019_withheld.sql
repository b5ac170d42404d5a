-- Letters that were accepted, and that their recipient does not see: until their time has come, until somebody has looked at what they
-- were sent with, or for good because they were recalled
-- or could not be delivered when their time had come. Nothing of them is in a mailbox: no query there can show one too early.
create table withheld_message (
  -- Of the ledger that it stands in.
  sender_id uuid not null,
  message_id uuid not null,
  mailbox_id uuid not null,
  service_id uuid not null,
  why text not null check (why in ('scheduled', 'held', 'recalled', 'failed')),
  -- Not before this.
  release_at timestamptz not null,
  batch_id uuid,
  -- The row of message that it becomes, or that it was, and in `actions` those of action.
  letter jsonb not null,
  primary key (sender_id, message_id)
);
create index withheld_due on withheld_message (release_at) where why = 'scheduled';
create index withheld_mailbox on withheld_message (mailbox_id);
create index withheld_batch on withheld_message (sender_id, batch_id, message_id) where batch_id is not null;

alter table message
  -- From when its sender calls it out of date. It is kept.
  add expires_at timestamptz,
  -- What it said is gone from the mailbox; that it was there, and why it was taken back, stays.
  add recalled_at timestamptz,
  add recall_reason text,
  -- Which earlier letter this one replaces, and which later one replaces this.
  add corrects_id uuid,
  add corrected_by_id uuid;
alter table ledger add recalled_at timestamptz;

alter table withheld_message enable row level security;
alter table withheld_message force row level security;
create policy upkeep on withheld_message to current_user using (scope_is('owner')) with check (scope_is('owner'));
create policy own on withheld_message
  using (
    sender_id = any ((select scope_ids('senders'))::uuid[])
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
  );
create policy releasing on withheld_message using ((select scope_is('delivery')));
create policy merging on withheld_message using (scope_is('merge'));

-- Who sent a letter may take it back with what it asks, and say that another one replaces it.
create policy recalling on message for update
  using (scope_is('delivery') and sender_id = any ((select scope_ids('senders'))::uuid[]));
create policy recalling on action for delete
  using (scope_is('delivery') and sender_id = any ((select scope_ids('senders'))::uuid[]));

-- Nobody finds a letter by the words of one that was taken back: they leave the index soon, whether or not anybody searches again.
create index message_recalled on message (mailbox_id, id) where recalled_at is not null;
create function want_forgetting_of_recalled() returns trigger language plpgsql as $$
begin
  update search_state set wanted_at = least(wanted_at, new.recalled_at) where mailbox_id = new.mailbox_id;
  return null;
end $$;
create trigger want_forgetting_of_recalled after update of recalled_at on message
  for each row when (old.recalled_at is null and new.recalled_at is not null) execute function want_forgetting_of_recalled();
create policy recalling on search_state for select using ((select scope_is('delivery')));
create policy recalling_soon on search_state for update using ((select scope_is('delivery')));
