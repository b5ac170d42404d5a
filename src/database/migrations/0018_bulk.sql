-- Sending in bulk (docs/bulk.md): a service's letters that belong together, what of them was refused, and how many a service may send.

create table batch (
  sender_id uuid not null references service,
  id uuid not null,
  -- The sender's own.
  reference text not null,
  name text not null,
  lane text not null check (lane in ('bulk', 'normal')),
  state text not null default 'open' check (state in ('open', 'paused', 'closed', 'stopped')),
  created_at timestamptz not null,
  created_by_name text not null,
  changed_at timestamptz not null,
  changed_by_name text not null,
  primary key (sender_id, id)
);
create unique index batch_reference on batch (sender_id, reference);

-- How many were accepted, counted by the statement that accepts them. In several parts, so that statements at once do not wait for each other.
create table batch_count (
  sender_id uuid not null,
  batch_id uuid not null,
  part integer not null,
  accepted bigint not null,
  primary key (sender_id, batch_id, part)
);

-- A line that was refused, until the same line, or another with its reference, is accepted. Nothing of what it said but its reference.
create table batch_error (
  sender_id uuid not null,
  batch_id uuid not null,
  line bigint not null,
  reference text,
  code text not null,
  -- Which fields are wrong: [{field, message}].
  fields jsonb,
  at timestamptz not null,
  primary key (sender_id, batch_id, line)
);
create index batch_error_reference on batch_error (sender_id, batch_id, reference) where reference is not null;

-- A single letter pays for none of this: it has no batch, and is in no index of batches.
alter table ledger add batch_id uuid;
create index ledger_batch on ledger (sender_id, batch_id, message_id) where batch_id is not null;

-- How many letters a service has sent in a day (UTC). Each process adds to it what it has accepted, once a second.
create table sent_count (
  sender_id uuid not null,
  day date not null,
  letters bigint not null,
  primary key (sender_id, day)
);

-- What one service may send; null is what the settings say.
alter table service
  add letters_per_second integer check (letters_per_second > 0),
  add letters_per_day bigint check (letters_per_day > 0);

do $$
declare each text;
begin
  foreach each in array array['batch', 'batch_count', 'batch_error', 'sent_count'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy own on %I using (sender_id = any ((select scope_ids(''senders''))::uuid[]))', each);
  end loop;
end $$;
