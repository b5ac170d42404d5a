-- What invitations, and entries by a registrar, need beside the grant itself.

alter table access_grant
  -- As they were when the grant was made: the other side reads them, and sees nothing else of the giver's.
  add giver_name text not null default '',
  add giver_is_business boolean not null default false,
  -- The owner, an administrator or a registrar.
  add offered_by_id uuid,
  -- Who entered the code last, and so may accept or decline.
  add shown_to_id uuid references party,
  -- In whose place it came, when what a business's people may do was changed.
  add replaces_id uuid references access_grant,
  -- Why, where a registrar entered or ended it.
  add reason text,
  add end_reason text;
create index access_grant_shown_to on access_grant (shown_to_id) where accepted_at is null;

-- By which a registrar entered a grant: a court order, a power of attorney. party_id is of the giver.
create table grant_document (
  party_id uuid not null references party,
  grant_id uuid not null references access_grant,
  filename text not null,
  media_type text not null,
  bytes bytea not null,
  primary key (party_id, grant_id)
);

-- Codes of invitations that a party tried in this hour and that led to none: nobody can guess one.
create table grant_attempt (
  party_id uuid primary key references party,
  began_at timestamptz not null,
  tries integer not null
);
