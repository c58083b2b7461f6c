CREATE TABLE session (
    -- Sessions that were begun anew; one that is missing is in generation 0.
    key TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    -- The turn that asked for it, so that it counts once when it runs twice.
    renewed_by TEXT NOT NULL
) STRICT;

CREATE TABLE transcript (
    -- What was said, in order. A turn's question stands here from its first
    -- answer on; a turn that was never answered left nothing behind.
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    generation INTEGER NOT NULL,
    turn TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    -- Of an answer, the reply's number.
    part INTEGER NOT NULL,
    text TEXT NOT NULL,
    -- In milliseconds since 1970.
    at INTEGER NOT NULL,
    -- A turn that runs twice is recorded once.
    UNIQUE (session, turn, role, part)
) STRICT;

CREATE INDEX transcript_in_order ON transcript (session, generation, id);
