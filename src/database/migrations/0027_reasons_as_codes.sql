-- Why a row of a mailing is wrong, and why a webhook's delivery failed, as a code with its values, {"code", …}: a page says it in the language of
-- its reader. What was written down before is one of the sentences below: each becomes its code, so that there is one kind of either.

-- What is wrong with a row (RowFault of delivery/mailing.ts). It repeats nothing that stands in it. Sentences named a kind of identifier by its
-- name, and not by its scheme: pages show what is no scheme as it is.
alter table mailing_error alter message type jsonb using case
  when message = 'This is empty.' then '{"code": "empty"}'
  when message like 'This is a formula.%' then '{"code": "formula"}'
  when message = 'The spreadsheet shows an error here.' then '{"code": "spreadsheet-error"}'
  when message like 'The spreadsheet has shortened this number.%' then '{"code": "number-shortened"}'
  when message = 'A letter of your service has this reference already.' then '{"code": "reference-of-letter"}'
  when message like 'This row has % cells, and the first row has %' then jsonb_build_object('code', 'cell-count',
    'cells', substring(message from '^This row has (\d+)')::integer, 'columns', substring(message from 'the first row has (\d+)')::integer)
  when message like 'Your service uses no such kind of identifier. Use %.' then jsonb_build_object('code', 'scheme-not-allowed',
    'allowed', replace(substring(message from ' Use (.*)\.$'), ' or ', ', '))
  when message like 'This does not have the form of a %.' then jsonb_build_object('code', 'identifier-form',
    'scheme', substring(message from 'the form of a (.*)\.$'))
  when message like 'The check digit of this % is wrong.' then jsonb_build_object('code', 'identifier-check-digit',
    'scheme', substring(message from 'digit of this (.*) is wrong\.$'))
  when message like 'This is longer than % characters.' then jsonb_build_object('code', 'too-long',
    'max', substring(message from '\d+')::integer)
  when message like 'With these values the subject is longer than %' then jsonb_build_object('code', 'subject-too-long',
    'max', substring(message from '[\d,]+(?= characters)'))
  when message like 'With these values the letter is longer than %' then jsonb_build_object('code', 'letter-too-long',
    'max', substring(message from '[\d,]+(?= characters)'))
  when message like 'This is the reference of row %' then jsonb_build_object('code', 'reference-repeated',
    'row', substring(message from '\d+')::integer)
  when message like 'This is the recipient of row %' then jsonb_build_object('code', 'recipient-repeated',
    'row', substring(message from '\d+')::integer)
end;
alter table mailing_error rename message to fault;

-- What went wrong at the last try (Failure of evidence/webhook.ts).
alter table webhook_delivery alter failure type jsonb using case
  when failure = 'The address is not allowed.' then '{"code": "address-not-allowed"}'
  when failure = 'The address leads to a network that is not public.' then '{"code": "network-not-public"}'
  when failure = 'The receiver could not be reached (no reason given).' then '{"code": "not-reached"}'
  when failure like 'The receiver could not be reached (%' then jsonb_build_object('code', 'not-reached-because',
    'reason', substring(failure from '\((.*)\)'))
  when failure like 'The receiver did not answer within %' then jsonb_build_object('code', 'no-answer',
    'seconds', substring(failure from '\d+')::integer)
  when failure like 'The receiver answered %' then jsonb_build_object('code', 'answered', 'status', substring(failure from '\d+')::integer)
end;
