-- One row of event is at once a line of its sender's feed and the evidence of what it tells: neither is without the other.

alter table event
  -- What its evidence says beside the columns (evidence/record.ts). Of the acceptance: parties, parts of the message and their
  -- digests, all that later records of the same message repeat.
  add facts jsonb,
  -- The transaction that wrote it: how the log finds what is committed and not in it yet (docs/decisions/0013-evidence.md). Events of
  -- before have none, and no evidence.
  add xid bigint;
alter table event alter xid set default pg_current_xact_id()::text::bigint;
create index event_xid on event (xid) where xid is not null;
create index event_message on event (sender_id, message_id);

-- How an event is in the log. When its evidence has been kept long enough the event and what opens its leaves are deleted,
-- and the row stays, so that it can be told from one that somebody removed.
create table evidence_seal (
  -- Of the event.
  position bigint primary key,
  event_id uuid not null,
  -- Of the log's batch: its size with this batch.
  size bigint not null,
  -- The record of the same message before, and how many there were.
  previous_id uuid,
  ordinal integer not null,
  -- Of the sender's opening and of the recipient's: 32 random bytes each.
  salts bytea,
  -- Indexes of the log. Nobody receives what was rejected.
  sender_leaf bigint not null,
  recipient_leaf bigint,
  erased_at timestamptz
);
create index evidence_seal_size on evidence_seal (size);

-- The signature of a JWS whose payload is 32 entries of the log, from this one on: what seals the events among them.
create table evidence_jws (
  first_leaf bigint primary key,
  key_id text not null,
  signature bytea not null
);

-- The log: static files of c2sp.org/tlog-tiles, as rows.

create table log_tile (
  level smallint not null,
  index bigint not null,
  bytes bytea not null,
  primary key (level, index)
);
-- Hashes cannot be compressed.
alter table log_tile alter bytes set storage external;

create table log_entries (
  index bigint primary key,
  bytes bytea not null
);
alter table log_entries alter bytes set storage external;

-- One for each batch. Each continues exactly one before it, so that the log cannot fork.
create table log_checkpoint (
  size bigint primary key,
  size_before bigint not null unique,
  at timestamptz not null,
  root bytea not null,
  -- The signed note as the log signed it.
  note text not null,
  -- What the batch holds, sealed: see evidence/batch.ts.
  batch text not null,
  -- Lines of witnesses' signatures, each with its newline: after the note they make a note again.
  cosignatures text[] not null default '{}',
  time_stamp bytea,
  -- What could not be had yet, in a sentence, and when to ask again.
  missing text,
  ask_again_at timestamptz,
  -- When something in it has been kept long enough, once that was asked; infinity where nothing is left.
  erase_at timestamptz,
  check (size_before < size)
);
create index log_checkpoint_kept on log_checkpoint (coalesce(erase_at, at)) where erase_at is distinct from 'infinity';
create index log_checkpoint_missing on log_checkpoint (ask_again_at) where ask_again_at is not null;
-- Which a receipt can stand on.
create index log_checkpoint_cosigned on log_checkpoint (size) where cosignatures <> '{}';

-- One row.
create table log_state (
  is_one boolean primary key default true check (is_one),
  -- The log's name in its checkpoints, for good.
  origin text not null,
  -- Events of transactions before this one are in the log.
  xid bigint not null,
  -- Which PostgreSQL the numbers of transactions are of: a restored database counts them anew.
  cluster text not null,
  -- When the program last was able to take and to show post.
  alive_at timestamptz
);

-- When letters could not be made available or read: it moves legal deadlines. The evidence of its two ends is in event, with the
-- outage's id for a message's.
create table outage (
  id uuid primary key,
  began_at timestamptz not null,
  ended_at timestamptz not null,
  why text not null
);

-- What a demo's stand-ins for a witness and a time-stamping authority must not forget.
create table stand_in_memory (
  name text primary key,
  value jsonb not null
);

-- For how many years evidence is kept; null is the installation's default.
alter table organisation add evidence_years integer check (evidence_years between 1 and 100);

do $$
declare each text;
begin
  foreach each in array array['evidence_seal', 'evidence_jws', 'log_tile', 'log_entries', 'log_checkpoint', 'log_state', 'outage', 'stand_in_memory'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy evidence on %I using (scope_is(''evidence''))', each);
  end loop;
end $$;

create policy evidence on event using ((select scope_is('evidence')));
create policy known on outage for select using (true);
-- Whoever may see a message in the mailbox that is open may see what became of it.
create policy received on event for select using (is_received((select scope_id('mailbox')), message_id));
