-- What a letter asks its reader to do (documents/action.ts): a payment, an appointment, something to confirm. One list of them across all senders.

create table action (
  mailbox_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  ordinal smallint not null,
  -- As of its message, so that what limits a reader of that limits them here.
  sender_id uuid not null,
  service_id uuid not null,
  category text not null,
  recipient_only boolean not null,
  kind text not null
    check (kind in ('pay', 'book', 'sign', 'confirm', 'prepare', 'self-service', 'information', 'sign-up')),
  -- What its sender said of it, as canonical JSON: the evidence has the digest of these bytes.
  said text not null,
  -- From when it can be done, until when it should be, and when an appointment is.
  starts_at timestamptz,
  ends_at timestamptz,
  meets_at timestamptz,
  state text not null default 'open' check (state in ('open', 'started', 'done', 'failed', 'cancelled')),
  state_at timestamptz not null,
  -- Null where the owner of the mailbox did it, or nobody has yet.
  changed_by_name text,
  primary key (mailbox_id, id)
);
create index action_message on action (mailbox_id, message_id, ordinal);
create index action_due on action (mailbox_id, ends_at, id) where state in ('open', 'started', 'failed');
create index action_over on action (mailbox_id, state_at desc, id) where state in ('done', 'cancelled');
create index action_meets on action (mailbox_id, meets_at) where meets_at is not null;

-- Which sites a public body's letters may lead to: host names, or in a demo origins of this machine.
create table action_host (
  organisation_id uuid not null,
  host text not null,
  added_at timestamptz not null,
  added_by_name text not null,
  primary key (organisation_id, host)
);

-- By which account at GOV.UK Pay a service takes payments. Its id stands in the address of the webhook.
create table pay_account (
  service_id uuid primary key references service,
  id uuid not null unique,
  token_sealed bytea not null,
  webhook_secret_sealed bytea,
  changed_at timestamptz not null,
  changed_by_name text not null
);

-- A try to pay. Only one of an action is under way.
create table payment (
  mailbox_id uuid not null,
  id uuid not null,
  action_id uuid not null,
  message_id uuid not null,
  service_id uuid not null,
  -- Who pays, as evidence keeps it.
  by jsonb not null,
  door text not null,
  -- Null until the provider has answered; meanwhile whoever asked holds the lease.
  provider_id text,
  leased_until timestamptz,
  state text not null default 'created' check (state in ('created', 'success', 'failed', 'cancelled', 'error')),
  state_at timestamptz not null,
  created_at timestamptz not null,
  primary key (mailbox_id, id)
);
create unique index payment_live on payment (mailbox_id, action_id) where state = 'created';
create unique index payment_provider on payment (service_id, provider_id) where provider_id is not null;

-- A private address at which a calendar program reads what is due. Only a hash of the secret in it is kept.
create table calendar_feed (
  mailbox_id uuid primary key,
  token_hash bytea not null unique,
  -- Says that there is something, and not what.
  is_discreet boolean not null,
  language text not null,
  created_at timestamptz not null
);

do $$
declare each text;
begin
  foreach each in array array['action', 'action_host', 'pay_account', 'payment', 'calendar_feed'] loop
    execute format('alter table %I enable row level security', each);
    execute format('alter table %I force row level security', each);
    execute format('create policy upkeep on %I to current_user using (scope_is(''owner'')) with check (scope_is(''owner''))', each);
  end loop;
end $$;

-- As message.
create policy post on action for select
  using (
    (mailbox_id = (select scope_id('mailbox')) or sender_id = any ((select scope_ids('senders'))::uuid[]))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    and ((select scope_texts('categories')) is null or category = any ((select scope_texts('categories'))::text[]))
    and (not recipient_only or (select scope_text('isHelper')) is distinct from 'true')
  );
create policy received on action for update
  using (
    mailbox_id = (select scope_id('mailbox'))
    and ((select scope_ids('services')) is null or service_id = any ((select scope_ids('services'))::uuid[]))
    and ((select scope_texts('categories')) is null or category = any ((select scope_texts('categories'))::text[]))
    and (not recipient_only or (select scope_text('isHelper')) is distinct from 'true')
  );
create policy sending on action for insert with check (scope_is('delivery'));
create policy merging on action using (scope_is('merge'));

create policy own on action_host using (organisation_id = scope_id('organisation'));
create policy registry on action_host using (scope_is('registry'));
create policy sending on action_host for select using (scope_is('delivery'));

create policy own on pay_account using (service_id = any (scope_ids('ownServices')));
create policy registry on pay_account using (scope_is('registry'));
create policy paying on pay_account for select using (scope_is('paying', 'delivery'));

create policy own on payment
  using (
    mailbox_id = scope_id('mailbox')
    and exists (select from action where action.mailbox_id = payment.mailbox_id and action.id = payment.action_id)
  );
create policy paying on payment for select using (scope_is('paying'));
create policy merging on payment using (scope_is('merge'));

create policy own on calendar_feed using (mailbox_id = scope_id('mailbox') and scope_text('isHelper') is distinct from 'true');
create policy reading on calendar_feed for select using (scope_is('calendar'));
create policy merging on calendar_feed using (scope_is('merge'));
