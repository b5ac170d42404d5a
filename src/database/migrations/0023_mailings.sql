-- Letters that staff send to many at once: templates, and mailings made of a template and the rows of a spreadsheet (docs/mailings.md).

create table letter_template (
  sender_id uuid not null references service,
  id uuid not null,
  -- The newest. Whoever saves says which one they changed.
  version integer not null,
  archived_at timestamptz,
  archived_by_name text,
  primary key (sender_id, id)
);

-- Every save is one more, and none is ever changed: a mailing keeps the one that it was made with.
create table letter_template_version (
  sender_id uuid not null,
  template_id uuid not null,
  version integer not null,
  name text not null,
  category text not null,
  reply_allowed boolean not null,
  recipient_only boolean not null,
  -- [{language, subject, body}]
  content jsonb not null,
  saved_at timestamptz not null,
  saved_by_name text not null,
  primary key (sender_id, template_id, version),
  foreign key (sender_id, template_id) references letter_template
);

create table mailing (
  sender_id uuid not null,
  id uuid not null,
  name text not null,
  template_id uuid not null,
  template_version integer not null,
  state text not null default 'new' check (state in ('new', 'checking', 'refused', 'ready', 'sending', 'sent', 'stopped')),
  -- The file whose rows are checked, or sent.
  file_id uuid,
  created_at timestamptz not null,
  created_by_name text not null,
  -- Once somebody has said that it is to be sent: the batch that its letters are of, who said so, as whom the worker acts, and when the letters
  -- are to be available.
  batch_id uuid,
  sent_at timestamptz,
  sent_by jsonb,
  available_from timestamptz,
  -- Rows up to this one have been taken by the batch, or refused by it.
  sent_to integer not null default 0,
  ended_at timestamptz,
  -- A problem's code: why the worker cannot go on just now.
  waits_because text,
  -- One process works on it at a time, and another takes over when that one has said nothing for so long.
  leased_until timestamptz not null default '-infinity',
  primary key (sender_id, id),
  foreign key (sender_id, template_id, template_version) references letter_template_version,
  check ((batch_id is null) = (sent_by is null) and (state not in ('sending', 'sent', 'stopped')) = (batch_id is null))
);
create index mailing_at_work on mailing (leased_until) where state in ('checking', 'sending');

-- A file of a mailing. The mailing has one file at a time. One that was sent before, was cut off, or whose mailing is gone is deleted with its
-- rows soon (delivery/forget-rows.ts): there may be too many for one statement.
create table mailing_file (
  sender_id uuid not null,
  id uuid not null,
  mailing_id uuid not null,
  -- What kind of identifier it has where it does not say.
  scheme text not null,
  -- Whether one recipient may get several of these letters.
  several_allowed boolean not null,
  staged_at timestamptz not null,
  staged_by_name text not null,
  -- Who sent it, as whom the worker looks recipients up.
  staged_by jsonb not null,
  -- How many rows have a letter, once all have been read.
  rows integer,
  -- Rows up to this one have been looked up.
  looked_up_to integer not null default 0,
  primary key (sender_id, id)
);

-- A row of a file, until its letter is accepted. Its identifier can be found by its hash, and read by who has the key.
create table mailing_row (
  sender_id uuid not null,
  file_id uuid not null,
  -- As the spreadsheet numbers it.
  row integer not null,
  scheme text not null,
  identifier_hash bytea not null,
  identifier_sealed bytea not null,
  reference text,
  -- In the order of the template's placeholders.
  cells text[] not null,
  -- Why its recipient cannot be reached here.
  refusal text,
  primary key (sender_id, file_id, row)
);
create index mailing_row_identifier on mailing_row (sender_id, file_id, identifier_hash, row);
create index mailing_row_reference on mailing_row (sender_id, file_id, reference, row) where reference is not null;
create index mailing_row_refused on mailing_row (sender_id, file_id, row) where refusal is not null;

-- What is wrong with a row, in a sentence that repeats nothing of it.
create table mailing_error (
  sender_id uuid not null,
  file_id uuid not null,
  row integer not null,
  -- Several of one row are apart by this.
  ordinal integer not null,
  -- Null where it is about the whole row.
  column_name text,
  message text not null,
  primary key (sender_id, file_id, row, ordinal)
);

do $$
declare each text;
begin
  foreach each in array array['letter_template', 'letter_template_version', 'mailing', 'mailing_file', 'mailing_row', 'mailing_error'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy own on %I using (sender_id = any ((select scope_ids(''senders''))::uuid[]))', each);
  end loop;
  -- What is old is deleted for all services at once.
  foreach each in array array['mailing', 'mailing_file', 'mailing_row', 'mailing_error'] loop
    execute format('create policy forgetting on %I using (scope_is(''upkeep''))', each);
  end loop;
end $$;
-- Which of all mailings there is something to do for.
create policy working on mailing for select using (scope_is('delivery'));
