-- The directory of a site, version 1: who there is, and how he is known.
CREATE TABLE directory(id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL) STRICT;
INSERT INTO directory VALUES (1, 1);
CREATE TABLE user(
  id INTEGER PRIMARY KEY CHECK (id <> 0),       -- 64 random bits; never given again (user_gone)
  name TEXT NOT NULL,                           -- as it was added
  folded TEXT NOT NULL UNIQUE,                  -- as it is compared
  verifier TEXT,                                -- crypt(5); NULL: no password
  policy TEXT,                                  -- throttling policy; NULL: default
  unix_account TEXT UNIQUE,
  permissions INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  added_ms INTEGER NOT NULL) STRICT;
CREATE TABLE alias(folded TEXT PRIMARY KEY, name TEXT NOT NULL,
  user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX alias_user ON alias(user);
CREATE TABLE user_gone(id INTEGER PRIMARY KEY, name TEXT NOT NULL, gone_ms INTEGER NOT NULL) STRICT;
