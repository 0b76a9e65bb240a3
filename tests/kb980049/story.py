#!/usr/bin/env python3
"""KB 980049, told from the top: what one user with too many clients lives through, what the administrator
tries that does not help, and what does.  Real daemons, a real mount, raw bytes.

Alice is the user.  Bob is there to see that nobody else ever notices.
"""
import os
import re
import socket
import subprocess
import sys
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that, step, until
from harness.telnet import telnet

SERVICE_LIMIT = "Maximum Allowed Service Sessions Per User"
USER_LIMIT = "Maximum Allowed Sessions Per User"
# What a refused user sees at the end of his login, to the byte.
REFUSAL = {
    ("imap", "exact"): b"a NO Server Unavailable. 15\r\n",
    ("pop3", "exact"): b"-ERR Server Unavailable. 15\r\n",
    ("imap", "coded"): b"a NO [LIMIT] Server Unavailable. 15\r\n",
    ("pop3", "coded"): b"-ERR [SYS/TEMP] Server Unavailable. 15\r\n",
}
DOORS = ("imap", "pop3")
EVENTS = "{http://schemas.microsoft.com/win/2004/08/events/event}"
ALICE_DN = ("/o=First Organization/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
            "/cn=Recipients/cn=alice")
MAIL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "talk", "mail", "three.mbox")


def connect(site, door):
    wire = site.wire(door)
    claim_that(f"{door} greets", wire.read_line().startswith((b"* OK", b"+OK")))
    return wire


def login(wire, door, user="alice"):
    """Everything the server says to one login, as bytes."""
    if door == "pop3":
        wire.send_line(f"USER {user}")
        said = wire.read_line()
        claim_that("USER is taken, whoever it is", said.startswith(b"+OK"), said)
        wire.send_line(f"PASS {PASSWORD}")
        return wire.read_line() + b"\r\n"
    wire.send_line(f"a LOGIN {user} {PASSWORD}")
    lines = [wire.read_line()]
    while not lines[-1].startswith(b"a "):
        lines.append(wire.read_line())
    return b"\r\n".join(lines) + b"\r\n"


def is_in(answer):
    return answer.startswith(b"+OK") or bool(re.search(rb"^a OK", answer, re.M))


class Story:
    def __init__(self, site):
        self.site = site
        self.open = []          # Alice's wires that are logged in
        self.handles = []       # descriptors she has open in the mount
        self.refusals = 0

    # --- what people do ---

    def alice_opens(self, door, n):
        for _ in range(n):
            wire = connect(self.site, door)
            answer = login(wire, door)
            claim_that(f"alice logs in over {door} ({len(self.open) + 1} open)", is_in(answer), answer)
            self.open.append(wire)

    def alice_leaves(self):
        for wire in self.open:
            wire.close()
        for handle in self.handles:
            os.close(handle)
        self.open, self.handles = [], []
        claim_that("alice's sessions are all given back", until(lambda: self.site.sessions("alice") == []),
                   self.site.sessions("alice"))

    def alice_holds(self, n):
        claim(f"alice holds {n} sessions", len(self.site.sessions("alice")), n)

    def refused(self, wire, door, style="coded", limit=SERVICE_LIMIT, value=16):
        """One login that must be refused in the words of the KB, beside ours."""
        answer = login(wire, door)
        self.refusals += 1
        words = REFUSAL[door, style]
        if style == "exact":
            claim(f"{door} refuses, {style}, to the byte", answer, words)
            return answer
        if door == "pop3":
            told, _, explained = answer.partition(b"; ")
            claim("pop3 refuses, coded, to the byte before it explains", told + b"\r\n", words)
        else:
            explained, _, rest = answer.partition(b"\r\n")
            claim("imap refuses, coded, to the byte", rest, words)
            claim_that("before that, an untagged NO explains", explained.startswith(b"* NO [LIMIT] "), explained)
        claim_that(f"it names `{limit}` and {value}",
                   limit.encode() in explained and str(value).encode() in explained, explained)
        return answer

    def both_refuse(self, why, style="coded", **what):
        step(why)
        for door in DOORS:
            with connect(self.site, door) as wire:
                self.refused(wire, door, style, **what)
        self.bob_is_unaffected()

    def bob_is_unaffected(self):
        for door in DOORS:
            with connect(self.site, door) as wire:
                answer = login(wire, door, "bob")
                claim_that(f"bob logs in over {door}", is_in(answer), answer)
        claim("bob's ls works", subprocess.run(["ls", self.site.folder("bob")], capture_output=True).returncode, 0)

    def open_handles(self, n):
        """Half of them folders, half of them messages."""
        inbox = self.site.folder("alice")
        message = os.path.join(inbox, sorted(os.listdir(inbox))[0])
        for i in range(n):
            self.handles.append(os.open(message if i % 2 else inbox, os.O_RDONLY))

    # --- the chapters, in order ---

    def mixed(self):
        chapter("Sixteen service sessions, IMAP4 and POP3 mixed; the seventeenth is refused")
        self.alice_opens("imap", 9)
        self.alice_opens("pop3", 7)
        self.alice_holds(16)
        self.both_refuse("with our code before the words")
        self.site.setting("store", "RefusalStyle", "exact")
        self.both_refuse("with RefusalStyle exact", style="exact")
        step("and as a person sees it who runs telnet")
        for door, lines in (("imap", [f"a LOGIN alice {PASSWORD}"]), ("pop3", ["USER alice", f"PASS {PASSWORD}"])):
            screen = telnet(self.site.ports[door], lines)
            self.refusals += 1
            claim_that(f"telnet to {door} shows the line",
                       REFUSAL[door, "exact"].decode().strip() in screen.splitlines(), screen)
        self.site.setting("store", "RefusalStyle", "coded")
        self.alice_holds(16)
        self.alice_leaves()

    def one_protocol(self):
        for door, other in (DOORS, DOORS[::-1]):
            chapter(f"Sixteen of {door} alone: the same answer, though a limit of the protocol is met as well")
            self.alice_opens(door, 16)
            with connect(self.site, door) as wire:
                answer = self.refused(wire, door)
                if door == "imap":
                    claim_that("the explanation names the other layer too", b"MaxConnectionsPerUser" in answer, answer)
            with connect(self.site, other) as wire:
                self.refused(wire, other)
            self.site.setting("store", "RefusalStyle", "exact")
            self.both_refuse("the original bytes", style="exact")
            self.site.setting("store", "RefusalStyle", "coded")
            if door == "imap":
                self.alice_leaves()

    def does_not_help(self, *command):
        """The change is made, and says that it is the store's limit that refuses."""
        note = self.site.postern(*command).stderr
        claim_that(f"`postern {command[0]}` names the limit that matters", SERVICE_LIMIT in note, note)

    def what_does_not_help(self):
        chapter("The administrator raises MaxConnectionsPerUser: still refused")
        for group in ("imap", "pop"):
            self.does_not_help("settings", group, "MaxConnectionsPerUser", 100)
        self.both_refuse("MaxConnectionsPerUser is 100")
        chapter("He changes the throttling policy: still refused")
        for name in ("IMAPMaxConcurrency", "POPMaxConcurrency", "OWAMaxConcurrency", "EWSMaxConcurrency",
                     "EASMaxConcurrency", "RCAMaxConcurrency"):
            self.does_not_help("policy", "set", "default", name, "null")
        self.both_refuse("nothing is throttled")
        chapter("He grants View Information Store Status: still refused")
        self.does_not_help("grant", "alice", "View Information Store Status")
        self.both_refuse("the service-session limit stays")
        self.alice_holds(16)

    def what_helps(self):
        chapter(f"He sets `{SERVICE_LIMIT}` to 20: the seventeenth opens at once")
        waiting = connect(self.site, "imap")
        self.refused(waiting, "imap")
        self.site.reg(SERVICE_LIMIT, 20)
        answer = login(waiting, "imap")
        claim_that("the very connection that was refused is let in, without a restart", is_in(answer), answer)
        self.open.append(waiting)
        self.alice_opens("pop3", 2)
        self.alice_opens("imap", 1)
        self.alice_holds(20)
        self.both_refuse("the twenty-first is refused", value=20)

    def back_at_the_defaults(self):
        chapter("Back at the defaults, and the permission taken back")
        self.site.reg(SERVICE_LIMIT, None)
        for group in ("imap", "pop"):
            self.site.setting(group, "MaxConnectionsPerUser", 16)
        self.site.postern("policy", "set", "default", "POPMaxConcurrency", "20")
        self.site.postern("revoke", "alice", "view-information-store-status")
        self.alice_holds(20)
        step("who is in stays in; nobody new gets in")
        self.both_refuse("twenty are held where sixteen may be")
        self.alice_leaves()

    def mount_is_full(self):
        chapter("Sixteen service sessions and sixteen open handles in the mount: ls says why")
        self.alice_opens("imap", 8)
        self.alice_opens("pop3", 8)
        self.open_handles(16)
        self.alice_holds(32)
        inbox = self.site.folder("alice")
        ls = subprocess.run(["ls", inbox], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        self.refusals += 1
        claim("ls says it in its own words", ls.stderr, f"ls: cannot open directory '{inbox}': Too many users\n")
        claim("and has shown nothing", (ls.returncode, ls.stdout), (2, ""))
        step("stat takes no session")
        os.stat(inbox)
        os.close(self.handles.pop())
        ls = subprocess.run(["ls", inbox], capture_output=True)
        claim("one handle less, and ls works", ls.returncode, 0)
        self.bob_is_unaffected()
        self.alice_leaves()
        chapter("Thirty-two handles in the mount: a telnet login is refused as well")
        self.open_handles(32)
        self.alice_holds(32)
        self.both_refuse("though she has no service session at all", limit=USER_LIMIT, value=32)
        os.close(self.handles.pop())
        with connect(self.site, "imap") as wire:
            # close(2) does not wait for the file system to hear of it, and TCP is no queue behind it.
            answer = until(lambda: is_in(login(wire, "imap")) or self.count_refusal(), seconds=2)
            claim_that("one handle less, and she gets in", answer)
        self.alice_leaves()

    def count_refusal(self):
        self.refusals += 1
        return False

    def imapd_is_killed(self):
        chapter("SIGKILL to imapd: its sessions are gone at once")
        self.alice_opens("imap", 12)
        self.alice_opens("pop3", 4)
        self.both_refuse("all sixteen are taken")
        self.site.kill("imap")
        with connect(self.site, "pop3") as wire:
            answer = login(wire, "pop3")
            claim_that("the next login has room, with nothing waited for", is_in(answer), answer)
            claim("only POP3 sessions are listed", {s["service"] for s in self.site.sessions("alice")}, {"POP3"})
        self.site.serve("imap")
        self.alice_leaves()
        self.alice_opens("imap", 16)
        self.alice_leaves()

    def what_the_log_says(self):
        chapter("The Application log: event 9646, in the right XML")
        root = xml.fromstring(self.site.postern("events", "--xml").stdout)
        claim("the root", root.tag.split("}")[-1], "Events")
        events = root.findall(f"{EVENTS}Event")
        claim_that("there are events", events)
        for event in events:
            self.event_is_right(event)
        kinds = [(self.data(e)[1], self.text(e, "TimeCreated", "SystemTime")[:16]) for e in events]
        claim("the limits that refused, and no others", {limit for limit, _ in kinds}, {"16", "20", "32"})
        claim("one record per limit and minute", sorted(set(kinds)), sorted(kinds))
        serials = [int(self.text(e, "EventRecordID")) for e in events]
        claim_that("serial numbers rise", serials == sorted(set(serials)), serials)
        counted = sum(int(line) for line in re.findall(r'"count":\s*(\d+)', self.site.postern("events", "--json").stdout))
        claim("every refusal is counted, each once", counted, self.refusals)
        said = self.site.postern("events").stdout
        sentence = f'Mapi session "{ALICE_DN}" exceeded the maximum of 16 objects of type "session".'
        claim_that("the sentence of the KB", sentence in said, said)

    def event_is_right(self, event):
        system = event.find(f"{EVENTS}System")
        names = [child.tag.replace(EVENTS, "") for child in system]
        claim("System, in order", names, ["Provider", "EventID", "Level", "Task", "Keywords", "TimeCreated",
                                          "EventRecordID", "Channel", "Computer", "Security"])
        fixed = {"EventID": "9646", "Level": "2", "Task": "6", "Keywords": "0x80000000000000",
                 "Channel": "Application", "Computer": socket.gethostname()}
        for name, value in fixed.items():
            claim(name, self.text(event, name), value)
        claim("Provider", self.text(event, "Provider", "Name"), "MSExchangeIS")
        claim("Qualifiers", self.text(event, "EventID", "Qualifiers"), "49158")
        time = self.text(event, "TimeCreated", "SystemTime")
        claim_that("the time is UTC, ISO 8601", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", time), time)
        dn, _, kind = self.data(event)
        claim("who, and of what", (dn, kind), (ALICE_DN, "session"))
        binary = event.find(f"{EVENTS}EventData/{EVENTS}Binary").text
        claim_that("Binary is hex bytes", re.fullmatch(r"([0-9A-Fa-f]{2})+", binary), binary)

    @staticmethod
    def text(event, name, attribute=None):
        node = event.find(f"{EVENTS}System/{EVENTS}{name}")
        return node.get(attribute) if attribute else node.text

    @staticmethod
    def data(event):
        return [data.text for data in event.findall(f"{EVENTS}EventData/{EVENTS}Data")]


def main():
    with Site() as site:
        for user in ("alice", "bob"):
            site.user(user)
            site.import_mail(user, MAIL)
        site.serve(*DOORS)
        site.mount()
        story = Story(site)
        story.mixed()
        story.one_protocol()
        story.what_does_not_help()
        story.what_helps()
        story.back_at_the_defaults()
        story.mount_is_full()
        story.imapd_is_killed()
        story.what_the_log_says()


if __name__ == "__main__":
    run_main(main)
