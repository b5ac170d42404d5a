-- For senders who would rather be told than ask: each event of a service is posted to its webhook (docs/following.md).

create table webhook (
  service_id uuid primary key references service,
  url text not null,
  -- Signs each delivery. After a change the one before signs too for a day, so that the receiver can change in its own time.
  secret_sealed bytea not null,
  secret_before_sealed bytea,
  secret_before_until timestamptz,
  is_on boolean not null default true,
  -- The events of the service up to this one are delivered, or stand in webhook_delivery.
  position bigint not null,
  -- Raised with every change that somebody makes: who has seen another version changes nothing.
  version integer not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  changed_by_name text not null,
  -- To some seconds.
  delivered_at timestamptz
);

-- An event on its way. The row goes when it is delivered, and stays when it is given up: dead, until somebody replays it.
create table webhook_delivery (
  service_id uuid not null,
  -- Of the event, as are its id and its message.
  position bigint not null,
  event_id uuid not null,
  message_id uuid not null,
  is_dead boolean not null default false,
  due_at timestamptz not null,
  -- Somebody is sending it, and is given up after that.
  leased_until timestamptz,
  tries integer not null default 0,
  first_tried_at timestamptz,
  last_tried_at timestamptz,
  -- What went wrong at the last try, in a sentence.
  failure text,
  primary key (service_id, position)
);
create index webhook_delivery_due on webhook_delivery (service_id, due_at, position) where not is_dead;
create index webhook_delivery_message on webhook_delivery (service_id, message_id, position) where not is_dead;
create index webhook_delivery_leased on webhook_delivery (service_id, leased_until) where leased_until is not null;
create index webhook_delivery_event on webhook_delivery (service_id, event_id);
create index webhook_delivery_dead on webhook_delivery (service_id, position) where is_dead;

-- Reconciliation. A day's letters are found by their ids, which begin with the time (version 7), in the index ledger_message. Neither of
-- these indexes is written by a letter that is available when it is accepted.
alter table ledger
  add failed_at timestamptz,
  add failed_because text,
  -- Why it is not available yet, in a sentence.
  add pending_because text;
create index ledger_pending on ledger (sender_id, message_id) where available_at is null and failed_at is null;
create index event_rejected on event (sender_id, at) where type = 'message.rejected';

do $$
declare each text;
begin
  foreach each in array array['webhook', 'webhook_delivery'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy own on %I using (service_id = any ((select scope_ids(''ownServices''))::uuid[]))', each);
    execute format('create policy following on %I using ((select scope_is(''following'')))', each);
  end loop;
end $$;
