-- Registration, identifiers, look-ups, and what senders are told of their recipients.

-- What a person reads when asked for consent: {language: text}.
alter table category add wording jsonb not null default '{}';
update category set wording = '{
  "en": "I agree to get general letters from public bodies in this mailbox instead of on paper.",
  "cy": "Rwy’n cytuno i gael llythyrau cyffredinol gan gyrff cyhoeddus yn y blwch post hwn yn lle ar bapur."
}' where slug = 'general';

-- From its closure on: the content is kept at least until this day.
alter table mailbox add kept_until date;

-- Every change of a registration, kept for good.
create table registration_change (
  party_id uuid not null references party,
  id uuid not null,
  at timestamptz not null,
  was text not null,
  became text not null,
  -- Of whoever changed it: registry/registration.ts has those with a meaning.
  reason text not null,
  note text,
  by_kind text not null,
  by_id text not null,
  by_name text not null,
  primary key (party_id, id)
);

-- Two One Logins of one person can come to be one's.
create index one_login_subject_party on one_login_subject (party_id);

-- Schemes of the whole installation that a service may use.
create table service_scheme (
  service_id uuid not null references service,
  scheme text not null,
  primary key (service_id, scheme)
);

-- Which identifiers of the whole installation a service has shown that it knows: only of those is it told more.
create table known_identifier (
  service_id uuid not null references service,
  scheme text not null,
  value_hash bytea not null,
  primary key (service_id, scheme, value_hash)
);
create index known_identifier_value on known_identifier (scheme, value_hash);

-- What a service is told about whom it knows, in the order in which it may be read: see registry/recipient-changes.ts.
create table recipient_change (
  service_id uuid not null,
  position bigint generated always as identity,
  at timestamptz not null,
  scheme text not null,
  value_sealed bytea not null,
  status text not null,
  -- Of a mailbox opened by consent: what is consented to. Otherwise null.
  categories text[],
  reachable_from timestamptz,
  primary key (service_id, position)
);

-- What is left to a service of its look-ups: a bucket that fills up with time, and what was used of a day.
create table lookup_allowance (
  service_id uuid primary key references service,
  left_over double precision not null,
  at timestamptz not null,
  day date not null,
  used_that_day bigint not null
);

create table lookup_log (
  service_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  client_id text not null,
  count integer not null,
  found integer not null,
  primary key (service_id, id)
);
