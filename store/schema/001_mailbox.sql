-- The mailbox, version 1.  doc/BENCHMARKS.md, "Schema", has the figures behind its shape:
--   * counters of the whole mailbox and of its folders stand together in one small table, so that
--     a commit writes one page for both;
--   * there is no index on (folder, modseq): a message knows the modseq it was `born` with, which
--     grows with the UID, so what is new is the tail of the folder; flag changes are appended to
--     flag_change, a range of UIDs a row;
--   * a content never changes once written: how many messages share it (copies) and since when
--     nobody refers to it are rows of their own, which exist only while that is so.

CREATE TABLE store(                             -- exactly one row; what is rarely written
  id INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id TEXT NOT NULL,                        -- of the host's boot in which modseq was last trusted
  modseq_reserved INTEGER NOT NULL,             -- commits without fsync stay at or below this modseq
  nextfolder INTEGER NOT NULL DEFAULT 1 CHECK (nextfolder BETWEEN 1 AND 4294967296),
  uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295), -- last one given
  floormodseq INTEGER NOT NULL DEFAULT 0,       -- folder_gone below this was pruned
  quota_bytes INTEGER, quota_messages INTEGER) STRICT;

CREATE TABLE folder(                            -- what a folder is; written when it is made or renamed
  id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
  name TEXT NOT NULL UNIQUE CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 1000),
  uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295),
  metamodseq INTEGER NOT NULL,                  -- made, renamed, subscribed
  use INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE counter(                           -- folder 0 is the whole mailbox: the sums
  folder INTEGER PRIMARY KEY,
  next INTEGER NOT NULL,                        -- the next UID; of folder 0 the next content id
  highestmodseq INTEGER NOT NULL,               -- of folder 0 the position in the feed of changes
  floormodseq INTEGER NOT NULL DEFAULT 0,       -- tombstones and flag changes up to this were pruned
  n_exists INTEGER NOT NULL DEFAULT 0 CHECK (n_exists >= 0),
  n_unseen INTEGER NOT NULL DEFAULT 0 CHECK (n_unseen BETWEEN 0 AND n_exists),
  n_deleted INTEGER NOT NULL DEFAULT 0 CHECK (n_deleted BETWEEN 0 AND n_exists),
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  recentuid INTEGER NOT NULL DEFAULT 1,         -- UIDs from here on are \Recent
  changed_ms INTEGER NOT NULL DEFAULT 0,        -- wall: last change of membership
  CHECK (next BETWEEN 1 AND 4294967296 OR folder = 0)) STRICT;

CREATE TABLE keyword(
  bit INTEGER PRIMARY KEY CHECK (bit BETWEEN 0 AND 62),
  name TEXT NOT NULL UNIQUE COLLATE NOCASE) STRICT;

CREATE TABLE subscription(name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE message(
  folder INTEGER NOT NULL,
  uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
  modseq INTEGER NOT NULL CHECK (modseq >= born),
  flags INTEGER NOT NULL DEFAULT 0 CHECK (flags BETWEEN 0 AND 31),
  keywords INTEGER NOT NULL DEFAULT 0,
  content INTEGER NOT NULL, size INTEGER NOT NULL, -- size: the content's, so that sums need no join
  born INTEGER NOT NULL CHECK (born >= 1),      -- modseq of its arrival; never falls as uid grows
  idate_ms INTEGER NOT NULL, zone_min INTEGER NOT NULL DEFAULT 0 CHECK (zone_min BETWEEN -1439 AND 1439),
  saved_ms INTEGER,                             -- SAVEDATE; NULL: idate_ms
  changed_ms INTEGER,                           -- last change of flags; NULL: never changed
  PRIMARY KEY (folder, uid)) STRICT, WITHOUT ROWID;

CREATE TABLE flag_change(                       -- of these UIDs some changed flags at modseq
  folder INTEGER NOT NULL, modseq INTEGER NOT NULL,
  uid_from INTEGER NOT NULL, uid_to INTEGER NOT NULL CHECK (uid_to >= uid_from),
  PRIMARY KEY (folder, modseq, uid_from)) STRICT, WITHOUT ROWID;

CREATE TABLE expunged(                          -- tombstones; with what is needed to undelete
  folder INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL,
  born INTEGER NOT NULL, gone_ms INTEGER NOT NULL,
  content INTEGER,                              -- NULL: it was moved, or its grace is over
  size INTEGER NOT NULL,
  flags INTEGER NOT NULL, keywords INTEGER NOT NULL, idate_ms INTEGER NOT NULL, zone_min INTEGER NOT NULL,
  PRIMARY KEY (folder, modseq, uid)) STRICT, WITHOUT ROWID;

CREATE TABLE folder_gone(modseq INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL, gone_ms INTEGER NOT NULL, PRIMARY KEY (modseq, id)) STRICT, WITHOUT ROWID;

CREATE TABLE message_name(                      -- names given through the mount
  folder INTEGER NOT NULL, name TEXT NOT NULL, uid INTEGER NOT NULL,
  PRIMARY KEY (folder, name)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_name_uid ON message_name(folder, uid);

CREATE TABLE content(                           -- immutable; shared by copies
  id INTEGER PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size >= 0),      -- octets in CRLF form: RFC822.SIZE
  size_lf INTEGER NOT NULL CHECK (size_lf BETWEEN 0 AND size),
  size_in INTEGER NOT NULL CHECK (size_in BETWEEN 0 AND size),
  hdr INTEGER NOT NULL CHECK (hdr BETWEEN 0 AND size), -- header octets with the blank line
  lineends INTEGER NOT NULL CHECK (lineends BETWEEN 0 AND 2), -- as it came: CRLF, LF, mixed
  codec INTEGER NOT NULL DEFAULT 0 CHECK (codec = 0),  -- 0: as it is
  sent_ms INTEGER, sent_zone_min INTEGER,       -- the Date: field; NULL: none
  slug TEXT NOT NULL,                           -- for file names in the mount
  envelope BLOB NOT NULL, bodystructure BLOB NOT NULL, -- ready IMAP text
  parts BLOB NOT NULL) STRICT;                  -- packed offsets of every part

CREATE TABLE content_data(                      -- the octets, in rows of 256 KB:
  id INTEGER PRIMARY KEY,                       -- content id * 4096 + number of the row
  data BLOB NOT NULL) STRICT;

CREATE TABLE content_ends(id INTEGER PRIMARY KEY REFERENCES content(id) ON DELETE CASCADE,
  exceptions BLOB NOT NULL) STRICT;             -- for lineends 2
CREATE TABLE content_sig(id INTEGER PRIMARY KEY REFERENCES content(id) ON DELETE CASCADE,
  sig BLOB NOT NULL) STRICT;                    -- search prefilter, made lazily
CREATE TABLE content_shared(                    -- contents with more than one message
  id INTEGER PRIMARY KEY, refs INTEGER NOT NULL CHECK (refs >= 2)) STRICT;
CREATE TABLE content_dead(                      -- contents with none; reclaimed after a grace
  since_ms INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (since_ms, id)) STRICT, WITHOUT ROWID;

CREATE TABLE scratch(                           -- files in the mount that are not mail yet
  id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name TEXT NOT NULL, owner INTEGER NOT NULL,
  state INTEGER NOT NULL, size INTEGER NOT NULL, written_ms INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE sidecar(                           -- dot files of Maildir tools
  folder INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (folder, name)) STRICT, WITHOUT ROWID;
