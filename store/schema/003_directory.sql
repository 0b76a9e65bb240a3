-- The directory, version 3: domains, and names compared as PRECIS says.  name_key is store/name.h's directory_name_key.
CREATE TABLE domain(
  name TEXT PRIMARY KEY,                        -- A-labels, small letters
  is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
  added_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX domain_default ON domain(is_default) WHERE is_default = 1;
UPDATE user SET folded = name_key(name) WHERE folded <> name_key(name);
UPDATE alias SET folded = name_key(name) WHERE folded <> name_key(name);
-- What is behind the last @; NULL: it is the default domain's.
ALTER TABLE user ADD COLUMN domain TEXT AS
  (CASE WHEN instr(folded, '@') THEN substr(folded, length(rtrim(folded, replace(folded, '@', ''))) + 1) END) VIRTUAL;
ALTER TABLE alias ADD COLUMN domain TEXT AS
  (CASE WHEN instr(folded, '@') THEN substr(folded, length(rtrim(folded, replace(folded, '@', ''))) + 1) END) VIRTUAL;
CREATE INDEX user_domain ON user(domain);
CREATE INDEX alias_domain ON alias(domain);
