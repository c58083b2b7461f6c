-- How long a poll of this host may last before something on the way cuts it.
-- A host that is not here has never been seen to cut.
CREATE TABLE host (
    name           TEXT PRIMARY KEY,
    hold_limit_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
