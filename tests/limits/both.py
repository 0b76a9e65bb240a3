#!/usr/bin/env python3
"""both.py: the limit properties (suite.py) of a postern and of Debian's Dovecot, each a throw-away instance of its own with
16 sessions a user, as two columns of a Markdown table.

    POSTERN_BUILD=build-rel tests/limits/both.py              100,000 opens in bursts each
    POSTERN_BUILD=build-rel tests/limits/both.py --opens 1000 --only postern
"""
import argparse
import json
import os
import random
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from bench.compare import Dovecot, family
from harness.netns import Lan
from harness.site import PASSWORD, Site
from harness.wire import Wire
from limits.properties import all_properties
from limits.suite import shown
from limits.target import Command, Target

LIMIT = 16
MESSAGE = b"From: Ann <ann@example.org>\r\nSubject: at the limit\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\nHello.\r\n"


def deliver(port, user):
    """One message, so that mail programs have something to read."""
    with Wire(port) as wire:
        wire.read_line()
        for line in ("LHLO limits", "MAIL FROM:<ann@example.org>", f"RCPT TO:<{user}>", "DATA"):
            wire.send_line(line)
            while wire.read_line()[3:4] == b"-":
                pass
        wire.send(MESSAGE + b".\r\n")
        if not (answer := wire.read_line()).startswith(b"250"):
            raise SystemExit(f"the message for the test was not taken: {answer!r}")


def cables(lan):
    """What takes the far machine's network away and gives it back."""
    return {"cut": [Command("unplugging it", lambda: lan.unplug("laptop"))], "heal": [Command("plugging it in", lambda: lan.plug_in("laptop"))]}


def places(lan):
    return {"near": lambda: lan.inside("phone"), "far": lambda: lan.inside("laptop")}


class Postern:
    """A store with its doors on one machine of three, and what an administrator does to it."""

    def __init__(self, site, lan):
        self.site, self.lan = site, lan
        for name in ("alice", "bob"):
            site.user(name)
        for door in ("imap", "pop3"):
            site.configure(door, "listen", f"0.0.0.0:{site.ports[door]}")
        site.configure("auth", "plaintext", "always")
        with lan.inside("server"):
            site.serve("imap", "pop3", "lmtp")
            deliver(site.ports["lmtp"], "alice")

    def refusals(self):
        events = self.site.postern("events", "--json").stdout.splitlines()
        return sum(json.loads(event)["count"] for event in events)

    def kill(self):
        door = random.choice(("imap", "pop3"))
        self.site.kill(door)
        with self.lan.inside("server"):
            self.site.serve(door)

    def of(self, *words):
        return Command(f"postern {' '.join(words)}", lambda: self.site.postern(*words))

    def target(self):
        commands = {
            "refusals": [Command("postern events --json", self.refusals)],
            "does-not-help": [self.of("settings", "imap", "MaxConnectionsPerUser", "100"),
                              self.of("policy", "set", "default", "IMAPMaxConcurrency", "null"),
                              self.of("grant", "alice", "View Information Store Status")],
            "undo": [self.of("settings", "imap", "MaxConnectionsPerUser", "16"),
                     self.of("policy", "set", "default", "IMAPMaxConcurrency", "null"),
                     self.of("revoke", "alice", "View Information Store Status")],
            "kill": [Command("SIGKILL of postern-imapd or postern-pop3d", self.kill)],
            **cables(self.lan),
        }
        ports, host = self.site.ports, self.lan.addresses["server"]
        return Target(f"{host}:{ports['imap']}", f"{host}:{ports['pop3']}", "alice", PASSWORD, "bob", LIMIT, None, commands,
                      **places(self.lan))


class OfDovecot:
    def __init__(self, lan):
        self.lan = lan
        with lan.inside("server"):
            self.server = Dovecot("dovecot", "sdbox", "tuned", limit=LIMIT, extra="listen = *\n")
            deliver(self.server.port[2], "user1")

    def refusals(self):
        with open(os.path.join(self.server.dir, "log"), errors="replace") as f:
            return sum("mail_max_userip_connections" in line for line in f)

    def kill(self):
        """Those of its processes that serve sessions."""
        for pid in family(str(self.server.proc.pid)):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    name = f.read().strip()
                if name in ("imap", "pop3"):
                    os.kill(pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass

    def target(self):
        commands = {"refusals": [Command("its log", self.refusals)], "kill": [Command("SIGKILL of imap and pop3", self.kill)],
                    **cables(self.lan)}
        imap, pop3 = (f"{self.lan.addresses['server']}:{port}" for port in self.server.port[:2])
        return Target(imap, pop3, "user1", "pass", "user2", LIMIT, r"mail_max_userip_connections", commands,
                      **places(self.lan))


def findings_of(name, target, options):
    found = {}
    for prop, holds, seen in all_properties(target, options.opens, options.kills, options.patience):
        found[prop] = (holds, seen)
        print(f"{name}: {shown(holds)}: {prop}: {seen}", flush=True)
    return found


def table(columns):
    properties = dict.fromkeys(prop for found in columns.values() for prop in found)
    print("\n| property | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for prop in properties:
        cells = []
        for found in columns.values():
            holds, seen = found.get(prop, (None, ""))
            cells.append(f"{({True: 'yes', False: '**no**', None: '-'})[holds]}{': ' + seen if seen else ''}".replace("|", "\\|"))
        print(f"| {prop} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opens", type=int, default=100000, help="in bursts, at each server (%(default)s)")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--patience", type=float, default=180, metavar="S", help="for who was cut off (%(default)g)")
    parser.add_argument("--only", choices=("postern", "dovecot"))
    options = parser.parse_args()
    columns, lan = {}, Lan("server", "phone", "laptop")
    if options.only != "dovecot":
        with Site(runtime="/dev/shm") as site:
            columns["postern"] = findings_of("postern", Postern(site, lan).target(), options)
    if options.only != "postern":
        dovecot = OfDovecot(lan)
        columns["Dovecot"] = findings_of("dovecot", dovecot.target(), options)
        dovecot.server.destroy()
    table(columns)
    return 1 if any(holds is False for holds, _ in columns.get("postern", {}).values()) else 0


if __name__ == "__main__":
    sys.exit(main())
