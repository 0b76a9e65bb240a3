#!/usr/bin/env python3
"""PAM with the machine's own accounts: contrib/pam.d/postern as it is, pam_unix, and a passwd and a shadow of this test's, which
nobody outside of its mount namespace sees."""
import ctypes
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import SOURCE, Skip, need_root, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that
from hostile.authd import Asker
from hostile.common import greeted, try_login

INSIDE = "POSTERN_TEST_NAMESPACE"
TODAY = int(time.time() // 86400)
# name: uid, password, whether the account is over
ACCOUNTS = {"alice": (41001, "alice's of this machine", False), "expired": (41002, "expired's", True), "postbox": (41003, "postbox's", False)}


def hashed(password):
    """As Debian's passwd does it."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1").decode()


def put_over(site, path, lines):
    """The file with these lines behind its own, in this namespace."""
    copy = os.path.join(site.work, os.path.basename(path))
    with open(path) as f:
        text = f.read()
    with open(copy, "w") as f:
        f.write(text + "".join(line + "\n" for line in lines))
    os.chmod(copy, os.stat(path).st_mode & 0o777)
    subprocess.run(["mount", "--bind", copy, path], check=True)


def make_accounts(site):
    put_over(site, "/etc/passwd", [f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin" for name, (uid, _, _) in ACCOUNTS.items()])
    put_over(site, "/etc/shadow", [f"{name}:{hashed(password)}:{TODAY - 30}:0:99999:7::{TODAY - 2 if is_over else ''}:"
                                   for name, (_, password, is_over) in ACCOUNTS.items()])


def verdict(site, name, password):
    with Asker(site, seconds=60) as asker:
        words, _ = asker.ask(name, password)
    return "later" if "temp" in words else words[0]


def who_gets_in(site):
    claim("with the account's password", verdict(site, "alice", ACCOUNTS["alice"][1]), "OK")
    claim("not with another", verdict(site, "alice", "postern"), "FAIL")
    claim("nor with none", verdict(site, "alice", ""), "FAIL")
    claim("nor where the account is over", verdict(site, "expired", ACCOUNTS["expired"][1]), "FAIL")
    claim("nor who has an account and no mailbox", verdict(site, "postbox", ACCOUNTS["postbox"][1]), "FAIL")
    claim("nor who has a mailbox and no account", verdict(site, "carol", "postern"), "FAIL")


def at_the_doors(site):
    for door in ("imap", "pop3"):
        for password, says in ((ACCOUNTS["alice"][1], True), ("postern", False)):
            with greeted(site, door) as wire:
                claim(f"{door}, with {password}", "OK" in str(try_login(wire, door, "alice", password)), says)


def nothing_is_told(site):
    log = site.daemons["auth"].log()
    claim_that("no password is in the log", not any(password in log for _, password, _ in ACCOUNTS.values()))


def main():
    need_root()
    if INSIDE not in os.environ:
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            raise Skip("no mount namespace can be made here")
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.abspath(__file__)],
                   {**os.environ, INSIDE: "1"})
    with Site() as site:
        make_accounts(site)
        site.configure("auth", "passwords", "pam")
        site.configure("auth", "pam_folder", os.path.join(SOURCE, "contrib", "pam.d"))
        site.setting("login", "FailureDelay", 0)
        for name in ("alice", "expired", "carol"):
            site.postern("user", "add", name, "--no-password")
        site.serve("auth", "imap", "pop3")
        for title, part in (("who gets in", who_gets_in), ("at the doors", at_the_doors), ("what is left", nothing_is_told)):
            chapter(title)
            part(site)


if __name__ == "__main__":
    run_main(main)
