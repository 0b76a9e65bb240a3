#!/usr/bin/env python3
"""postern deliver: what it stores, and the exit status that says what to do with the mail; by the store itself, handed
to postern-lmtpd, and from an account that may not open the store."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, program, run_main  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.story import chapter, claim, claim_that  # noqa: E402
from delivery.post import bodies  # noqa: E402

MESSAGE = "Subject: %s\n\nhello\n"
STRANGER = 62202  # an account that is in no group of the store's


class Way:
    """How deliver gets at the mailbox of a user of its own."""

    def __init__(self, site, user, args=(), account=None, **environment):
        self.site, self.user, self.args, self.account, self.environment = site, user, args, account, environment
        self.program = program("postern")
        if account:
            os.chmod(site.work, 0o711)
            self.program = shutil.copy(self.program, os.path.join(site.work, "postern"))  # where it may be run

    def deliver(self, *args, text="x", store=None, **env):
        """The exit status."""
        environment = {name: value for name, value in os.environ.items() if name not in ("USER", "SENDER")}
        done = subprocess.run([self.program, "--store", store or self.site.store, "deliver", *self.args, *args],
                              input=text.encode(), capture_output=True, env=environment | self.environment | env,
                              timeout=patience(30), user=self.account, group=self.account,
                              extra_groups=[] if self.account else None)
        if done.returncode:
            print("   " + done.stderr.decode().strip())
        return done.returncode

    def mail(self, folder="INBOX"):
        return [body.decode().replace("\r\n", "\n") for body in bodies(self.site, self.user, folder)]


def good(way, received):
    chapter("Where it goes, and what stands on top")
    user = way.user
    claim("delivered", way.deliver("-d", user, "-f", "ann@example.net", text="From ann Mon Mar  3\n" + MESSAGE % "one"), 0)
    stored = way.mail()
    claim("one message", len(stored), 1)
    claim_that("trace fields, and no From_ line", re.fullmatch(
        rf"Return-Path: <ann@example\.net>\nDelivered-To: {user}\nReceived: {received} id \S+\n"
        rf"\tfor <{user}>; .*\nSubject: one\n\nhello\n", stored[0]), stored[0])
    claim("again", way.deliver("-d", user, "-f", "ann@example.net", text=MESSAGE % "one"), 0)
    claim("nothing was added", len(way.mail()), 1)
    claim("by address", way.deliver("-a", f"{user}+Junk@localhost", text=MESSAGE % "two"), 0)
    claim("by user and address", way.deliver("-d", user, "-a", f"{user}+junk@localhost", text=MESSAGE % "three"), 0)
    claim_that("which is shown", f"\nDelivered-To: {user}+junk@localhost\n" in way.mail("Junk")[-1], way.mail("Junk")[-1])
    claim("by user and subaddress", way.deliver("-d", user, "-a", "Junk", text=MESSAGE % "four"), 0)
    claim("they are in Junk", len(way.mail("Junk")), 3)
    claim("by user and somebody else's address", way.deliver("-d", user, "-a", "x=y@example.com", text=MESSAGE % "his"), 0)
    claim_that("it is the user's", "\nDelivered-To: x=y@example.com\n" in way.mail()[-1], way.mail()[-1])
    claim("by the environment", way.deliver(text=MESSAGE % "five", USER=user, SENDER="bob@example.net"), 0)
    claim_that("its sender, too", "Return-Path: <bob@example.net>" in way.mail()[-1])
    claim("beyond ASCII", way.deliver("-d", user, "-f", "jürgen@exämple.net", "-a", "Jürg", text="Subject: ö\n\n\nä\n"), 0)
    claim_that("its octets", way.mail()[-1].endswith("Subject: ö\n\n\nä\n"), way.mail()[-1])
    large = MESSAGE % "large" + ".\n" + "0123456789\n" * 300000 + "no end of line"
    claim("a large one", way.deliver("-d", user, text=large), 0)
    claim_that("its octets", way.mail()[-1].endswith("\n" + large))


def bad(way):
    chapter("What is wrong")
    site, user = way.site, way.user
    claim("no such user", way.deliver("-d", "nobody"), 67)
    claim("no user at all", way.deliver(), 67)
    claim("no such sender", way.deliver("-d", user, "-f", "a b"), 64)
    claim("an operand", way.deliver(user), 64)
    claim("a NUL", way.deliver("-d", user, text="a\0b"), 65)
    site.setting("store", "MessageSizeMax", 1024)
    claim("too large", way.deliver("-d", user, text="x" * 1025), 73)
    claim("much too large", way.deliver("-d", user, text="x" * 1000000), 73)
    site.setting("store", "MessageSizeMax", 1 << 26)
    site.postern("quota", "set", user, "--messages", "1")
    claim("over quota", way.deliver("-d", user, text="six"), 73)
    site.setting("delivery", "OverQuota", "defer")
    claim("over quota, to be tried again", way.deliver("-d", user, text="six"), 75)
    site.setting("delivery", "OverQuota", "bounce")
    site.reg("Maximum Allowed Exchange Sessions Per Service", 0)
    claim("no session is left", way.deliver("-d", user, text="seven"), 75)
    site.reg("Maximum Allowed Exchange Sessions Per Service", None)


PROCMAILRC = """SHELL=/bin/sh
MAILDIR={work}
DEFAULT={work}/default
LOGFILE={work}/procmail.log
:0 w
| {command} deliver -d "$LOGNAME" -a Junk
:0 e
{{
  EXITCODE=$?
  HOST
}}
"""


def by_procmail(way):
    chapter("By procmail's recipe in postern-deliver(1)")
    if not shutil.which("procmail"):
        print("   left out: procmail is not installed")
        return
    path = os.path.join(way.site.work, "procmailrc")

    def hand_over(user):
        with open(path, "w") as f:
            f.write(PROCMAILRC.format(work=way.site.work, command=f"{os.path.abspath(way.program)} --store {way.site.store}"))
        return subprocess.run(["procmail", "-m", f"LOGNAME={user}", path], input=(MESSAGE % f"for {user}").encode(),
                              timeout=patience(30), check=False).returncode
    claim("delivered", hand_over(way.user), 0)
    wanted = "\n" + MESSAGE % f"for {way.user}" + "\n"  # procmail ends each with an empty line
    claim_that("it is in Junk", way.mail("Junk")[-1].endswith(wanted), way.mail("Junk")[-1])
    claim("a user that there is not", hand_over("nobody"), 67)
    way.site.reg("Maximum Allowed Exchange Sessions Per Service", 0)
    claim("to be tried again", hand_over(way.user), 75)
    way.site.reg("Maximum Allowed Exchange Sessions Per Service", None)
    claim("nothing went elsewhere", os.path.exists(os.path.join(way.site.work, "default")), False)


LOCAL = r"by \S+ \(postern\) with local"
LMTP = r"from localhost\n\tby \S+ \(postern\) with LMTP"


def main():
    with Site() as site:
        socket = os.path.join(site.work, "lmtp")
        for user in ("alice", "bob", "carol"):
            site.user(user, "secret", plain=True)
        site.configure("lmtp", "listen", f"unix:{socket}")
        site.configure("lmtp", "socket_mode", "0666")
        site.serve("imap", "lmtp")
        by_store = Way(site, "alice")
        chapter("BY THE STORE")
        good(by_store, LOCAL)
        by_procmail(by_store)
        bad(by_store)
        claim("no store", by_store.deliver("-d", "alice", store=os.path.join(site.work, "none"), POSTERN_LMTP=socket), 75)
        chapter("HANDED TO POSTERN-LMTPD")
        good(Way(site, "bob", ("--socket", socket)), LMTP)
        bad(Way(site, "bob", ("--socket", socket)))
        claim("nobody listens", Way(site, "bob", ("--socket", socket + ".none")).deliver("-d", "bob"), 75)
        if os.geteuid() == 0:
            chapter("BY A STRANGER TO THE STORE")
            stranger = Way(site, "carol", account=STRANGER, POSTERN_LMTP=socket)
            good(stranger, LMTP)
            bad(stranger)
            os.chmod(socket, 0o600)
            claim("who may not connect", stranger.deliver("-d", "carol"), 75)
            os.chmod(socket, 0o666)
            site.kill("lmtp")
            claim("nobody listens", stranger.deliver("-d", "carol"), 75)
        else:
            print("   left out: an account of another kind needs root")


if __name__ == "__main__":
    run_main(main)
