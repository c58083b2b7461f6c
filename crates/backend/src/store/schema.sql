-- Everything the backend must not forget. Times are milliseconds since 1970 by
-- the backend's clock. Secrets are not here: they are computed from the key
-- file beside this one. Media bytes are files in the folder `media`.

-- People with a phone.
CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- The newest message that the person has heard in a test.
    heard       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX users_by_name ON users (name, created_at);

-- Bots. A bot belongs to the user who bound it; a later bot of the same user
-- makes it stale.
CREATE TABLE bots (
    id          TEXT PRIMARY KEY,
    user        TEXT NOT NULL REFERENCES users (id),
    name        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    -- From then on its token is refused.
    stale_at    INTEGER,
    -- Last place in its stream of deliveries.
    seq         INTEGER NOT NULL DEFAULT 0,
    -- Everything up to this place was acknowledged by a cursor.
    acked       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX bots_by_user ON bots (user);

-- Who knows whom, and what the limits of a conversation count.
CREATE TABLE chats (
    user            TEXT NOT NULL REFERENCES users (id),
    bot             TEXT NOT NULL REFERENCES bots (id),
    last_inbound_at INTEGER,
    sends           INTEGER NOT NULL DEFAULT 0,
    unread          INTEGER NOT NULL DEFAULT 0,
    -- The newest message that the phone shows.
    last_shown      INTEGER,
    PRIMARY KEY (user, bot)
) WITHOUT ROWID;

-- What was said, in both directions.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY,
    user        TEXT NOT NULL,
    bot         TEXT NOT NULL,
    from_bot    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    -- Place of the first delivery to the bot.
    seq         INTEGER,
    client_id   TEXT,
    local_id    TEXT,
    shown       INTEGER NOT NULL,
    -- The message as it travels, without place and context token.
    wire        TEXT NOT NULL,
    -- What the phone knows about media beyond that: JSON, one entry per item.
    notes       TEXT NOT NULL,
    quote_id    INTEGER,
    quote_text  TEXT
);
CREATE INDEX messages_of_chat ON messages (user, bot, id) WHERE shown;
CREATE INDEX messages_of_user ON messages (user, id) WHERE shown;
CREATE UNIQUE INDEX messages_by_client_id ON messages (bot, client_id)
    WHERE from_bot AND client_id IS NOT NULL;
CREATE UNIQUE INDEX messages_by_local_id ON messages (user, bot, local_id)
    WHERE local_id IS NOT NULL;
CREATE INDEX messages_of_bot ON messages (bot, id) WHERE from_bot;

-- The stream of each bot: a message can be delivered more than once.
CREATE TABLE deliveries (
    bot         TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    message     INTEGER NOT NULL REFERENCES messages (id),
    -- Which context token it carries.
    copy        INTEGER NOT NULL,
    PRIMARY KEY (bot, seq)
) WITHOUT ROWID;

-- Second deliveries that are not due yet.
CREATE TABLE copies (
    due_at      INTEGER NOT NULL,
    bot         TEXT NOT NULL,
    message     INTEGER NOT NULL,
    copy        INTEGER NOT NULL
);
CREATE INDEX copies_of_bot ON copies (bot, due_at);

-- QR logins.
CREATE TABLE logins (
    qrcode      TEXT PRIMARY KEY,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- The state as JSON.
    state       TEXT NOT NULL,
    -- Bots whose tokens the asking machine has: JSON.
    local_bots  TEXT NOT NULL,
    base        TEXT NOT NULL
) WITHOUT ROWID;

-- Permissions to put one media on the CDN, by the hash of the ticket.
CREATE TABLE tickets (
    hash        TEXT PRIMARY KEY,
    bot         TEXT NOT NULL,
    user        TEXT NOT NULL,
    filekey     TEXT NOT NULL,
    raw_size    INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) WITHOUT ROWID;

-- Media on the CDN, by the hash of the download reference; the file has the
-- hash as its name.
CREATE TABLE media (
    hash        TEXT PRIMARY KEY,
    bot         TEXT NOT NULL,
    user        TEXT NOT NULL,
    raw_size    INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_by_age ON media (created_at);
