-- What users prove themselves with, version 1 (STORE/auth.db): read by whoever checks it, and by nobody else.
CREATE TABLE secret(id INTEGER PRIMARY KEY CHECK (id = 1), octets BLOB NOT NULL CHECK (length(octets) = 32)) STRICT;
CREATE TABLE credential(
  user INTEGER PRIMARY KEY CHECK (user <> 0),   -- directory.db's user.id
  verifier TEXT,                                -- auth/verifier.c; NULL: no password
  scram_salt BLOB, scram_iterations INTEGER,    -- of the same password; NULL: not made yet
  scram_stored_key BLOB, scram_server_key BLOB,
  changed_ms INTEGER NOT NULL,
  CHECK ((scram_salt IS NULL) = (scram_iterations IS NULL)),
  CHECK ((scram_salt IS NULL) = (scram_stored_key IS NULL)),
  CHECK ((scram_salt IS NULL) = (scram_server_key IS NULL)),
  CHECK (length(scram_salt) BETWEEN 1 AND 64 AND scram_iterations > 0),
  CHECK (length(scram_stored_key) = 32 AND length(scram_server_key) = 32)) STRICT;
CREATE TABLE application_password(
  user INTEGER NOT NULL CHECK (user <> 0),
  name TEXT NOT NULL,
  doors INTEGER NOT NULL,                       -- bits of enum account_door
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  added_ms INTEGER NOT NULL,
  used_ms INTEGER,                              -- NULL: never yet
  PRIMARY KEY(user, name)) STRICT, WITHOUT ROWID;
