-- What is kept of a session besides its generation, which is the number of the
-- window that is open. Times are in milliseconds since 1970.
ALTER TABLE session ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN last_interaction_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN label TEXT;
-- What the peer has chosen instead of what the configuration says.
ALTER TABLE session ADD COLUMN agent TEXT;
ALTER TABLE session ADD COLUMN model TEXT;
-- Where it was last spoken.
ALTER TABLE session ADD COLUMN channel TEXT;
ALTER TABLE session ADD COLUMN account TEXT;
ALTER TABLE session ADD COLUMN peer TEXT;

INSERT INTO session (key, generation, renewed_by)
SELECT DISTINCT session, 0, '' FROM transcript
WHERE session NOT IN (SELECT key FROM session);

UPDATE session SET
    id = lower(hex(randomblob(16))),
    started_at = coalesce((SELECT min(at) FROM transcript
        WHERE session = key AND transcript.generation = session.generation), 0),
    last_interaction_at = coalesce((SELECT max(at) FROM transcript
        WHERE session = key AND transcript.generation = session.generation), 0);

CREATE TABLE session_window (
    -- Windows that were closed by a reset. What was said in them stands in the
    -- transcript under their generation until they are too old.
    session TEXT NOT NULL,
    generation INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('asked', 'daily', 'idle', 'operator')),
    PRIMARY KEY (session, generation)
) STRICT;

INSERT INTO session_window (session, generation, started_at, ended_at, reason)
SELECT session, transcript.generation, min(at), max(at), 'asked'
FROM transcript JOIN session ON key = session
WHERE transcript.generation < session.generation
GROUP BY session, transcript.generation;

CREATE TABLE joint (
    -- Turns that are answered together, until some time after they have ended.
    channel TEXT NOT NULL,
    turn TEXT NOT NULL,
    -- The turn under which the answer is given; its own row has the message.
    lead TEXT NOT NULL,
    -- The joint message, as JSON.
    inbound TEXT,
    -- How they end, as JSON, once that is known.
    ended TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, turn)
) STRICT;

CREATE INDEX joint_by_lead ON joint (channel, lead);

CREATE TABLE question (
    -- What turns have asked their peers.
    channel TEXT NOT NULL,
    turn TEXT NOT NULL,
    -- The number of the reply that asks.
    number INTEGER NOT NULL,
    session TEXT NOT NULL,
    account TEXT NOT NULL,
    peer TEXT NOT NULL,
    -- What can be answered, as JSON.
    choices TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Which choice it was, from 0; -1 when nobody answered in time.
    answer INTEGER,
    -- The turn in which it was answered.
    said_in TEXT,
    PRIMARY KEY (channel, turn, number)
) STRICT;
