-- Service links: a person links a service from inside the mailbox, or from the service's own site (docs/service-links.md).

-- Where a service takes part in it. The name is that of its site, where that is another than the service's.
alter table service
  add linking_address text,
  add linking_issuer text,
  add linking_jwks_url text,
  add linking_name text,
  add constraint service_linking check (num_nulls(linking_address, linking_issuer, linking_jwks_url) in (0, 3));

-- By which its page names it: the identifier is in no address.
alter table link add id uuid not null default gen_random_uuid();
create unique index link_id on link (id);

-- A link under way. It holds an identifier, as link does, from the service's answer on; a job deletes it when its time is over.
create table link_request (
  id uuid primary key,
  service_id uuid not null references service,
  kind text not null check (kind in ('request', 'offer')),
  -- Whose it is, and stays. Of an offer nobody's, until somebody who is signed in opens it.
  party_id uuid references party on delete cascade,
  -- See registry/link-request.ts.
  state text not null,
  -- Of what the service's answer must repeat.
  nonce_hash bytea unique,
  -- Of what only the browser knows that brought the service's answer.
  code_hash bytea unique,
  scheme text,
  value_hash bytea,
  value_sealed bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  check (kind = 'offer' or party_id is not null),
  check (num_nulls(code_hash, scheme, value_hash, value_sealed) = case state when 'asked' then 4 else 0 end)
);
create index link_request_party on link_request (party_id);
create index link_request_expires on link_request (expires_at);

-- The service is told that somebody else has claimed an identifier that is linked: its records may name two people by it.
alter table recipient_change add contested boolean not null default false;
