-- An answer under way outlives its session: what it costs counts even if the session is deleted meanwhile.
CREATE TABLE answers_under_way (
    n INTEGER PRIMARY KEY,
    organization TEXT NOT NULL,
    user TEXT NOT NULL,
    session_id TEXT NOT NULL,
    session INTEGER REFERENCES sessions (n) ON DELETE SET NULL,
    id TEXT NOT NULL,
    request TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    model TEXT NOT NULL,
    input_bytes INTEGER NOT NULL,
    reservation TEXT NOT NULL,
    is_kept INTEGER NOT NULL DEFAULT 0,
    is_to_stop INTEGER NOT NULL DEFAULT 0,
    UNIQUE (organization, user, id)
) STRICT;
CREATE INDEX answers_under_way_in ON answers_under_way (session);
INSERT INTO answers_under_way
    (n, organization, user, session_id, session, id, request, started_ms, model, input_bytes, reservation)
    SELECT open_answers.n, organization, user, sessions.id, session, open_answers.id, request, started_ms,
        open_answers.model, input_bytes, '{"amount":{"nano_usd":0,"tokens":0},"accounts":[]}'
    FROM open_answers JOIN sessions ON sessions.n = session;

CREATE TABLE kept_checkpoints (
    answer INTEGER NOT NULL REFERENCES answers_under_way (n) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    pieces TEXT NOT NULL,
    PRIMARY KEY (answer, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO kept_checkpoints SELECT answer, seq, pieces FROM checkpoints;
DROP TABLE checkpoints;
DROP TABLE open_answers;

CREATE TABLE calls (
    organization TEXT NOT NULL,
    user TEXT NOT NULL,
    session TEXT NOT NULL,
    message TEXT NOT NULL,
    number INTEGER NOT NULL,
    asked_ms INTEGER NOT NULL,
    model_asked TEXT NOT NULL,
    model TEXT NOT NULL,
    region TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    cache_read_input_tokens INTEGER NOT NULL,
    cache_write_input_tokens INTEGER NOT NULL,
    cache_write_1h_input_tokens INTEGER NOT NULL,
    is_estimated INTEGER NOT NULL,
    price_version TEXT,
    cost_nano_usd INTEGER,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER,
    outcome TEXT NOT NULL,
    PRIMARY KEY (asked_ms, organization, user, message, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_of_owner ON calls (organization, user, asked_ms);

CREATE TABLE accounts (
    key TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    spent_nano_usd INTEGER NOT NULL DEFAULT 0,
    spent_tokens INTEGER NOT NULL DEFAULT 0,
    reserved_nano_usd INTEGER NOT NULL DEFAULT 0,
    reserved_tokens INTEGER NOT NULL DEFAULT 0,
    alerted_percent INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_by_end ON accounts (until_ms);
