#!/usr/bin/env python3
"""imapflow (Node.js), a client that uses what a server offers: reads everything byte for byte, flags, moves, copies,
deletes, appends, is told while it idles; checked from the mount.  POSTERN_NODE_MODULES is the folder that holds it."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, run
from clients.mailbag import Seen, add_letters, digest, letter, site_with_bag
from harness.programs import SOURCE, Skip, need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

HERE = os.path.dirname(os.path.abspath(__file__))


def modules():
    path = os.environ.get("POSTERN_NODE_MODULES") or os.path.join(SOURCE, "build-check", "node")
    if not os.path.isdir(os.path.join(path, "node_modules", "imapflow")):
        raise Skip("imapflow is not installed (./check installs it with npm)")
    return path


def main():
    need("node")
    need_root()
    need_fuse()
    folder = modules()
    site, expected = site_with_bag()
    with site:
        tokens = ("read", "moved", "gone")
        add_letters(site, *tokens)
        chapter("a day of imapflow")
        done = run("node", os.path.join(HERE, "imapflow.mjs"), str(site.ports["imaps"]), "alice", PASSWORD, seconds=120,
                   cwd=folder, env={**os.environ, "LETTER": letter("written").decode().replace("\r\n", "\n")})
        said = {line["what"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
        print("   enabled:", *said["enabled"])
        count = sum(map(len, expected.values()))
        wanted = sorted([key for key, names in expected.items() for _ in names] + [digest(letter(t)) for t in tokens])
        claim("everything was read, byte for byte", sorted(said["digests"]), wanted)
        claim_that("the folder it made is listed, with its name", ["Projects/Älteres", None, 0] in said["folders"], said["folders"])
        claim_that("special uses are told", ["Sent", "\\Sent", 0] in said["folders"], said["folders"])
        claim("APPENDUID", said["appended"], True)
        claim("told while it idles", said["told while idle"], True)
        claim("it came to its end", said["end"], True)
        chapter("the other door")
        inbox = Seen(site)
        claim("messages left", len(inbox.files()), count + 3)
        claim("flags and a keyword", inbox.flags(b"<read@example.org>"), ["Work", "flagged", "seen"])
        claim("the copy has them too", Seen(site, "Archive").flags(b"<read@example.org>"), ["Work", "flagged", "seen"])
        claim("moved", Seen(site, "Projects/Älteres").messages(), [letter("moved")])
        claim("appended, answered", inbox.flags(b"<written@example.org>"), ["answered"])
        claim_that("deleted", not any(b"<gone@example.org>" in data for data in inbox.messages()))


if __name__ == "__main__":
    run_main(main)
