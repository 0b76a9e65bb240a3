-- The directory, version 2: verifiers are in auth.db, where they were put before this is run (credential_sql.c).
ALTER TABLE user DROP COLUMN verifier;
