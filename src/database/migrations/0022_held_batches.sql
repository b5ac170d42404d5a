-- A batch that is held: its letters are accepted, and no recipient sees one until staff have looked at some of them and release it
-- (docs/bulk.md).

alter table batch add hold boolean not null default false;
alter table service
  -- Whatever the sender asks for, every batch is held.
  add hold_batches boolean not null default false,
  -- One member of staff asks for the release or the recall of a whole batch, and another agrees.
  add release_by_two boolean not null default false;

-- What was decided of all letters of a batch: to release those that it holds, or to take back those that nobody has opened. Their number
-- has no bound: the worker carries it out, some letters at a time (delivery/carry-out.ts).
create table batch_decision (
  sender_id uuid not null,
  batch_id uuid not null,
  decision text not null check (decision in ('release', 'recall')),
  decided_at timestamptz not null,
  -- Both names, where two have decided it.
  decided_by_name text not null,
  -- As the evidence of each letter says who did it: {by, door}.
  doer jsonb not null,
  -- Why they are taken back: recipients read it.
  reason text,
  -- Letters up to this one, in the order of their ids, are done.
  done_to uuid not null default '00000000-0000-0000-0000-000000000000',
  done_at timestamptz,
  primary key (sender_id, batch_id, decision),
  foreign key (sender_id, batch_id) references batch,
  check ((decision = 'recall') = (reason is not null))
);
create index batch_decision_waiting on batch_decision (decided_at) where done_at is null;

alter table batch_decision enable row level security;
alter table batch_decision force row level security;
create policy upkeep on batch_decision to current_user using (scope_is('owner')) with check (scope_is('owner'));
create policy own on batch_decision using (sender_id = any ((select scope_ids('senders'))::uuid[]));
-- Of all services, by the worker.
create policy carrying_out on batch_decision using ((select scope_is('delivery')));

-- Who sent a letter sees its files also where its recipient does not.
create function is_withheld(asked_mailbox_id uuid, asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (
    select from withheld_message
    where sender_id = any (scope_ids('senders')) and message_id = asked_id and mailbox_id = asked_mailbox_id
  );
end $$;
create policy of_withheld on file for select using (is_withheld(mailbox_id, message_id));
