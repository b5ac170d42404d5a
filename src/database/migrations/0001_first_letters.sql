-- Data of a mailbox has mailbox_id first in its key, a sender's data has sender_id first, so that tables can be spread
-- over several servers later. A sender is a service, or the party itself where a person or a business writes.

create table party (
  id uuid primary key,
  kind text not null check (kind in ('person', 'business', 'public-body')),
  name text not null,
  birth_date date,
  created_at timestamptz not null default now()
);

create table mailbox (
  id uuid primary key,
  party_id uuid not null unique references party
);

-- Every change to a mailbox draws the next number, so that a client can ask what has changed since. One sequence for all and no
-- counter in the mailbox: two letters to one mailbox must not wait for each other. Who reads changes has to wait for those
-- who are writing, as the readers of events do.
create sequence modseq;

create table organisation (
  party_id uuid primary key references party,
  slug text not null unique,
  description text not null default ''
);

create table service (
  id uuid primary key,
  slug text not null unique,
  organisation_id uuid not null references organisation,
  name text not null,
  description text not null default ''
);
create index service_organisation on service (organisation_id);

-- A service's identifier means this party. Identifiers are personal data: a keyed hash to find them, a sealed copy to show them.
create table link (
  service_id uuid not null references service,
  scheme text not null,
  value_hash bytea not null,
  value_sealed bytea not null,
  party_id uuid not null references party,
  linked_at timestamptz not null default now(),
  primary key (service_id, scheme, value_hash)
);
create index link_party on link (party_id, service_id);

-- A public body's system, as a client of our token endpoint. It proves itself with a key; a secret works in demo only.
create table client (
  id text primary key,
  organisation_id uuid not null references organisation,
  name text not null,
  service_ids uuid[] not null,
  scopes text[] not null,
  jwks jsonb,
  demo_secret text
);

create table staff_member (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  -- Who this is at the OpenID provider of the staff.
  subject text not null unique,
  name text not null,
  service_ids uuid[] not null
);

-- Who a person at One Login is here. A person who makes a new One Login gets a new subject, and keeps the party.
create table one_login_subject (
  subject text primary key,
  party_id uuid not null references party,
  created_at timestamptz not null default now()
);

create table session (
  id_hash bytea primary key,
  -- Exactly one of the two: a person, or a member of staff.
  party_id uuid references party,
  staff_id uuid references staff_member,
  subject text not null,
  -- Sealed; the provider wants it back at sign-out.
  id_token_sealed bytea not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  check ((party_id is null) <> (staff_id is null))
);
create index session_subject on session (subject);
create index session_last_seen on session (last_seen_at);

-- Tokens that may be used once: client assertions and logout tokens, by the hash of issuer and jti.
create table used_token (
  id_hash bytea primary key,
  expires_at timestamptz not null
);
create index used_token_expires on used_token (expires_at);

create table message (
  mailbox_id uuid not null,
  id uuid not null,
  thread_id uuid not null,
  answers_id uuid,
  -- Under whose ledger the message stands: a service, or a party.
  sender_id uuid not null,
  sender_party_id uuid not null,
  -- The service that wrote, or that is written to.
  service_id uuid not null,
  -- The names as they were when the message was sent.
  sender_name text not null,
  service_name text not null,
  subject text not null,
  -- [{language, subject, body}], the first being the one that subject was taken from.
  content jsonb not null,
  -- [{role, title, files: [{id, filename, mediaType, language, size, sha256}]}]
  documents jsonb not null,
  reply_allowed boolean not null,
  reply_by timestamptz,
  door text not null,
  available_at timestamptz not null,
  opened_at timestamptz,
  taken_over_at timestamptz,
  modseq bigint not null default nextval('modseq'),
  primary key (mailbox_id, id)
);
-- What the row holds beside the letter's text is read for every list; the text itself goes out of line early.
alter table message set (toast_tuple_target = 512);
create index message_thread on message (mailbox_id, thread_id);
create index message_unread on message (mailbox_id, id) where opened_at is null;
create index message_service on message (mailbox_id, service_id, id);
create index message_not_taken_over on message (mailbox_id, service_id, id) where taken_over_at is null;

create table file (
  mailbox_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  bytes bytea not null,
  primary key (mailbox_id, id)
);
-- PDFs and pictures are compressed already.
alter table file alter column bytes set storage external;

-- What a sender sent. The reference is the sender's own, and what makes a second try harmless.
create table ledger (
  sender_id uuid not null,
  reference text not null,
  message_id uuid not null,
  content_digest bytea not null,
  mailbox_id uuid not null,
  thread_id uuid not null,
  accepted_at timestamptz not null,
  available_at timestamptz,
  opened_at timestamptz,
  answered_at timestamptz,
  primary key (sender_id, reference)
);
create unique index ledger_message on ledger (sender_id, message_id);
create index ledger_thread on ledger (sender_id, thread_id);

-- A sender's events, in the order in which they may be read: see evidence/events.ts for why none is missed.
create table event (
  sender_id uuid not null,
  position bigint generated always as identity,
  id uuid not null default gen_random_uuid(),
  type text not null,
  message_id uuid not null,
  reference text not null,
  at timestamptz not null,
  primary key (sender_id, position)
);
