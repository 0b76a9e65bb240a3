#!/usr/bin/env python3
"""A mailbox of a newer schema, and a corrupt one: their user is refused with a clear error at every door, everyone
else is served, and nothing is changed in them."""
import glob
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import need_fuse, need_root, run_main
from harness.story import chapter, claim, claim_that
from hostile.common import DOORS, attacked, greeted, is_well, try_login


def database(site, user):
    """The user's mail.db: the one that is not there for anybody else."""
    listed = {line.split()[0]: line for line in site.postern("user", "list").stdout.splitlines() if line.strip()}
    for path in glob.glob(os.path.join(site.store, "mail", "??", "*", "mail.db")):
        if os.path.basename(os.path.dirname(path)) in listed.get(user, ""):
            return path
    raise AssertionError(f"`postern user list` does not say which mailbox is {user}'s: {listed}")


def newer(path):
    db = sqlite3.connect(path)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {version + 1000}")
    db.close()


def corrupt(path):
    for side in ("-wal", "-shm"):
        if os.path.exists(path + side):
            os.unlink(path + side)
    with open(path, "r+b") as f:
        size = os.fstat(f.fileno()).st_size
        f.seek(0)
        f.write(b"this is no database" + b"\xa5" * (size - 19))


def refused(site, door, user):
    with greeted(site, door) as wire:
        answer = try_login(wire, door, user)
        if door == "imap" and answer.startswith(b"a OK"):  # a door may open the mailbox at SELECT only
            answer = wire.imap("a SELECT INBOX")[-1].encode()
        claim_that(f"{door}: {answer!r}", answer.startswith((b"a NO [", b"-ERR [SYS/")), answer)
        claim_that("it is not told that the password were wrong", b"AUTH" not in answer, answer)
        claim_that("nor a path, nor SQL", b"/mail" not in answer and b"sqlite" not in answer.lower(), answer)


def case(site, name, damage):
    chapter(name)
    path = database(site, "alice")
    damage(path)
    with open(path, "rb") as f:
        before = f.read()
    site.serve(*DOORS)
    for door in DOORS:
        refused(site, door, "alice")
    site.mount()
    ls = subprocess.run(["ls", site.folder("alice")], capture_output=True, text=True)
    claim_that(f"the mount: {ls.stderr.strip()}", ls.returncode != 0 and ls.stderr, ls)
    ls = subprocess.run(["ls", site.folder("bob")], capture_output=True, text=True)
    claim("bob's mail in the mount", (ls.returncode, len(ls.stdout.splitlines())), (0, 3))
    is_well(site)
    checked = site.postern("check", "alice", ok=False)
    claim_that(f"postern check says so: {(checked.stdout + checked.stderr).strip()[:120]}", checked.stdout + checked.stderr)
    site.postern("check", "bob")
    with open(path, "rb") as f:
        claim("the database was left alone", f.read() == before, True)


def main():
    need_root()
    need_fuse()
    for name, damage in (("a newer schema", newer), ("no database at all", corrupt)):
        with attacked() as site:
            site.check_at_end = False
            case(site, name, damage)


if __name__ == "__main__":
    run_main(main)
