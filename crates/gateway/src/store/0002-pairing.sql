-- Shaped as OpenClaw's tables of the same names; times are as there, too.
-- Channels and accounts are in lower case, without what a path cannot have.

CREATE TABLE channel_pairing_requests (
    -- Strangers who have a code.
    channel_key TEXT NOT NULL,
    account_id TEXT NOT NULL,
    -- The stranger's id.
    request_id TEXT NOT NULL,
    code TEXT NOT NULL,
    -- ISO 8601, UTC, with milliseconds: in the order of the text.
    created_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    meta_json TEXT NOT NULL,
    -- The turn that was answered with the code: asked about again after a
    -- crash, it is answered so again.
    turn TEXT NOT NULL,
    PRIMARY KEY (channel_key, account_id, request_id)
) STRICT;

CREATE TABLE channel_pairing_allow_entries (
    -- Those who were approved.
    channel_key TEXT NOT NULL,
    account_id TEXT NOT NULL,
    -- The peer's id.
    entry TEXT NOT NULL,
    sort_order INTEGER NOT NULL,
    -- In milliseconds since 1970.
    updated_at INTEGER NOT NULL,
    -- The entry in the form in which peers are compared.
    folded TEXT NOT NULL,
    PRIMARY KEY (channel_key, account_id, folded)
) STRICT;
