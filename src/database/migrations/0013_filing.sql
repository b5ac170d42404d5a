-- What people do with their letters in their own mailbox: folders, flags, notes, the bin. A letter's row has the place that it has in
-- the mailbox; the sender's side of it does not change.

alter table message
  -- 'inbox', 'archive', 'bin', or the id of an own folder.
  add folder text not null default 'inbox',
  add flagged boolean not null default false,
  -- The reader's own mark on a letter that was opened: when it was opened is evidence, and never changes.
  add marked_unread boolean not null default false,
  add note text,
  add note_version integer not null default 0,
  add binned_at timestamptz,
  -- From then on nobody who reads the mailbox sees it. The row stays, as the sender's copy.
  add erased_at timestamptz;

-- Raised by whatever is filed, so that windows that are open can be told; arriving letters leave it alone, as two for one
-- mailbox must not wait for each other.
alter table mailbox add changed bigint not null default 0;

create table folder (
  mailbox_id uuid not null,
  id uuid not null,
  parent_id uuid,
  name text not null,
  primary key (mailbox_id, id),
  foreign key (mailbox_id, parent_id) references folder
);

-- What was done to which letters, and how each was before, so that it can be undone. Kept for a day.
create table filing (
  mailbox_id uuid not null,
  id uuid not null,
  by_id text not null,
  at timestamptz not null,
  what text not null,
  -- The folder that letters went to; null where they stayed.
  folder text,
  -- [{id, before: {...}, after: {...}}], of the columns above.
  letters jsonb not null,
  primary key (mailbox_id, id)
);
create index filing_at on filing (at);

-- Each new letter is written into as many indexes as before: the inbox has one of its own, and of what waits to be taken over only
-- what people write to services is indexed. All others are written when a letter is filed.
drop index message_unread;
create index message_unread on message (mailbox_id, folder, id) where (opened_at is null or marked_unread) and erased_at is null;
create index message_inbox on message (mailbox_id, id) where folder = 'inbox' and erased_at is null;
create index message_filed on message (mailbox_id, folder, id) where folder <> 'inbox' and erased_at is null;
create index message_flagged on message (mailbox_id, folder, id) where flagged and erased_at is null;
create index message_binned on message (binned_at) where folder = 'bin' and erased_at is null;
drop index message_not_taken_over;
create index message_not_taken_over on message (mailbox_id, service_id, id) where taken_over_at is null and sender_id <> service_id;

drop policy post on message;
create policy post on message for select
  using (
    ((mailbox_id = (select scope_id('mailbox')) and erased_at is null) or sender_id = any ((select scope_ids('senders'))::uuid[]))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    and ((select scope_texts('categories')) is null or category = any ((select scope_texts('categories'))::text[]))
    and (not recipient_only or (select scope_text('isHelper')) is distinct from 'true')
  );
-- Of one mailbox by its owner, or of all by the nightly job.
create policy erasing on message for select
  using ((select scope_is('erasing')) and folder = 'bin' and ((select scope_id('mailbox')) is null or mailbox_id = (select scope_id('mailbox'))));
create policy erasing_too on message for update
  using ((select scope_is('erasing')) and folder = 'bin' and ((select scope_id('mailbox')) is null or mailbox_id = (select scope_id('mailbox'))));
-- Whether anything is new in the mailboxes that are open in some window: asked for all of them at once.
create policy watching on message for select
  using ((select scope_is('watching')) and mailbox_id = any ((select scope_ids('watched'))::uuid[]) and erased_at is null);
create policy watching on mailbox for select using (scope_is('watching') and id = any (scope_ids('watched')));

do $$
declare each text;
begin
  foreach each in array array['folder', 'filing'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
    execute format('create policy merging on %I using ((select scope_is(''merge'')))', each);
  end loop;
end $$;

-- A folder's name tells of letters. Who sees some of the letters only sees the folders that hold some of these, and changes none.
create policy own on folder
  using (
    mailbox_id = (select scope_id('mailbox')) and (select scope_ids('services')) is null and (select scope_texts('categories')) is null
  );
create policy holding on folder for select
  using (
    mailbox_id = (select scope_id('mailbox'))
    and exists (
      select from message
      where message.mailbox_id = folder.mailbox_id and message.folder = folder.id::text and message.folder <> 'inbox' and message.erased_at is null
    )
  );
create policy own on filing using (mailbox_id = (select scope_id('mailbox')));
create policy ending on filing using ((select scope_is('upkeep')));
