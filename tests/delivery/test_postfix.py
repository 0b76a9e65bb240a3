#!/usr/bin/env python3
"""A real Postfix delivers to postern-lmtpd, over its Unix socket.  300 messages and the corpus while lmtpd is killed;
10,000 with POSTERN_LONG=1, or as many as POSTERN_MESSAGES says.  POSTERN_SEED=N repeats the choices."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from delivery import storm, through  # noqa: E402
from delivery.mta import Postfix  # noqa: E402
from harness.programs import run_main  # noqa: E402


def main():
    rng = storm.seeded()
    with through.make_site() as site, Postfix(site, lmtp=f"lmtp:unix:{through.lmtp_socket(site)}") as postfix:
        through.goes_through(site, postfix)
        through.international(site, postfix)
        through.refused(site, postfix)
        through.deferred(site, postfix)
        through.by_command(site, postfix)
        storm.storm(site, postfix, storm.real(site.work), rng, through.ended)
        storm.storm(site, postfix, storm.generated(rng, storm.MESSAGES, first=10000, longest=5000), rng, through.ended)


if __name__ == "__main__":
    run_main(main)
