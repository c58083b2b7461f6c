-- The last try, while its outcome is not known: it has been counted. NULL when
-- nothing was tried, or when what became of it is known.
ALTER TABLE outbox ADD COLUMN begun TEXT;
