-- A business can hold a grant as well: a firm of accountants. Its employees open the giver's mailbox through it, by two grants.

alter table access_grant
  add holder_is_business boolean not null default false,
  -- Who accepted it for a business.
  add accepted_by_name text,
  add constraint access_grant_firm check (not holder_is_business or kind in ('helper', 'adviser'));

alter table session
  -- The grant of a firm to the person, where the one in grant_id is held by that firm.
  add via_grant_id uuid references access_grant;

-- What two limits have in common, null being none. An empty list leaves nothing.
create function in_both(one anyarray, other anyarray) returns anyarray immutable language sql as $$
  select case
    when one is null then other
    when other is null then one
    else array(select each from unnest(one) as each where each = any (other))
  end
$$;

-- For whoever works for a firm: what the firm holds now, and neither what it has given nor what is over.
create policy of_firm on access_grant for select
  using (holder_id = any (scope_ids('firms')) and holder_is_business and ended_at is null);

-- As before, but for that list: it takes the names from the grants, and shows no party.
create or replace function is_in_a_grant(asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return scope_text('firms') is null
    and (exists (select from access_grant where giver_id = asked_id) or exists (select from access_grant where holder_id = asked_id));
end $$;
