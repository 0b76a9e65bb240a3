-- The mailbox, version 2: annotations (RFC 5464), and what a search wants of a message without
-- decoding it again, and searches that are kept.  All are made as they are needed; a mailbox of version 1 has none.
-- The mailbox, version 2: annotations (RFC 5464), what a search wants of a message without decoding it
-- again, and what Maildir tools say in the mount.  Both are made as they are needed; a mailbox of version 1 has none.
DROP TABLE content_sig;
CREATE TABLE content_search(id INTEGER PRIMARY KEY REFERENCES content(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,                     -- of the folding that made it; another is made anew
  sig BLOB NOT NULL) STRICT;                    -- trigrams of the folded text; always verified
CREATE TABLE annotation(                        -- METADATA; folder 0 is the server
  folder INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
  modseq INTEGER NOT NULL,                      -- of its last change
  value BLOB,                                   -- NULL: a tombstone
  PRIMARY KEY (folder, name)) STRICT, WITHOUT ROWID;
CREATE INDEX annotation_modseq ON annotation(modseq);
CREATE TABLE saved_search(                      -- what mkdir keeps in view/USER/search/ of the mount
  text TEXT PRIMARY KEY CHECK (length(CAST(text AS BLOB)) BETWEEN 1 AND 255)) STRICT, WITHOUT ROWID;
CREATE TABLE maildir_cur(                       -- messages that a Maildir tool has put into cur/
  folder INTEGER NOT NULL, uid INTEGER NOT NULL, PRIMARY KEY (folder, uid)) STRICT, WITHOUT ROWID;
CREATE TABLE delivered(                         -- what was delivered lately, so that a retry adds nothing
  key BLOB PRIMARY KEY CHECK (length(key) = 32), at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- Whether a header of the message or of a part has octets beyond ASCII; of what came before nobody looked.
ALTER TABLE content ADD COLUMN hdr_8bit INTEGER NOT NULL DEFAULT 1 CHECK (hdr_8bit IN (0, 1));
ALTER TABLE sidecar ADD COLUMN written_ms INTEGER NOT NULL DEFAULT 0;
