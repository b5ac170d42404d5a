-- What somebody has sent is in the index of their own mailbox too (docs/decisions/0015-search.md), and is read with those to whom it went.

-- The job has to know whose ledger belongs to the mailbox that it works on.
create policy searching on mailbox for select using (scope_is('search') and id = scope_id('mailbox'));

-- Whether the scope sees this message as one that was sent. Asked of what was read out of documents, where it is not of a letter received.
create function is_sent(asked_id uuid) returns boolean stable language plpgsql as $$
begin
  return exists (
    select from ledger join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ledger.sender_id = any (scope_ids('senders')) and ledger.message_id = asked_id
  );
end $$;
create policy as_sent on document_text for select using (mailbox_id = (select scope_id('mailbox')) and is_sent(message_id));
