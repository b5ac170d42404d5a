-- PostgreSQL asks a table's policies in the reverse order of their names, until one says yes. The only one of event that looks into another
-- table, in PL/pgSQL, was asked first: for each event that the log took in, and each line of a sender's feed. Now it is asked last.
alter policy received on event rename to addressed;

-- One answer for a statement instead of one for each row: the log writes thousands at a time.
do $$
declare each text;
begin
  foreach each in array array['evidence_seal', 'evidence_jws', 'log_tile', 'log_entries', 'log_checkpoint'] loop
    execute format('alter policy evidence on %I using ((select scope_is(''evidence'')))', each);
  end loop;
end $$;
