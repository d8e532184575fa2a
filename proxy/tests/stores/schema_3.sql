-- A database of the third schema, as `.dump` tells it. Never changed.
PRAGMA foreign_keys = OFF;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE accounts (
    key TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    spent_nano_usd INTEGER NOT NULL DEFAULT 0,
    spent_tokens INTEGER NOT NULL DEFAULT 0,
    reserved_nano_usd INTEGER NOT NULL DEFAULT 0,
    reserved_tokens INTEGER NOT NULL DEFAULT 0,
    alerted_percent INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO "accounts" VALUES('user',1795478400000,30,15,60,30,0);
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
INSERT INTO "answers_under_way" VALUES(1,'o','ann','s',1,'answer-r2','r2',1795426200000,'asked',7,'{"amount":{"nano_usd":60,"tokens":30},"accounts":[{"key":"user","until":"2026-11-24T00:00:00.000Z","limit":{"nano_usd":100,"tokens":null}}]}',0,0);
CREATE TABLE asked (
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    request TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (session, request)
) STRICT, WITHOUT ROWID;
INSERT INTO "asked" VALUES(1,'r1',X'0000000000000000000000000000000000000000000000000000000000000000','answer-r1');
INSERT INTO "asked" VALUES(1,'r2',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F','answer-r2');
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
INSERT INTO "calls" VALUES('o','ann','s','answer-r1',1,1795426200000,'asked','billed','us-east-1',10,5,15,0,0,0,0,'2026-11-20',30,1500,300,'complete');
CREATE TABLE kept_checkpoints (
    answer INTEGER NOT NULL REFERENCES answers_under_way (n) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    pieces TEXT NOT NULL,
    PRIMARY KEY (answer, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE messages (
    n INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    id TEXT NOT NULL,
    is_answer INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "messages" VALUES(1,1,'m1',0,'{"messageId":"m1","requestId":"r1","content":"Hello","role":"user","timestamp":"2026-11-23T09:30:00.000Z"}');
INSERT INTO "messages" VALUES(2,1,'answer-r1',1,'{"messageId":"answer-r1","content":"Hi","role":"assistant","timestamp":"2026-11-23T09:30:00.000Z"}');
CREATE TABLE revocations (
    n INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    what TEXT NOT NULL
) STRICT;
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
INSERT INTO "sessions" VALUES(1,'o','ann','s','Hello',NULL,1795426200000,1795426200000,2,1);
CREATE UNIQUE INDEX sessions_by_use ON sessions (organization, user, last_use);
CREATE UNIQUE INDEX messages_by_id ON messages (id, session);
CREATE UNIQUE INDEX messages_of_session ON messages (session, n);
CREATE INDEX answers_under_way_in ON answers_under_way (session);
CREATE INDEX calls_of_owner ON calls (organization, user, asked_ms);
CREATE INDEX accounts_by_end ON accounts (until_ms);
CREATE INDEX revocations_by_time ON revocations (at_ms);
COMMIT;
