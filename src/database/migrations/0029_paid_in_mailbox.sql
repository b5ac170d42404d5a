-- What has become of a payment is noted in its mailbox, so that open windows show it: by the provider's word too, where nobody is signed in.
create policy paid on mailbox for select using (scope_is('paying') and id = scope_id('mailbox'));
create policy noting_paid on mailbox for update using (scope_is('paying') and id = scope_id('mailbox'));
