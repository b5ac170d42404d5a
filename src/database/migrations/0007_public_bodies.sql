-- Public bodies look after their own staff and systems; two of them for what is dangerous; and what was done can be read.

create index staff_member_organisation on staff_member (organisation_id);
create index staff_role_service on staff_role (service_id);

-- What was changed in what staff may do. by_id null: the operator of the installation, by a declaration.
create table staff_change (
  organisation_id uuid not null references organisation,
  id uuid not null,
  at timestamptz not null,
  what text not null check (what in ('added', 'roles-changed', 'deactivated', 'activated')),
  staff_id uuid not null references staff_member,
  staff_name text not null,
  -- [{serviceId, role}]
  given jsonb not null default '[]',
  taken jsonb not null default '[]',
  -- The services that it is about.
  service_ids uuid[] not null,
  by_id uuid,
  by_name text not null,
  primary key (organisation_id, id)
);
create index staff_change_at on staff_change (organisation_id, at, id);

alter table client
  add is_active boolean not null default true,
  add registered_at timestamptz not null default now(),
  add last_used_at timestamptz,
  -- Raised by every change that a token must not outlive. A token says which version it was made for (registry/client-watch.ts).
  add version integer not null default 0,
  add changed_at timestamptz not null default '-infinity';
create index client_organisation on client (organisation_id);
create index client_changed on client (changed_at);

-- A system's public keys. One that was removed stays in the table: a declaration does not bring it back.
create table client_key (
  client_id text not null references client,
  -- RFC 7638
  thumbprint text not null,
  organisation_id uuid not null references organisation,
  jwk jsonb not null,
  added_at timestamptz not null,
  -- null: the operator of the installation, by a declaration, who needs no second person.
  added_by_id uuid references staff_member,
  added_by_name text not null,
  approved_by_name text,
  -- Until when it is taken.
  ends_at timestamptz,
  removed_at timestamptz,
  primary key (client_id, thumbprint)
);
create index client_key_organisation on client_key (organisation_id);

with key as (
  select client.id, client.organisation_id, jwk,
    case jwk ->> 'kty'
      when 'RSA' then format('{"e":%s,"kty":"RSA","n":%s}', jwk -> 'e', jwk -> 'n')
      when 'EC' then format('{"crv":%s,"kty":"EC","x":%s,"y":%s}', jwk -> 'crv', jwk -> 'x', jwk -> 'y')
      else format('{"crv":%s,"kty":"OKP","x":%s}', jwk -> 'crv', jwk -> 'x')
    end as canonical
  from client, jsonb_array_elements(client.jwks -> 'keys') as jwk
)
insert into client_key (client_id, thumbprint, organisation_id, jwk, added_at, added_by_name)
select id, rtrim(translate(encode(sha256(convert_to(canonical, 'UTF8')), 'base64'), '+/', '-_'), '='), organisation_id, jwk, now(),
  'The operator'
from key
on conflict do nothing;
alter table client drop column jwks;

create table client_change (
  organisation_id uuid not null references organisation,
  id uuid not null,
  at timestamptz not null,
  what text not null check (what in ('registered', 'changed', 'switched-off', 'switched-on', 'key-added', 'key-ended', 'key-removed')),
  client_id text not null references client,
  client_name text not null,
  -- By its thumbprint.
  key text,
  service_ids uuid[] not null,
  by_id uuid,
  by_name text not null,
  approved_by_name text,
  primary key (organisation_id, id)
);
create index client_change_at on client_change (organisation_id, at, id);

-- What one member of staff asks for, and another has to approve before it is done: see registry/approval.ts.
create table approval (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  kind text not null,
  -- Which services it is about: who decides must have the right for all of them, and so must still who asked.
  service_ids uuid[] not null check (service_ids <> '{}'),
  what jsonb not null,
  asked_by uuid not null references staff_member,
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  decided_by uuid references staff_member,
  decided_at timestamptz,
  decision text check (decision in ('approved', 'refused', 'withdrawn')),
  check (num_nonnulls(decided_by, decided_at, decision) in (0, 3)),
  check (decision is null or (decision = 'withdrawn') = (decided_by = asked_by))
);
create index approval_asked on approval (organisation_id, asked_at, id);
create index approval_decided on approval (organisation_id, decided_at, id) where decided_at is not null;

-- For the log of a service. A look-up has one row in lookup_log, beside one look for each who was found.
create index look_service on look (service_id, at, id) where by_kind in ('staff', 'system') and what <> 'looked-up';
create index lookup_log_at on lookup_log (service_id, at, id);
