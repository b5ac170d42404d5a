-- Temporary: the columns of the filing part, until this branch stands on it.
alter table message
  add folder text not null default 'inbox',
  add flagged boolean not null default false,
  add marked_unread boolean not null default false,
  add note text,
  add note_version integer not null default 0,
  add binned_at timestamptz,
  add erased_at timestamptz;
