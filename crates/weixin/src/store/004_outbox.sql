-- What waits to leave, one row for each message on the wire. `place` is the row
-- that a message was first stored as: parts of one text share it. Replies have a
-- turn and a number, sends outside a turn may have a key, progress has neither.
-- state: 0 waits, 1 has left, 2 is parked until the peer writes, 3 is given up.
CREATE TABLE outgoing (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    account        TEXT NOT NULL,
    peer           TEXT NOT NULL,
    place          INTEGER NOT NULL,
    part           INTEGER NOT NULL DEFAULT 0,
    turn           INTEGER,
    number         INTEGER,
    key            TEXT,
    class          TEXT NOT NULL,
    payload        TEXT NOT NULL,
    item           TEXT,
    client_id      TEXT NOT NULL UNIQUE,
    run_id         TEXT,
    state          INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    code           TEXT,
    reason         TEXT,
    message_id     TEXT,
    created_at_ms  INTEGER NOT NULL,
    expires_at_ms  INTEGER NOT NULL,
    not_before_ms  INTEGER NOT NULL DEFAULT 0,
    settled_at_ms  INTEGER,
    UNIQUE (turn, number, part),
    UNIQUE (account, peer, key, part)
) STRICT;
INSERT INTO outgoing
    (id, account, peer, place, turn, number, class, payload, client_id, run_id, state, attempts,
     reason, message_id, created_at_ms, expires_at_ms, settled_at_ms)
SELECT id, account, peer, id, turn, number, iif(number IS NULL, 'progress', 'answer'), payload,
       client_id, run_id, iif(state = 2, 3, state), attempts, reason, message_id, created_at_ms,
       created_at_ms + 600000, coalesce(sent_at_ms, iif(state = 2, created_at_ms, NULL))
FROM outbox;
DROP TABLE outbox;
ALTER TABLE outgoing RENAME TO outbox;
CREATE INDEX outbox_open ON outbox (account, peer, place, part) WHERE state IN (0, 2);
CREATE INDEX outbox_settled ON outbox (account, settled_at_ms);
CREATE INDEX outbox_place ON outbox (place, part);

-- The name given to a peer here, and what the governor knows of the peer.
ALTER TABLE peer ADD COLUMN name TEXT;
ALTER TABLE peer ADD COLUMN budget TEXT;
-- The language that the peer writes.
ALTER TABLE peer ADD COLUMN language TEXT;
-- What the governor knows of the account.
ALTER TABLE account ADD COLUMN line TEXT;
