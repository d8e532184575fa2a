-- A database of the first schema, as `.dump` tells it. Never changed.
PRAGMA foreign_keys = OFF;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE asked (
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    request TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (session, request)
) STRICT, WITHOUT ROWID;
INSERT INTO "asked" VALUES(2,'r1',X'A73C1E6C42AAD90F6A6D8A17F3E22F5297AF34AA977A1CBAABD958C20F2446CA','msg_2');
INSERT INTO "asked" VALUES(2,'r2',X'D999025FFC4E5B31E9D66649D5CEFD93359BD0CA3EA676896F9BC69AB91AA49B','msg_4');
INSERT INTO "asked" VALUES(2,'r3',X'F63225A85E303C4ED629BF8B0A3747F2B7C6E4FAF9CEC66B5F5D5325C5E5789C','msg_6');
INSERT INTO "asked" VALUES(3,'r1',X'4B614A2343E61807081DCB32F4B70E3709009A5AAF33A1C7AAECF0086C259A27','msg_8');
CREATE TABLE checkpoints (
    answer INTEGER NOT NULL REFERENCES open_answers (n) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    pieces TEXT NOT NULL,
    PRIMARY KEY (answer, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "checkpoints" VALUES(1,2,'[{"reasoning":true,"part":0,"text":"Which one? "},{"reasoning":false,"part":1,"text":"はい、"}]');
INSERT INTO "checkpoints" VALUES(1,3,'[{"reasoning":false,"part":1,"text":"そうです"}]');
CREATE TABLE messages (
    n INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (n) ON DELETE CASCADE,
    id TEXT NOT NULL,
    is_answer INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "messages" VALUES(1,2,'msg_1',0,'{"messageId":"msg_1","requestId":"r1","content":"Why do rivers meander?","role":"user","timestamp":"2026-11-23T09:30:00.000Z"}');
INSERT INTO "messages" VALUES(2,2,'msg_2',1,'{"messageId":"msg_2","content":"Their outer bank is \"worn\" \\ the inner one grows. 🏞","role":"assistant","timestamp":"2026-11-23T09:30:00.000Z","usage":{"inputTokens":12,"outputTokens":34,"totalTokens":46,"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"source":"reported","costNanoUsd":546000,"priceVersion":"2026-11-20"},"model":"anthropic.claude-3-5-sonnet-20241022-v2:0","stopReason":"end_turn","parts":[{"type":"reasoning","text":"Hm."},{"type":"text","text":"Their outer bank is \"worn\" \\ the inner one grows. 🏞"}]}');
INSERT INTO "messages" VALUES(3,2,'msg_3',0,'{"messageId":"msg_3","requestId":"r2","content":"And glaciers?","role":"user","timestamp":"2026-11-23T09:31:00.000Z"}');
INSERT INTO "messages" VALUES(4,2,'msg_4',1,'{"messageId":"msg_4","content":"They","role":"assistant","timestamp":"2026-11-23T09:31:00.000Z","model":"anthropic.claude-3-5-sonnet-20241022-v2:0","error":{"code":"interrupted","message":"It was cut.","retryable":true,"messageId":"msg_4","seq":2,"usage":{"inputTokens":50,"outputTokens":2,"totalTokens":52,"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"source":"estimated"}}}');
INSERT INTO "messages" VALUES(5,2,'msg_5',0,'{"messageId":"msg_5","requestId":"r3","content":"日本語?","role":"user","timestamp":"2026-11-23T09:32:00.000Z"}');
INSERT INTO "messages" VALUES(6,3,'msg_7',0,'{"messageId":"msg_7","requestId":"r1","content":"Mine, of the same name","role":"user","timestamp":"2026-11-23T09:30:00.000Z"}');
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
INSERT INTO "open_answers" VALUES(1,2,'msg_6','r3',1795426320000,'a.fallback',77);
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
INSERT INTO "sessions" VALUES(1,'o','ann','empty','For later','anthropic.claude-3-5-sonnet-20241022-v2:0',1795334400000,1795334400000,0,1);
INSERT INTO "sessions" VALUES(2,'o','ann','rivers','Why do rivers meander?',NULL,1795426200000,1795426320000,5,7);
INSERT INTO "sessions" VALUES(3,'o','bob','rivers','Mine, of the same name',NULL,1795426200000,1795426200000,1,2);
CREATE UNIQUE INDEX sessions_by_use ON sessions (organization, user, last_use);
CREATE UNIQUE INDEX messages_by_id ON messages (id, session);
CREATE UNIQUE INDEX messages_of_session ON messages (session, n);
COMMIT;
