CREATE TABLE revocations (
    n INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    what TEXT NOT NULL
) STRICT;
CREATE INDEX revocations_by_time ON revocations (at_ms);
