-- Documents in two steps (docs/documents.md): a service's system uploads one, and letters refer to it. It is kept once, however many have it.

create table upload (
  sender_id uuid not null references service,
  id uuid not null,
  media_type text not null,
  size integer not null check (size > 0),
  -- In hexadecimal, as its sender said beforehand.
  declared_sha256 text,
  received integer not null default 0 check (received between 0 and size),
  -- Of what came, once all was there and checked. Before that no letter can have it.
  sha256 text check (sha256 is null or received = size),
  -- Where no letter has it then, it goes.
  expires_at timestamptz not null,
  primary key (sender_id, id)
);
-- Who begins the same document again gets the same upload.
create unique index upload_same on upload (sender_id, declared_sha256, media_type, size) where declared_sha256 is not null;
create index upload_expires on upload (expires_at);

-- Its bytes, a row for each piece, so that they are written and read without being in memory whole.
create table upload_chunk (
  sender_id uuid not null,
  upload_id uuid not null,
  starts_at integer not null,
  bytes bytea not null,
  primary key (sender_id, upload_id, starts_at),
  foreign key (sender_id, upload_id) references upload on delete cascade
);
alter table upload_chunk alter column bytes set storage external;

-- A file has bytes of its own, or an upload's, which cannot go while it has.
alter table file
  alter column bytes drop not null,
  add upload_sender_id uuid,
  add upload_id uuid,
  add foreign key (upload_sender_id, upload_id) references upload,
  add check (num_nonnulls(bytes, upload_id) = 1),
  add check ((upload_id is null) = (upload_sender_id is null));
create index file_upload on file (upload_id, mailbox_id) where upload_id is not null;

do $$
declare each text;
begin
  foreach each in array array['upload', 'upload_chunk'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy own on %I using (sender_id = any ((select scope_ids(''senders''))::uuid[]))', each);
  end loop;
end $$;
create policy ending on upload using ((select scope_is('upkeep')));
create policy ending on file for select using ((select scope_is('upkeep')) and upload_id is not null);

-- Of all letters that have it, one mailbox is asked for one that the scope may see: a leaflet may be in a million others.
create function is_in_letter(asked_sender_id uuid, asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (
    select from file join message on message.mailbox_id = file.mailbox_id and message.id = file.message_id
    where file.upload_id = asked_id and file.mailbox_id = scope_id('fileIn') and file.upload_sender_id = asked_sender_id
  );
end $$;
create policy of_letter on upload_chunk for select using (is_in_letter(sender_id, upload_id));
