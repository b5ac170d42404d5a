-- Where at a public body one may write to: points, in a tree of groups. Texts are {language: text}.

create table contact_group (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  parent_id uuid references contact_group,
  slug text not null,
  name jsonb not null,
  description jsonb not null default '{}',
  -- Counts the changes, so that of two who edit at once the later is told.
  version integer not null default 1,
  changed_at timestamptz not null,
  changed_by_name text not null,
  unique (organisation_id, slug),
  check (parent_id <> id)
);
create index contact_group_parent on contact_group (parent_id);

create table contact_point (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  -- What is written here goes to this service, and the answer comes from it.
  service_id uuid not null references service,
  group_id uuid references contact_group,
  slug text not null,
  name jsonb not null,
  description jsonb not null default '{}',
  -- Other words for it, that people look for.
  search_words jsonb not null default '{}',
  -- Kinds of party that may write here.
  audience text[] not null check (audience <> '{}' and audience <@ array['person', 'business', 'public-body']),
  -- What the writer is asked, beside the message: [{label, hint, required, maxLength}].
  asks jsonb not null default '[]' check (jsonb_array_length(asks) <= 2),
  -- Limits for what is sent with a message; null is the installation's own.
  files_max integer check (files_max between 0 and 50),
  megabytes_max integer check (megabytes_max between 1 and 25),
  -- One fills in this form instead of writing.
  form_url text check (form_url like 'https://%'),
  -- May be written to.
  active boolean not null default true,
  -- Is found by browsing and searching; otherwise by its address only.
  visible boolean not null default true,
  version integer not null default 1,
  changed_at timestamptz not null,
  changed_by_name text not null,
  -- See contact_words.
  search tsvector not null default '',
  unique (organisation_id, slug)
);
create index contact_point_group on contact_point (group_id);
create index contact_point_service on contact_point (service_id);
create index contact_point_search on contact_point using gin (search);

-- As they are written, and by the stems of English words: PostgreSQL knows none of Welsh.
create function weighted_words(texts jsonb, weight "char") returns tsvector language sql immutable as $$
  select setweight(to_tsvector('simple', words) || to_tsvector('english', words), weight)
  from (select coalesce(string_agg(value, ' '), '') from jsonb_each_text(texts)) as joined (words)
$$;

-- All words by which a contact point is found: its own, and those of its groups, its service and its public body.
create function contact_words(point_id uuid) returns tsvector language sql stable as $$
  with recursive above as (
    select contact_group.* from contact_point join contact_group on contact_group.id = contact_point.group_id
    where contact_point.id = point_id
    union
    select contact_group.* from above join contact_group on contact_group.id = above.parent_id
  )
  select weighted_words(point.name, 'A')
    || weighted_words(point.search_words, 'B')
    || weighted_words(point.description, 'C')
    || weighted_words(jsonb_build_object('en', service.name), 'C')
    || weighted_words(coalesce((select jsonb_object_agg(above.id, (select string_agg(value, ' ') from jsonb_each_text(name))) from above), '{}'), 'C')
    || weighted_words(jsonb_build_object('en', party.name), 'D')
  from contact_point point
  join service on service.id = point.service_id
  join party on party.id = point.organisation_id
  where point.id = point_id
$$;

-- Every service can be written to by one point at least: a general one where it has no other. By its slug it keeps its address.
insert into contact_point (id, organisation_id, service_id, slug, name, description, audience, changed_at, changed_by_name)
select gen_random_uuid(), organisation_id, id, slug, jsonb_build_object('en', name),
       case when description = '' then '{}' else jsonb_build_object('en', description) end,
       array['person', 'business', 'public-body'], now(), 'Digital Post'
from service;
update contact_point set search = contact_words(id);

-- Where a message was written to, as it was then, and what its writer was asked: {pointId, pointName, fields: [{label, value}]}.
alter table message add contact jsonb;
