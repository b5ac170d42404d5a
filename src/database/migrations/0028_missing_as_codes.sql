-- What a checkpoint does not have, as codes with their values, [{"code", …}] (Missing of evidence/missing.ts), beside the sentences in `missing`: a page
-- says it in the language of its reader. Null where nothing is missing, and where only the sentences were written down.
alter table log_checkpoint add missing_codes jsonb;

-- Why a letter is pending stands in withheld_message.why. Nothing reads `pending_because`, or writes it, but a program of before.
comment on column ledger.pending_because is 'As it was before withheld_message.why said it.';
