#!/usr/bin/env python3
"""Who holds a user's sessions, as it is told everywhere: the command, the mount, METADATA and ID; the same everywhere, and to nobody
of another's."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, until
from hostile.common import MAIL, login

ENTRY = "/private/vendor/vendor.postern"
CLIENT = "Kite 2.1"


def metadata(wire, entry, depth="0"):
    """The annotation's values by what stands behind ENTRY/."""
    said = "".join(line for line in wire.imap(f'm GETMETADATA (DEPTH {depth}) "" {ENTRY}/{entry}') if "METADATA" in line)
    return {name: value.replace('\\"', '"').replace("\\\\", "\\")
            for name, value in re.findall(re.escape(ENTRY) + r'/(\S+) "((?:[^"\\]|\\.)*)"', said)}


def held_by_three(site):
    """A mail client over TLS, a script over POP3, and a program that reads a file of the mount."""
    client = login(site, "imaps")
    client.imap(f'i ID ("name" "{CLIENT.split()[0]}" "version" "{CLIENT.split()[1]}")')
    client.imap("s SELECT INBOX")
    script = login(site, "pop3")
    name = next(f for f in sorted(os.listdir(site.folder("alice"))) if f.endswith(".eml"))
    reader = subprocess.Popen(["tail", "-f", os.path.join(site.folder("alice"), name)], stdout=subprocess.DEVNULL)
    claim_that("the three hold a session each", until(lambda: len(counted(site)) == 3), counted(site))
    return client, script, reader


def counted(site, user="alice"):
    return [s for s in site.sessions(user) if s["class"] in ("direct", "service")]


def the_command(site, reader):
    chapter("postern sessions")
    by_service = {s["service"]: s for s in counted(site)}
    imap, fs = by_service["IMAP4"], by_service["fs"]
    claim("the mail client", (imap["user"], imap["class"], imap["tls"], imap["client"], imap["open"]),
          ("alice", "service", True, CLIENT, "INBOX"))
    claim("the script", (by_service["POP3"]["tls"], by_service["POP3"]["open"]), (False, "INBOX"))
    claim("the program", (fs["class"], fs["command"], fs["pid"], fs["peer"]), ("direct", "tail", reader.pid, None))
    claim_that("with its command line", fs["command_line"].startswith("tail -f /"), fs)
    lines = {line.split()[2]: line for line in site.postern("sessions", "list", "alice").stdout.splitlines() if line.startswith(tuple(
        s["id"] for s in by_service.values()))}
    claim_that("the same for people", all(word in lines["IMAP4"] for word in (" tls ", "127.0.0.1:", "INBOX", f"({CLIENT})")), lines)
    claim_that("and the program's words", f"tail -f {site.mountpoint}" in lines["fs"] and f"[{reader.pid}]" in lines["fs"], lines)
    return by_service


def the_mount(site, by_service):
    chapter("The mount")
    with open(f"{site.mountpoint}/sys/users/alice/sessions", encoding="utf-8") as file:
        lines = {line.split()[1]: line for line in file}
    claim("each once", {k: lines[k].split()[0] for k in by_service}, {k: s["id"] for k, s in by_service.items()})
    claim_that("the mail client", f' tls open="INBOX" client="{CLIENT}"' in lines["IMAP4"], lines)
    claim_that("the program, and not its words", "tail" in lines["fs"] and "tail -f" not in lines["fs"], lines)
    with open(f"{site.mountpoint}/sys/users/bob/sessions", encoding="utf-8") as file:
        claim_that("nothing of hers is bob's", not any(s["id"] in line for line in file for s in by_service.values()))


def over_imap(site, client, by_service):
    chapter("METADATA and ID")
    claim_that("ID", '"sessions" "3" "sessions-limit" "32" "service-sessions" "2" "service-sessions-limit" "16"' in
               "".join(client.imap("i ID NIL")))
    told = metadata(client, "sessions", "1")
    claim("how many", told["sessions"], "alice holds 3 of 32 sessions, 2 of 16 service sessions")
    claim("each once", sorted(told), sorted(["sessions"] + [f"sessions/{s['id']}" for s in by_service.values()]))
    imap, fs = (told[f"sessions/{by_service[k]['id']}"] for k in ("IMAP4", "fs"))
    claim_that("the mail client, who asks", f'tls=yes ' in imap and f' open="INBOX" client="{CLIENT}" this' in imap, imap)
    claim_that("the program", f' pid={by_service["fs"]["pid"]} command="tail"' in fs, fs)
    claim("since when", re.search("opened=(\\S+)", imap)[1], by_service["IMAP4"]["opened"])
    with login(site, "imap", "bob") as bob:
        told = metadata(bob, "sessions", "infinity")
        claim_that("bob is told of his own alone", len(told) == 2 and told["sessions"].startswith("bob holds 1 of 32"), told)
        claim("and asks for hers in vain", metadata(bob, f"sessions/{by_service['fs']['id']}"), {})


def all_say_the_same(site, client):
    chapter("Why one more is refused, in the same words everywhere")
    site.reg("Maximum Allowed Sessions Per User", 3)
    why = metadata(client, "limits/POP3")["limits/POP3"]
    claim_that("METADATA says which limit, how it stands, where it is set and what lifts it", all(word in why for word in (
        "store: Maximum Allowed Sessions Per User is 3, held 3", "HKLM\\SYSTEM\\", "postern reg add -v")), why)
    with site.wire("imap") as wire:
        wire.read_line()
        claim("the untagged NO", wire.imap("a LOGIN alice postern")[0], f"* NO [LIMIT] {why}")
    with site.wire("pop3") as wire:
        wire.read_line()
        wire.ask("USER alice")
        claim("POP3", wire.ask("PASS postern"), f"-ERR [SYS/TEMP] Server Unavailable. 15; {why}")
    claim_that("the log", f'why="{why}"' in site.daemons["imap"].log(), site.daemons["imap"].log())
    events = [json.loads(line) for line in site.postern("events", "--json").stdout.splitlines()]
    claim("the event", {e["explain"] for e in events}, {why})
    with open(f"{site.mountpoint}/sys/users/alice/limits", encoding="utf-8") as file:
        claim_that("the mount", f"refused: {why}\n" in file.read())
    with open(f"{site.mountpoint}/sys/users/alice/events", encoding="utf-8") as file:
        claim_that("its events", f"({why})" in file.read())
    claim_that("and explain, with what helps not", "What does not, and why:" in site.postern("explain", "alice").stdout)
    site.reg("Maximum Allowed Sessions Per User", None)


def ended(site, client, reader):
    chapter("Ending them: one, those that idle, all of a user's")
    fs = next(s for s in counted(site) if s["service"] == "fs")
    site.postern("sessions", "end", fs["id"])
    claim("one", sorted(s["service"] for s in counted(site)), ["IMAP4", "POP3"])
    claim("none has idled for a day", site.postern("sessions", "end", "--user", "alice", "--idle", "1d").stdout, "0 ended\n")
    claim("all that have for no time", site.postern("sessions", "end", "--idle", "0s", "--service", "POP3").stdout, "1 ended\n")
    claim("the rest of hers", site.postern("sessions", "end", "--user", "alice").stdout, "1 ended\n")
    claim("nothing is left", counted(site), [])
    reader.kill()
    reader.wait()


def main():
    with Site(tls=True) as site:
        for user in ("alice", "bob"):
            site.user(user)
            site.import_mail(user, MAIL)
        site.serve("imap", "pop3")
        site.mount()
        client, script, reader = held_by_three(site)
        try:
            by_service = the_command(site, reader)
            the_mount(site, by_service)
            over_imap(site, client, by_service)
            all_say_the_same(site, client)
            ended(site, client, reader)
        finally:
            reader.kill()
            for wire in (client, script):
                wire.close()


run_main(main)
