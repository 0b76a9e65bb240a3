#!/usr/bin/env python3
"""A real Postfix delivers to postern-lmtpd, over its Unix socket.  300 messages and the corpus while lmtpd is killed;
10,000 with POSTERN_LONG=1, or as many as POSTERN_MESSAGES says.  POSTERN_SEED=N repeats the choices."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from delivery import storm, through  # noqa: E402
from delivery.mta import DOMAIN, Postfix  # noqa: E402
from harness.programs import run_main  # noqa: E402
from harness.story import chapter, claim_that  # noqa: E402


def command_map(site):
    """What mailbox_command is for alice alone; the home of Postfix is made later."""
    path = os.path.join(site.work, "commands")
    with open(path, "w") as f:
        f.write(f"alice {site.work}/postfix/postern deliver --socket {through.lmtp_socket(site)}"
                ' -d "$USER" -a "$ORIGINAL_RECIPIENT" -f "$SENDER"\n')
    os.chmod(path, 0o644)
    return f"texthash:{path}"


def by_mailbox_command(site, postfix):
    chapter("mailbox_command")
    os.unlink(postfix.path("home", "alice", ".forward"))
    through.send(postfix, [f"alice+Junk@local.{DOMAIN}"], through.MESSAGE % b"by mailbox_command", sender=through.address("bob"))
    body = through.arrives(site, "alice", b"by mailbox_command", "Junk") or b""
    claim_that("it is what was sent", body.endswith(b"\r\n" + through.MESSAGE % b"by mailbox_command"), body)
    claim_that("with its addresses", body.startswith(
        f"Return-Path: <{through.address('bob')}>\r\nDelivered-To: alice+Junk@local.{DOMAIN}\r\n".encode()), body)


def main():
    rng = storm.seeded()
    with through.make_site() as site, Postfix(
            site, lmtp=f"lmtp:unix:{through.lmtp_socket(site)}", mailbox_command_maps=command_map(site)) as postfix:
        through.goes_through(site, postfix)
        through.international(site, postfix)
        through.refused(site, postfix)
        through.deferred(site, postfix)
        through.by_command(site, postfix)
        by_mailbox_command(site, postfix)
        storm.storm(site, postfix, storm.real(site.work), rng, through.ended)
        storm.storm(site, postfix, storm.generated(rng, storm.MESSAGES, first=10000, longest=5000), rng, through.ended)


if __name__ == "__main__":
    run_main(main)
