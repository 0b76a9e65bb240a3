#!/usr/bin/env python3
"""A certificate that is renewed while the daemon runs: new connections get the new one, old ones go on, and one that
can't be used leaves the one before in force and is logged."""
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import make_certificate
from harness.story import chapter, claim_that, until
from hostile.common import attacked, greeted

NAMES = ("cert.pem", "key.pem")


def shown(site):
    """The certificate that a new connection is shown."""
    with greeted(site, "imaps") as wire:
        return wire.socket.getpeercert(binary_form=True)


def shown_by_starttls(site):
    with greeted(site, "imap") as wire:
        wire.imap("a STARTTLS")
        wire.start_tls()
        return wire.socket.getpeercert(binary_form=True)


def another(site, name):
    """A new pair beside the one in force."""
    folder = os.path.join(site.work, name)
    os.mkdir(folder)
    make_certificate(folder)
    return folder


def put(site, folder, names=NAMES):
    """Replaces files as renewal programs do: a new file, and a rename."""
    for name in names:
        fresh = os.path.join(site.work, name + ".new")
        shutil.copyfile(os.path.join(folder, name), fresh)
        os.rename(fresh, os.path.join(site.work, name))


def main():
    with attacked(tls=True) as site:
        site.serve("imap")
        daemon = site.daemons["imap"]
        first = shown(site)
        claim_that("both doors show one certificate", first == shown_by_starttls(site))
        with greeted(site, "imaps") as old:
            chapter("renewed")
            put(site, another(site, "second"))
            claim_that("it is noticed", until(lambda: shown(site) != first, 10))
            second = shown(site)
            claim_that("STARTTLS shows it as well", shown_by_starttls(site) == second)
            claim_that("a connection of before goes on", old.imap("a NOOP")[-1].startswith("a OK"))
            chapter("broken")
            third = another(site, "third")
            put(site, third, NAMES[:1])  # the key does not fit yet
            claim_that("it is logged", until(lambda: (shown(site), "certificate-kept" in daemon.log())[1], 10))
            claim_that("the one before is shown", shown(site) == second)
            time.sleep(1.2)
            claim_that("and logged once", (shown(site), daemon.log().count("certificate-kept"))[1] == 1)
            put(site, third, NAMES[1:])
            claim_that("with its key it is taken", until(lambda: shown(site) not in (first, second), 10))
            chapter("SIGHUP")
            with open(os.path.join(site.work, "cert.pem"), "w") as f:
                f.write("no certificate\n")
            before = daemon.log().count("certificate-kept")
            os.kill(daemon.pid, signal.SIGHUP)
            claim_that("is heard without a connection",
                       until(lambda: daemon.log().count("certificate-kept") > before, 10))
            put(site, third)
            read = daemon.log().count("certificate-reread")
            os.kill(daemon.pid, signal.SIGHUP)
            claim_that("and the files are read", until(lambda: daemon.log().count("certificate-reread") > read, 10))
            claim_that("the oldest connection still goes on", old.imap("b NOOP")[-1].startswith("b OK"))


if __name__ == "__main__":
    run_main(main)
