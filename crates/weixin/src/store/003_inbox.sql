-- When each peer wrote last. `token_at_ms` is from here on when the message was
-- said that brought the token, so that a late copy of an older one does not
-- replace it.
ALTER TABLE peer ADD COLUMN last_inbound_at_ms INTEGER;
UPDATE peer SET last_inbound_at_ms = token_at_ms, token_at_ms = 0;
CREATE INDEX peer_any_case ON peer (account, peer COLLATE NOCASE);

-- kind: 0 words, 1 media alone, 2 a turn of its own, 3 a turn of its own at once.
-- turn: the first message of the turn that this one was handed over in; the
-- same ones make the same turn after a crash. state 3: set aside with a reason
-- after so many failures; the body is kept.
ALTER TABLE inbox ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN turn INTEGER;
ALTER TABLE inbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN reason TEXT;
UPDATE inbox SET turn = id WHERE offers > 0 AND state < 2;
CREATE INDEX inbox_turn ON inbox (turn) WHERE turn IS NOT NULL;
CREATE INDEX inbox_unfinished ON inbox (account, state) WHERE state <> 2;

-- All ids of each message, to recognise copies that carry fewer of them.
CREATE TABLE inbox_key (
    account  TEXT NOT NULL,
    key      TEXT NOT NULL,
    rank     INTEGER NOT NULL,
    row      INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_key_row ON inbox_key (row);
INSERT INTO inbox_key (account, key, rank, row)
    SELECT account,
           CASE WHEN dedupe LIKE 'client:%'
                THEN 'client:' || lower(peer) || '/' || substr(dedupe, 8)
                ELSE dedupe END,
           CASE WHEN dedupe LIKE 'message:%' THEN 0 WHEN dedupe LIKE 'item:%' THEN 1
                WHEN dedupe LIKE 'client:%' THEN 2 WHEN dedupe LIKE 'seq:%' THEN 3
                ELSE 4 END,
           id
    FROM inbox;

-- What was said in either direction, by the backend's id, for quotes that carry
-- nothing but that id. author: 0 the peer, 1 we. media: a list as JSON; their
-- files are kept in a folder beside.
CREATE TABLE quote (
    account        TEXT NOT NULL,
    peer           TEXT NOT NULL COLLATE NOCASE,
    message_id     TEXT NOT NULL,
    author         INTEGER NOT NULL,
    text           TEXT NOT NULL,
    media          TEXT NOT NULL DEFAULT '[]',
    media_bytes    INTEGER NOT NULL DEFAULT 0,
    created_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (account, peer, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX quote_age ON quote (account, created_at_ms);
