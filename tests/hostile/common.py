"""What the hostile tests share: a served store with somebody to attack and somebody to notice."""
import os
import subprocess
import tempfile

from harness.programs import program
from harness.site import PASSWORD, Site
from harness.story import claim_that

MAIL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "talk", "mail", "three.mbox")
DOORS = ("imap", "pop3")


def is_sanitized():
    """System calls and capabilities are left alone then, and the log says so."""
    names = subprocess.run(["nm", program("postern-imapd")], capture_output=True, text=True).stdout
    return "__asan_init" in names or "__tsan_init" in names


def in_memory():
    """The stores of this test are made on a tmpfs: for what is about many races, and not about the disk."""
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"


def memory_is_measured():
    """Daemons of this test give back what they free also where they were built with ASan, which keeps 256 MB of it."""
    options = [os.environ["ASAN_OPTIONS"]] if "ASAN_OPTIONS" in os.environ else []
    os.environ["ASAN_OPTIONS"] = ":".join(options + ["quarantine_size_mb=0", "thread_local_quarantine_size_kb=0"])


def greeted(site, door, **how):
    wire = site.wire(door, **how)
    greeting = wire.read_line()
    claim_that(f"{door} greets", greeting.startswith((b"* OK", b"+OK")), greeting)
    return wire


def login(site, door, user="alice", password=PASSWORD, **how):
    """A wire that is logged in."""
    wire = greeted(site, door, **how)
    answer = try_login(wire, door, user, password)
    claim_that(f"{user} logs in over {door}", answer.startswith((b"a OK", b"+OK")), answer)
    return wire


def try_login(wire, door, user, password=PASSWORD):
    """The answer that decides a login."""
    if door == "pop3":
        wire.send_line(f"USER {user}")
        wire.read_line()
        wire.send_line(f"PASS {password}")
        return wire.read_line()
    wire.send_line(f'a LOGIN "{user}" "{password}"')
    while (line := wire.read_response()).startswith(b"* "):
        pass
    return line


def is_well(site, user="bob"):
    """Somebody else is served by every door that runs, as if nothing were."""
    for door in site.daemons:
        if door in DOORS:
            with login(site, door, user) as wire:
                answer = wire.imap("b SELECT INBOX")[-1] if door == "imap" else wire.ask("STAT")
                claim_that(f"{user} is served by {door}", answer.startswith(("b OK", "+OK 3 ")), answer)


def attacked(**how):
    """A store with alice and bob, three messages each."""
    site = Site(**how)
    try:
        site.setting("login", "FailureDelay", 0)  # what it holds back is tests/hostile/test_guesses.py's to see
        for user in ("alice", "bob"):
            site.user(user)
            site.import_mail(user, MAIL)
        return site
    except BaseException:
        site.close()
        site.remove()
        raise
