-- SPDX-License-Identifier: Apache-2.0
-- The record: entries and sidecars share one running number n, the order in which they were appended.

CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    head     INTEGER NOT NULL,  -- batches appended
    entries  INTEGER NOT NULL,  -- rows that must be there; counted again when the store is opened
    sidecars INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, 0, 0);

-- Long names are kept once, so that the indexes of the big tables stay small.
CREATE TABLE strands (
    id     INTEGER PRIMARY KEY,
    ch     TEXT NOT NULL,
    author TEXT NOT NULL,
    epoch  TEXT NOT NULL,
    UNIQUE (ch, author, epoch)
) STRICT;

CREATE TABLE entries (
    n         INTEGER PRIMARY KEY,
    strand    INTEGER NOT NULL REFERENCES strands (id),
    seq       INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    prev      TEXT NOT NULL,
    type      TEXT NOT NULL,
    envelope  BLOB NOT NULL,
    body      BLOB NOT NULL,
    stored_ms INTEGER NOT NULL,
    UNIQUE (strand, seq)
) STRICT;

-- 48 bits of the hash are enough to find the row; the whole hash is compared there. A third of the pages
-- that an index over the whole hash would touch, and these are the only writes in random order.
CREATE INDEX entries_by_hash ON entries (substr(hash, 1, 12));

CREATE TABLE shelves (
    id   INTEGER PRIMARY KEY,
    ch   TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (ch, kind)
) STRICT;

CREATE TABLE sidecars (
    n         INTEGER PRIMARY KEY,
    shelf     INTEGER NOT NULL REFERENCES shelves (id),
    author    TEXT NOT NULL,
    key       TEXT NOT NULL,
    envelope  BLOB NOT NULL,
    stored_ms INTEGER NOT NULL,
    UNIQUE (shelf, key)
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Written once. A guard against our own mistakes and careless hands, not against an adversary with the file.
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE (ABORT, 'entries are written once'); END;
CREATE TRIGGER entries_keep BEFORE DELETE ON entries BEGIN SELECT RAISE (ABORT, 'entries are written once'); END;
CREATE TRIGGER sidecars_stay BEFORE UPDATE ON sidecars BEGIN SELECT RAISE (ABORT, 'sidecars are written once'); END;
CREATE TRIGGER sidecars_keep BEFORE DELETE ON sidecars BEGIN SELECT RAISE (ABORT, 'sidecars are written once'); END;
