-- How far each account has been read, and where it stood last. The cursor moves
-- in the transaction that stores what came before it.
CREATE TABLE account (
    id               TEXT PRIMARY KEY,
    cursor           TEXT NOT NULL DEFAULT '',
    state            TEXT,
    last_poll_at_ms  INTEGER
) STRICT, WITHOUT ROWID;

-- The newest context token of each peer: proof that we may answer.
CREATE TABLE peer (
    account        TEXT NOT NULL,
    peer           TEXT NOT NULL,
    context_token  TEXT NOT NULL,
    token_at_ms    INTEGER NOT NULL,
    PRIMARY KEY (account, peer)
) STRICT, WITHOUT ROWID;

-- Each message once. state: 0 waits, 1 is with the host, 2 is done; then the
-- body is gone and the row remains to recognise copies.
CREATE TABLE inbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account         TEXT NOT NULL,
    peer            TEXT NOT NULL,
    dedupe          TEXT NOT NULL,
    body            TEXT,
    run_id          TEXT NOT NULL,
    state           INTEGER NOT NULL DEFAULT 0,
    offers          INTEGER NOT NULL DEFAULT 0,
    sent_at_ms      INTEGER NOT NULL,
    received_at_ms  INTEGER NOT NULL,
    UNIQUE (account, dedupe)
) STRICT;
CREATE INDEX inbox_waiting ON inbox (account, peer, id) WHERE state = 0;

-- Each reply. state: 0 waits, 1 has left, 2 is parked with a reason. Replies
-- have a number within their turn, progress has none.
CREATE TABLE outbox (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    account        TEXT NOT NULL,
    peer           TEXT NOT NULL,
    turn           INTEGER NOT NULL,
    number         INTEGER,
    payload        TEXT NOT NULL,
    client_id      TEXT NOT NULL UNIQUE,
    run_id         TEXT NOT NULL,
    state          INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    reason         TEXT,
    message_id     TEXT,
    created_at_ms  INTEGER NOT NULL,
    sent_at_ms     INTEGER,
    UNIQUE (turn, number)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (account, peer, id) WHERE state = 0;
CREATE INDEX outbox_sent ON outbox (account, sent_at_ms);
CREATE INDEX inbox_received ON inbox (account, received_at_ms);
