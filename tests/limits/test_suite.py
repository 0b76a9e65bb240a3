#!/usr/bin/env python3
"""The limit properties: a postern has all of them, and each fault of a server that has one is noticed."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.netns import Lan
from harness.programs import patience, run_main
from harness.site import Site
from harness.story import chapter, claim, step
from limits import properties
from limits.both import Postern
from limits.fake import FakeServer
from limits.target import Command, Target

OPENS = 100000 if os.environ.get("POSTERN_LONG") else 1280
KILLS = 20 if os.environ.get("POSTERN_LONG") else 4


def failing(findings):
    return [name for name, holds, _ in findings if holds is False]


def of_fake(fault):
    """What does not hold of a server with this fault, by the properties that are about such faults."""
    server = FakeServer(4, fault)
    target = Target(server.address, None, "alice", "secret", "bob", 4, None,
                    {"refusals": [Command("its count", lambda: server.refusals)]})
    findings, groups = properties.one_count(target)
    for check in (lambda: properties.exact_in_bursts(target, groups, 96, 16),
                  lambda: properties.exact_at_the_edge(target, groups, 5),
                  lambda: properties.told(target), lambda: properties.attributed(target, 5),
                  lambda: properties.fair(target, 5),
                  lambda: properties.closed_without_goodbye(target, 2, patience_s=0.5)):
        findings += check()
    server.shutdown()
    server.server_close()
    return failing(findings)


def main():
    chapter("a postern")
    with Site() as site:
        site.setting("store", "ProbeIdle", 2)   # whoever was silent for so long is asked; two minutes else
        found = []
        for name, holds, seen in properties.all_properties(Postern(site, Lan("server", "phone", "laptop")).target(), OPENS, KILLS, patience(20)):
            step(f"{name}: {seen}")
            found.append((name, holds, seen))
        claim("has every property", failing(found), [])
        claim("and each was tried", [name for name, holds, _ in found if holds is None],
              ["how much a user at the limit slows another"])
    chapter("servers that are wrong")
    claim("a good one is found good", of_fake(None), [])
    for fault, missing in (("racy", ["exact when many come at once"]), ("short", ["a place is free when its holder has said goodbye"]),
                           ("mute", ["a code tells a refusal from a wrong password, imap", "every refusal is recorded"]),
                           ("unfair", ["a user at the limit has nobody else refused"]),
                           ("leaky", ["a client that closes without a goodbye frees its place"])):
        found = of_fake(fault)
        for noticed in missing:
            claim(f"{fault}: {noticed}", noticed in found, True)


if __name__ == "__main__":
    run_main(main)
