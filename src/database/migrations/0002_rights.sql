-- Who may be written to, and who may read and act for whom.

-- Kinds of post. A person consents to a category, and a helper may be let see some only. name: {language: text}.
create table category (
  slug text primary key,
  name jsonb not null
);
insert into category (slug, name) values ('general', '{"en": "General letters", "cy": "Llythyrau cyffredinol"}');

alter table message
  add category text not null default 'general',
  -- Helpers do not see it, not even that it exists.
  add recipient_only boolean not null default false,
  -- Who wrote it on the sender's behalf: a helper or an employee. Both sides see the name.
  add written_by_id uuid,
  add written_by_name text;

-- The name as it was when the message was sent.
alter table ledger add recipient_name text not null default '';

-- Whether a party can be reached. Nobody known by an identifier is unknown, and has no row.
alter table mailbox
  add registration text not null default 'registered' check (registration in ('registered', 'exempt', 'closed')),
  -- Before this, nobody can send: the grace period of a new business.
  add reachable_from timestamptz not null default '-infinity',
  -- Opened by consent: then only categories that are consented to are delivered.
  add by_consent boolean not null default false;

create table consent (
  party_id uuid not null references party,
  id uuid not null,
  category text not null references category,
  given_at timestamptz not null,
  -- What was shown, and in which language.
  wording text not null,
  language text not null,
  withdrawn_at timestamptz,
  primary key (party_id, id)
);
create unique index consent_current on consent (party_id, category) where withdrawn_at is null;

-- For the schemes of the whole installation (a NINO, a company number) service_id is all zeros: see registry/scheme.ts.
alter table link drop constraint link_service_id_fkey;

create table registrar (
  id uuid primary key,
  -- Who this is at the OpenID provider of the staff.
  subject text not null unique,
  name text not null,
  is_active boolean not null default true
);

-- One party lets another into its mailbox.
create table access_grant (
  id uuid primary key,
  giver_id uuid not null references party,
  -- Nobody until it is accepted.
  holder_id uuid references party,
  -- The last four are by law: a registrar enters them, with a document.
  kind text not null check (kind in ('helper', 'employee', 'adviser', 'guardian', 'attorney', 'executor', 'insolvency-practitioner')),
  -- What may be done with the post.
  role text not null check (role in ('none', 'reader', 'writer')),
  -- Of a business: may let others in, and end that.
  is_administrator boolean not null default false,
  -- Limits; null is none.
  service_ids uuid[] check (service_ids <> '{}'),
  categories text[] check (categories <> '{}'),
  starts_at timestamptz not null,
  ends_at timestamptz,
  -- As the giver wrote it; once accepted, the name of the holder is that of its party.
  holder_name text not null,
  offered_at timestamptz not null,
  offered_by_name text not null,
  -- Of the code that the other side accepts with. Gone once it was used.
  invitation_hash bytea unique,
  invitation_ends_at timestamptz,
  accepted_at timestamptz,
  declined_at timestamptz,
  ended_at timestamptz,
  ended_by_name text,
  check (ends_at is null or ends_at > starts_at),
  check (holder_id is distinct from giver_id),
  check ((accepted_at is null) = (holder_id is null))
);
create index access_grant_giver on access_grant (giver_id);
create index access_grant_holder on access_grant (holder_id);

-- What each member of a public body's staff may do, for each service (access/rights.ts).
create table staff_role (
  staff_id uuid not null references staff_member on delete cascade,
  service_id uuid not null references service,
  role text not null,
  primary key (staff_id, service_id, role)
);
insert into staff_role (staff_id, service_id, role)
select staff_member.id, service_id, role
from staff_member, unnest(service_ids) as service_id, unnest(array['post-reader', 'post-writer']) as role;
alter table staff_member
  drop column service_ids,
  add is_active boolean not null default true;

alter table session
  -- The mailbox that a helper has open; their own where null.
  add grant_id uuid references access_grant,
  add registrar_id uuid references registrar,
  drop constraint session_check,
  add constraint session_one_owner check (num_nonnulls(party_id, staff_id, registrar_id) = 1);

-- Every look into what is somebody's: by whom, at what, when, and why where that must be said. For the owner to see.
create table look (
  party_id uuid not null references party,
  id uuid not null,
  at timestamptz not null,
  by_kind text not null,
  by_id text not null,
  by_name text not null,
  -- See access/look.ts.
  what text not null,
  message_id uuid,
  service_id uuid,
  reason text,
  primary key (party_id, id)
);
