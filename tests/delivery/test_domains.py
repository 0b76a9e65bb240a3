#!/usr/bin/env python3
"""Users of two domains, and one of none, who have one local part: their mail, passwords, application passwords, sessions,
limits and quotas are their own, whatever door asks; and the default domain changes under them."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import Skip, run_main
from harness.site import Site, free_port
from harness.story import chapter, claim, claim_that, until
from harness.wire import Wire
from delivery.post import codes, deliver
from hostile.authd import Asker, ask_map
from hostile.common import DOORS, greeted, try_login

ORG, BOOKS, BOOKS_ASCII = "example.org", "b\u00fccher.example", "xn--bcher-kva.example"
NOVELS = "novels.example"
# Who there is: name, password, spellings that a login may have.
PEOPLE = {
    "ann": ("of nobody", ["ann", "Ann@localhost", "ANN@mail.example.net"]),
    f"ann@{ORG}": ("of org", [f"ann@{ORG}", "Ann@EXAMPLE.org"]),
    f"ann@{BOOKS}": ("of books", [f"ann@{BOOKS_ASCII}", f"ANN@{BOOKS}", "ann@XN--BCHER-KVA.Example"]),
}
# The subject of the first message that each of them gets.
FIRST = {"ann": "0", f"ann@{ORG}": "2", f"ann@{BOOKS}": "4"}
MESSAGE = b"From: Bob <bob@example.net>\r\nSubject: %s\r\n\r\nfor you\r\n"


def log_in(wire, door, user, password):
    """IMAP4 wants what is no ASCII in a literal."""
    if door == "imap" and not user.isascii():
        name = user.encode()
        wire.send(b"a LOGIN {%d+}\r\n%s \"%s\"\r\n" % (len(name), name, password.encode()))
        return wire.read_line()
    return try_login(wire, door, user, password)


def gets_in(site, door, user, password):
    with greeted(site, door) as wire:
        return log_in(wire, door, user, password).startswith((b"a OK", b"+OK"))


def subjects(site, user, password):
    with greeted(site, "imap") as wire:
        claim_that(f"{user} reads", log_in(wire, "imap", user, password).startswith(b"a OK"))
        wire.imap("b SELECT INBOX")
        return sorted(line.partition("Subject: ")[2].strip() for line in "\n".join(
            wire.imap("c FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")).splitlines() if "Subject: " in line)


def passwords(site):
    chapter("a password is good for its own user, in each spelling of his name, at each door")
    with Asker(site) as asker:
        for name, (password, spellings) in PEOPLE.items():
            for spelling in spellings:
                for door in DOORS:
                    claim_that(f"{door}: {spelling}", gets_in(site, door, spelling, password))
                words, _ = asker.ask(spelling, password)
                claim(f"auth: {spelling} is {name}", words[:2], ["OK", f"user={name}"])
    for name, (_, spellings) in PEOPLE.items():
        for other, (password, _) in PEOPLE.items():
            if other != name:
                claim_that(f"{other}'s password is not {name}'s", not gets_in(site, "imap", spellings[0], password))
    made = site.postern("apppass", "add", f"ann@{ORG}", "phone").stdout.split()[-1]
    claim_that("an application password is its user's", gets_in(site, "imap", f"ann@{ORG}", made))
    for other in ("ann", f"ann@{BOOKS}"):
        claim_that(f"and not {other}'s", not gets_in(site, "imap", other, made))
    site.postern("apppass", "remove", f"ann@{ORG}", "phone")


def mail(site):
    chapter("mail goes to the user of its domain")
    port = site.ports["lmtp"]
    for i, (address, want) in enumerate((("ann", 250), ("ann@mail.example.net", 250), (f"ann@{ORG}", 250), (f"ann+INBOX@{ORG.upper()}", 250),
                                         (f"ann@{BOOKS_ASCII}", 250), (f"bob@{ORG}", 550))):
        claim(address, codes(deliver(port, "bob@example.net", [address], MESSAGE % b"%d" % i)), [want])
    (code, text), = deliver(port, "bob@example.net", ["ann@elsewhere.example"], MESSAGE % b"x")
    claim("a domain that is not here", (code, text[:5]), (550, "5.1.2"))
    for name, want in zip(PEOPLE, (["0", "1"], ["2", "3"], ["4"])):
        claim(f"{name} has", subjects(site, name, PEOPLE[name][0]), want)


def tables(site, wire):
    chapter("a mail server's questions")
    for question, answer in {
            f"domains {ORG}": f"OK {ORG}", f"domains {BOOKS_ASCII}": f"OK {BOOKS_ASCII}", f"domains {BOOKS}": f"OK {BOOKS}",
            "domains mail.example.net": "OK mail.example.net", "domains elsewhere.example": "NOTFOUND ",
            f"mailboxes ann@{ORG}": f"OK ann@{ORG}", f"mailboxes ann@{BOOKS_ASCII}": f"OK ann@{BOOKS}", "mailboxes ann@localhost": "OK ann",
            f"aliases sales@{ORG}": f"OK ann@{BOOKS_ASCII}", f"senders sales@{ORG}": f"OK ann@{BOOKS}", f"aliases ann@{ORG}": "NOTFOUND ",
            f"mailboxes sales@{BOOKS_ASCII}": "NOTFOUND ", "mailboxes sales@localhost": "NOTFOUND "}.items():
        claim(question, ask_map(wire, question.encode(), raw=True).encode().decode(), answer)


def limits(site):
    chapter("sessions, limits and quotas are apart")
    site.reg("Maximum Allowed Service Sessions Per User", 2)
    held = []
    for _ in range(2):
        held.append(greeted(site, "imap"))
        claim_that("it is held", try_login(held[-1], "imap", f"ann@{ORG}", "of org").startswith(b"a OK"))
        held[-1].imap("b SELECT INBOX")
    with greeted(site, "imap") as wire:
        refused = not try_login(wire, "imap", f"ann@{ORG}", "of org").startswith(b"a OK") or not wire.imap("b SELECT INBOX")[-1].startswith("b OK")
    claim_that("a third is refused", refused)
    for other in ("ann", f"ann@{BOOKS}"):
        claim_that(f"{other} gets in", gets_in(site, "imap", other, PEOPLE[other][0]))
        claim(f"{other} holds none", until(lambda who=other: len(site.sessions(who)) == 0), True)
    claim("sessions of one", {row["mailbox"] for row in site.sessions(f"ann@{ORG}")}, {f"ann@{ORG}"})
    for wire in held:
        wire.close()
    site.reg("Maximum Allowed Service Sessions Per User", None)
    site.postern("quota", "set", f"ann@{ORG}", "--messages", "2")
    claim("one is full", codes(deliver(site.ports["lmtp"], "bob@example.net", [f"ann@{ORG}"], MESSAGE % b"full")), [552])
    claim("the others are not", codes(deliver(site.ports["lmtp"], "bob@example.net", ["ann", f"ann@{BOOKS_ASCII}"], MESSAGE % b"room")), [250, 250])


def mounted(site):
    chapter("each has a folder in the mount")
    try:
        top = site.mount()
    except Skip as reason:
        print(f"   not here: {reason}")
        return
    claim("folders", sorted(os.listdir(os.path.join(top, "mail"))), sorted(PEOPLE))
    for name, n in zip(PEOPLE, (3, 2, 2)):
        claim(f"{name}'s mail", len([f for f in os.listdir(site.folder(name)) if f.endswith(".eml")]), n)
    claim_that("another spelling is no folder", not os.path.exists(os.path.join(top, "mail", f"ann@{BOOKS_ASCII}")))


def names_in_the_mount(site, people):
    """people: by their names of now, those of the beginning.  One of them is an administrator, as a file about him says."""
    if "fs" not in site.daemons:
        return
    for name, was in people.items():
        claim_that(f"the folder of {name} is that of who is called so now",
                   until(lambda who=name, what=FIRST[was]: f"Subject: {what}\n" in first_message(site, who)))
        with open(os.path.join(site.mountpoint, "sys", "users", name, "limits"), encoding="utf-8") as f:
            claim("and the file about him is about him", "65536" in f.read(), was == f"ann@{BOOKS}")
    claim("there are no others", sorted(os.listdir(os.path.join(site.mountpoint, "mail"))), sorted(people))
    former = {"ann", f"ann@{ORG}", f"ann@{BOOKS}", f"ann@{NOVELS}", "ann@example.net"} - set(people)
    claim_that("nor under a name that nobody has now", until(lambda: not any(os.path.exists(site.folder(name)) for name in former)))


def first_message(site, name):
    try:
        with open(os.path.join(site.folder(name), "1.eml"), encoding="utf-8", newline="\n") as f:
            return f.read().replace("\r", "")
    except OSError:
        return ""


def domain_is_renamed(site):
    chapter("a domain gets another name")
    site.postern("grant", f"ann@{BOOKS}", "administrator")
    app = site.postern("apppass", "add", f"ann@{BOOKS}", "phone").stdout.strip()
    names_in_the_mount(site, {name: name for name in PEOPLE})
    site.postern("domain", "rename", BOOKS, ORG, ok=False)
    site.postern("domain", "rename", BOOKS, NOVELS)
    for door in DOORS:
        for password in ("of books", app):
            claim_that(f"{door}: by the new name", gets_in(site, door, f"ann@{NOVELS}", password))
        claim_that(f"{door}: not by the former", not gets_in(site, door, f"ann@{BOOKS}", "of books"))
    claim("mail comes to the new one", codes(deliver(site.ports["lmtp"], "bob@example.net", [f"ann@{NOVELS}", f"sales@{ORG}"], MESSAGE % b"new")), [250, 250])
    claim("and not to the former", codes(deliver(site.ports["lmtp"], "bob@example.net", [f"ann@{BOOKS_ASCII}"], MESSAGE % b"old")), [550])
    names_in_the_mount(site, {"ann": "ann", f"ann@{ORG}": f"ann@{ORG}", f"ann@{NOVELS}": f"ann@{BOOKS}"})
    site.postern("domain", "rename", NOVELS, BOOKS)
    names_in_the_mount(site, {name: name for name in PEOPLE})


def default_changes(site):
    chapter("another domain becomes the default")
    site.postern("domain", "default", "example.net")
    site.postern("domain", "default", ORG)
    for name, password in (("ann", "of org"), (f"ann@{ORG}", "of org"), ("ann@example.net", "of nobody"), (f"ann@{BOOKS}", "of books")):
        for door in DOORS:
            claim_that(f"{door}: {name} gets in as before", gets_in(site, door, name, password))
    claim_that("the short name is another's now", not gets_in(site, "imap", "ann", "of nobody"))
    names_in_the_mount(site, {"ann": f"ann@{ORG}", "ann@example.net": "ann", f"ann@{BOOKS}": f"ann@{BOOKS}"})
    site.postern("user", "del", f"ann@{BOOKS}", "--with-mail")
    site.postern("domain", "remove", BOOKS)
    listed = site.postern("domain", "list").stdout
    claim_that("the list", f"{ORG} " in listed and "default" in listed, listed)


def main():
    with Site() as site:
        map_port = free_port()
        site.configure("server", "host", "mail.example.net")
        site.configure("auth", "socketmap_listen", f"127.0.0.1:{map_port}")
        site.setting("delivery", "OverQuota", "bounce")
        for domain in (ORG, BOOKS):
            site.postern("domain", "add", domain)
        for name, (password, _) in PEOPLE.items():
            site.user(name, password)
        site.postern("alias", "add", f"sales@{ORG}", f"ann@{BOOKS_ASCII}")
        site.serve(*DOORS, "lmtp", "auth")
        passwords(site)
        mail(site)
        with Wire(map_port) as wire:
            tables(site, wire)
        limits(site)
        mounted(site)
        domain_is_renamed(site)
        default_changes(site)


if __name__ == "__main__":
    run_main(main)
