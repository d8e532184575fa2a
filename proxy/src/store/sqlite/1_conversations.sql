CREATE TABLE sessions (
    n INTEGER PRIMARY KEY,
    organization TEXT NOT NULL,
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT,
    model TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    last_use INTEGER NOT NULL,
    UNIQUE (organization, user, id)
) STRICT;
CREATE UNIQUE INDEX sessions_by_use ON sessions (organization, user, last_use);

CREATE TABLE messages (
    n INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    id TEXT NOT NULL,
    is_answer INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_id ON messages (id, session);
CREATE UNIQUE INDEX messages_of_session ON messages (session, n);

CREATE TABLE asked (
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    request TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (session, request)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_answers (
    n INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    id TEXT NOT NULL,
    request TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    model TEXT NOT NULL,
    input_bytes INTEGER NOT NULL,
    UNIQUE (session, id)
) STRICT;

CREATE TABLE checkpoints (
    answer INTEGER NOT NULL REFERENCES open_answers (n) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    pieces TEXT NOT NULL,
    PRIMARY KEY (answer, seq)
) STRICT, WITHOUT ROWID;
