-- What people say about themselves: their language, and where to tell them that there is post. And their sessions, so that they can end them.

-- Somebody's own choices. A table of its own, as who chooses must not change the rest of a party.
create table preference (
  party_id uuid primary key references party,
  -- Of pages and messages; null where nothing was chosen.
  language text check (language in ('en', 'cy')),
  -- When the first page of all was read. Who was there before it has no row, and is not shown it.
  welcomed_at timestamptz
);

-- Where somebody can be told that there is post.
create table contact_detail (
  party_id uuid not null references party,
  id uuid not null,
  kind text not null check (kind in ('email', 'mobile')),
  -- Bound to the id. The hash, by which the same one is not taken twice, is keyed.
  value_sealed bytea not null,
  value_hash bytea not null,
  created_at timestamptz not null,
  verified_at timestamptz,
  -- When its owner last said that it is still right.
  reconfirmed_at timestamptz,
  -- What was sent to it, until it is confirmed: keyed hashes of the code and of what the link holds.
  code_hash bytea,
  code_ends_at timestamptz,
  code_tries integer not null default 0,
  link_hash bytea,
  primary key (party_id, id),
  unique (party_id, value_hash)
);
create index contact_detail_waiting on contact_detail (created_at) where verified_at is null;
create unique index contact_detail_link on contact_detail (link_hash) where link_hash is not null;
-- The right one of several is the newest: an older mobile goes when a newer one is verified.
create unique index contact_detail_mobile on contact_detail (party_id) where kind = 'mobile' and verified_at is not null;

-- A message on its way out, by e-mail or SMS. Never without its cause: the row is written in the transaction of what it tells. What is
-- personal goes from the row when it is sent or given up; the rest stays, so that it can be counted.
create table outgoing (
  id uuid primary key,
  party_id uuid not null references party,
  kind text not null check (kind in ('email', 'mobile')),
  template text not null,
  language text not null check (language in ('en', 'cy')),
  -- To whom, and the words to fill in. Bound to the id.
  payload_sealed bytea,
  created_at timestamptz not null,
  -- Not sent after that: a code that has ended is of no use.
  ends_at timestamptz not null,
  due_at timestamptz not null,
  -- Somebody is sending it, and is given up after that.
  leased_until timestamptz,
  tries integer not null default 0,
  sent_at timestamptz,
  failed_at timestamptz,
  -- What went wrong at the last try, in a sentence that says nothing of whom or what.
  failure text
);
create index outgoing_due on outgoing (due_at) where sent_at is null and failed_at is null;
create index outgoing_party on outgoing (party_id, created_at);
create index outgoing_done on outgoing (created_at) where sent_at is not null or failed_at is not null;

alter table session
  -- By which its owner names it: nothing to sign in with.
  add id uuid not null default gen_random_uuid(),
  -- Browser and system, such as Firefox/Windows.
  add device text;
create unique index session_id on session (id);
create index session_party on session (party_id, last_seen_at) where party_id is not null;

do $$
declare each text;
begin
  foreach each in array array['preference', 'contact_detail', 'outgoing'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy merging on %I using (scope_is(''merge''))', each);
    execute format('create policy alerting on %I using (scope_is(''alerts''))', each);
  end loop;
end $$;

-- A helper's scope is that of the mailbox that is open, and so says whose party that is: but who helps has no business here.
create function is_own_person(asked_id uuid) returns boolean stable language sql
  return asked_id = scope_id('party') and scope_text('mailbox') is null;

create policy own on preference using (is_own_person(party_id));
create policy known on preference for select using (scope_is('sign-in'));
create policy signing_up on preference for insert with check (scope_is('sign-in'));
create policy own on contact_detail using (is_own_person(party_id));
-- A person writes to themselves, and sees how much was sent, but takes nothing back.
create policy own on outgoing for select using (is_own_person(party_id));
create policy telling on outgoing for insert with check (is_own_person(party_id));

create policy own on session for select using (is_own_person(party_id));
create policy own_ending on session for delete using (is_own_person(party_id));
