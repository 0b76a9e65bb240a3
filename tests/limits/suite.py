#!/usr/bin/env python3
"""suite.py --imap HOST:PORT [--pop3 HOST:PORT] --user U --password P --limit N [OPTION...]

Tries a server's limit on one user's sessions: is it exact when doors are mixed and many come at once, does an end without
a goodbye free the place, is a refusal told from a wrong password, does it touch anybody else, do mail programs live with
it.  Any server that has such a limit; it is asked over the network alone, but for what these commands tell or do:

    --refusals CMD        prints how many refusals of the user were recorded so far
    --does-not-help CMD   a change that must not lift the limit; --undo CMD takes it back (each may be repeated)
    --kill CMD            SIGKILL to what serves the sessions; --serve CMD brings it back, where nothing else does
    --far NETNS           a network namespace (ip netns) from which the server is reached as from here; --cut CMD takes its
                          network away without a word to anybody, --heal CMD gives it back

Exit status: 0 all hold, 1 some do not, 2 the server could not be asked.  `--json` for programs.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.netns import inside
from harness.wire import WireError
from limits.properties import all_properties
from limits.target import Command, Target, Unexpected

COMMANDS = ("refusals", "does-not-help", "undo", "kill", "serve", "cut", "heal")


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imap", metavar="HOST:PORT")
    parser.add_argument("--pop3", metavar="HOST:PORT")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--neighbour", help="another user with the same password")
    parser.add_argument("--limit", type=int, default=16, help="sessions that are granted (%(default)s)")
    parser.add_argument("--refused", help="a pattern of the line that refuses, where not every NO or -ERR does")
    parser.add_argument("--opens", type=int, default=100000, help="of the bursts (%(default)s)")
    parser.add_argument("--kills", type=int, default=20, help="and ends without a goodbye (%(default)s)")
    parser.add_argument("--far", metavar="NETNS")
    parser.add_argument("--patience", type=float, default=180, metavar="S", help="for who was cut off (%(default)g)")
    parser.add_argument("--json", action="store_true")
    for name in COMMANDS:
        parser.add_argument(f"--{name}", action="append", metavar="CMD", default=[])
    chosen = parser.parse_args()
    if not (chosen.imap or chosen.pop3):
        parser.error("--imap or --pop3, so that there is a server to ask")
    return chosen


def shown(holds):
    return {True: "ok", False: "NOT", None: "-"}[holds]


def main():
    chosen = options()
    target = Target(chosen.imap, chosen.pop3, chosen.user, chosen.password, chosen.neighbour, chosen.limit,
                    chosen.refused, {name: [Command(text) for text in getattr(chosen, name.replace("-", "_"))] for name in COMMANDS},
                    far=(lambda: inside(f"/run/netns/{chosen.far}")) if chosen.far else None)
    findings = []
    try:
        for finding in all_properties(target, chosen.opens, chosen.kills, chosen.patience):
            findings.append(finding)
            if not chosen.json:
                print(f"{shown(finding[1]):>3}  {finding[0]}: {finding[2]}", flush=True)
    except (WireError, Unexpected, OSError) as e:
        print(f"suite.py: the server could not be asked any further: {e}", file=sys.stderr)
        return 2
    if chosen.json:
        json.dump([{"property": p, "holds": h, "seen": s} for p, h, s in findings], sys.stdout, indent=1)
    return 1 if any(holds is False for _, holds, _ in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
