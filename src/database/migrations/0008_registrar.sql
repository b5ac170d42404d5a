-- What registrars do. Who looks into a record says why first, and the owner is told (table look).

-- A person is found by the whole name and the birth date, a business by its whole name: never by a part.
-- A column of its own, as row-level security keeps an expression out of an index.
alter table party add name_key text generated always as (lower(name)) stored;
create index party_name on party (name_key, birth_date);

-- A search, and whom it showed. Not what was typed: that is somebody's name, or number.
create table record_search (
  id uuid primary key,
  registrar_id uuid not null references registrar,
  at timestamptz not null,
  searched_by text not null check (searched_by in ('person', 'business', 'identifier')),
  reason text not null check (reason <> ''),
  -- No reference to party: one may be merged into another later. So below, too.
  party_ids uuid[] not null
);
create index record_search_at on record_search (at desc, id desc);

-- One viewing of a record. Its id stands in the address, for this registrar and half an hour.
create table record_view (
  id uuid primary key,
  registrar_id uuid not null references registrar,
  party_id uuid not null,
  at timestamptz not null,
  reason text not null check (reason <> '')
);

-- Two records of one person: one registrar asks to merge them, and another does it.
create table merge_request (
  id uuid primary key,
  from_party_id uuid not null,
  into_party_id uuid not null,
  -- Of the person, as it was.
  name text not null,
  asked_by_id uuid not null references registrar,
  asked_at timestamptz not null,
  reason text not null check (reason <> ''),
  decided_by_id uuid references registrar,
  decided_at timestamptz,
  decision text check (decision in ('merged', 'refused', 'withdrawn')),
  decision_reason text check (decision_reason <> ''),
  check (from_party_id <> into_party_id),
  check (num_nonnulls(decided_by_id, decided_at, decision, decision_reason) in (0, 4)),
  -- Whoever asked may take it back, and nothing else.
  check (decision is null or (decision = 'withdrawn') = (decided_by_id = asked_by_id))
);
create unique index merge_request_waiting on merge_request (from_party_id) where decided_at is null;
create index merge_request_at on merge_request (asked_at desc);

-- For the log of what registrars did.
create index look_by_registrar on look (at desc, id desc) where by_kind = 'registrar';
