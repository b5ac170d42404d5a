-- Search (docs/decisions/0015-search.md): for each mailbox that is searched at all, which words stand in which of its letters.

create table search_state (
  mailbox_id uuid primary key,
  -- Of the way in which words are made: of another one, the index is made anew.
  version integer not null,
  last_number integer not null default 0,
  -- Letters from here on are looked through for those that are not in the index yet: ids are not quite in the order of commits.
  recheck_from uuid not null default '00000000-0000-0000-0000-000000000000',
  -- When the job is to look at this mailbox, or to do it again if whoever has begun does not finish.
  wanted_at timestamptz
);
create index search_state_wanted on search_state (wanted_at) where wanted_at is not null;

-- Letters have small numbers in the index of their mailbox. A number is never given twice.
create table search_letter (
  mailbox_id uuid not null,
  number integer not null,
  message_id uuid not null,
  primary key (mailbox_id, number)
);
create unique index search_letter_message on search_letter (mailbox_id, message_id);

-- In which letters a word stands (mailbox/search-postings.ts). In the order of bytes, so that a range of the key is a beginning of words; and
-- comparing text may use an index under row-level security, where looking into a tsvector may not.
create table search_word (
  mailbox_id uuid not null,
  word text collate "C" not null,
  letters bytea not null,
  primary key (mailbox_id, word)
) with (fillfactor = 80);

-- What was read out of a document.
create table document_text (
  mailbox_id uuid not null,
  file_id uuid not null,
  message_id uuid not null,
  state text not null default 'waiting' check (state in ('waiting', 'read', 'failed')),
  -- Why it could not be read.
  reason text,
  tries integer not null default 0,
  leased_until timestamptz,
  -- Its beginning, to show where a word was found.
  text text,
  read_at timestamptz,
  primary key (mailbox_id, file_id)
);
create index document_text_message on document_text (mailbox_id, message_id);
create index document_text_waiting on document_text (mailbox_id, message_id) where state = 'waiting';

-- Of a person, whoever's mailbox they search.
create table saved_search (
  party_id uuid not null,
  id uuid not null,
  name text not null,
  -- What was asked for, as the page has it in its address.
  asked jsonb not null,
  created_at timestamptz not null,
  primary key (party_id, id)
);

create index message_noted on message (mailbox_id, id) where note is not null;
create index message_erased on message (mailbox_id, id) where erased_at is not null;

do $$
declare each text;
begin
  foreach each in array array['search_state', 'search_letter', 'search_word', 'document_text', 'saved_search'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy merging on %I using ((select scope_is(''merge'')))', each);
  end loop;
  -- The words of a mailbox are of all its letters: who sees some of them only asks by this purpose too, and what is found is
  -- shown as far as the policies of message let it through.
  foreach each in array array['search_letter', 'search_word', 'document_text'] loop
    execute format('create policy searching on %I using ((select scope_is(''search'')) and mailbox_id = (select scope_id(''mailbox'')))', each);
  end loop;
end $$;

-- The job asks which mailboxes there are to do. It says nothing of any letter.
create policy searching on search_state using ((select scope_is('search')));

-- What was erased leaves the index soon, whether or not anybody searches again. Whoever erases need not know of it.
create function want_forgetting() returns trigger language plpgsql as $$
begin
  update search_state set wanted_at = least(wanted_at, new.erased_at) where mailbox_id = new.mailbox_id;
  return null;
end $$;
create trigger want_forgetting after update of erased_at on message
  for each row when (old.erased_at is null and new.erased_at is not null) execute function want_forgetting();
create policy forgetting on search_state for select using ((select scope_is('erasing')));
create policy forgetting_soon on search_state for update using ((select scope_is('erasing')));

-- Of letters that were erased, that they are to go from the index too. Whoever reads the mailbox does not see them: their scope names a party.
create policy forgetting on message for select
  using (
    (select scope_is('search') and scope_text('party') is null) and mailbox_id = (select scope_id('mailbox')) and erased_at is not null
  );
create policy of_message on document_text for select
  using (
    mailbox_id = (select scope_id('mailbox'))
    and exists (select from message where message.mailbox_id = document_text.mailbox_id and message.id = document_text.message_id)
  );
create policy own on saved_search using (party_id = (select scope_id('party')));
