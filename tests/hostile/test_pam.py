#!/usr/bin/env python3
"""PAM in place of verifiers: right and wrong, closed accounts, and modules that hang, crash, or leave something running;
nobody else waits for them, and nobody stands out."""
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import program, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, until
from hostile.authd import Asker
from hostile.common import greeted, try_login

MODULE = os.path.join(os.path.abspath(os.environ["POSTERN_BUILD"]), "tests/hostile/pam_story.so")
ODD = ("hang", "crash", "killed", "leaves", "broken", "curious", "renamed", "homely", "expired", "outdated")
HOME = "192.0.2.7"


def secret(name):
    return f"secret of {name}"


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def keeper_of(site):
    return next(pid for pid in children_of(site.daemons["auth"].pid) if b"postern-pam" in title(pid))


def helper_of(site):
    return until(lambda: children_of(keeper_of(site)))[0]


def ask(site, name, password, address=HOME):
    with Asker(site, seconds=60) as asker:
        return asker.ask(name, password, address)


def verdict(site, name, password=None, address=HOME):
    words, _ = ask(site, name, secret(name) if password is None else password, address)
    return "later" if "temp" in words else words[0]


def right_and_wrong(site):
    claim("alice gets in", verdict(site, "alice"), "OK")
    claim("not with another password", verdict(site, "alice", "secret of bob"), "FAIL")
    claim("nor with none", verdict(site, "alice", ""), "FAIL")
    claim("nor somebody without a mailbox, whatever PAM says", verdict(site, "stranger"), "FAIL")
    claim("nor somebody disabled", verdict(site, "gone"), "FAIL")
    claim("nor one whose account has expired", verdict(site, "expired"), "FAIL")
    claim("nor one whose password has", verdict(site, "outdated"), "FAIL")
    claim("by another name of hers she does", verdict(site, "al", secret("alice")), "OK")
    claim("modules hear where somebody comes from", verdict(site, "homely"), "OK")
    claim("and may go by it", verdict(site, "homely", address="198.51.100.1"), "FAIL")
    claim("one that asks more than the password is trouble, and no answer", verdict(site, "curious"), "later")
    claim("one that knows nothing now is", verdict(site, "broken"), "later")
    claim("one that makes him another does not let him in", verdict(site, "renamed", secret("alice")), "FAIL")
    claim("what the store has of a password is not asked", verdict(site, "alice", "of the store"), "FAIL")
    app = site.postern("apppass", "add", "alice", "phone").stdout.strip()
    claim("an application password is", verdict(site, "alice", app), "OK")
    claim("in another domain the store is", verdict(site, "carol@stored.example", "carol's own"), "OK")
    claim("and there PAM is not", verdict(site, "carol@stored.example", secret("carol@stored.example")), "FAIL")
    claim("composed and decomposed are one", verdict(site, "gr\u00fcn", secret("gru\u0308n")), "OK")


def doors(site):
    site.serve("imap", "pop3")
    for door in ("imap", "pop3"):
        for password, says in ((secret("alice"), "lets her in"), ("wrong", "does not")):
            with greeted(site, door) as wire:
                answer = try_login(wire, door, "alice", password)
                claim(f"{door} {says}: {answer[:40]!r}", "OK" in str(answer), says == "lets her in")
    with greeted(site, "imap") as wire:
        capability = " ".join(wire.imap("a CAPABILITY"))
        claim_that("SCRAM is not offered", "AUTH=PLAIN" in capability and "SCRAM" not in capability, capability)


def bad_modules(site):
    site.setting("login", "PamTimeout", 1)
    for name in ("crash", "killed"):
        words, took = ask(site, name, secret(name))
        claim_that(f"{name}: told to try later, and soon", "temp" in words and took < 4, (words, took))
    hanging = [threading.Thread(target=ask, args=(site, "hang", "x")) for _ in range(4)]
    for thread in hanging:
        thread.start()
    until(lambda: children_of(helper_of(site)))
    words, took = ask(site, "carol@stored.example", "carol's own")
    claim("who is not PAM's waits for none of it", words[0], "OK")
    claim("nor does who is", verdict(site, "alice"), "OK")
    for thread in hanging:
        thread.join()
    words, took = ask(site, "hang", "x")
    claim_that("one that hangs is ended at its time", "temp" in words and 0.9 < took < 8, (words, took))
    claim("nothing of them is left", until(lambda: not children_of(helper_of(site))), True)
    claim("one that leaves something running", verdict(site, "leaves"), "OK")
    claim("leaves nothing running", until(lambda: not children_of(helper_of(site)) and not left()), True)
    site.setting("login", "PamTimeout", 10)


def left():
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and comm(pid) == "postern-pam-ask" and running(pid)]


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def two_hundred(site):
    site.setting("login", "MaxAttemptsFromAddress", 1000)
    helper, most, answers = helper_of(site), 0, []
    askers = [Asker(site, seconds=120) for _ in range(4)]
    for n in range(200):
        askers[n % 4].begin(f"slow{n % 8}", secret(f"slow{n % 8}"), f"10.0.{n}.1")
    threads = [threading.Thread(target=lambda a=asker: answers.extend(a.answer()[0] for _ in range(50))) for asker in askers]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children_of(helper)))
        time.sleep(0.02)
    claim("all get in", answers, ["OK"] * 200)
    claim_that("at no time were there more processes than PamChecksMax", 0 < most <= 40, most)
    for asker in askers:
        asker.__exit__()


def nobody_stands_out(site):
    site.setting("login", "FailureDelay", 0)
    kinds = {"wrong password": ("alice", "wrong"), "no such user": ("nobody", "wrong"), "disabled": ("gone", "wrong"),
             "disabled, and right": ("gone", secret("gone")), "no mailbox, and right": ("root", secret("root")),
             "expired": ("expired", secret("expired"))}
    seconds = {kind: [] for kind in kinds}
    with Asker(site, seconds=60) as asker:
        for _ in range(5):
            for kind, (name, password) in kinds.items():
                words, took = asker.ask(name, password, "203.0.113.5")
                claim(f"{kind} is told no more than that it failed", words, ["FAIL", f"user={name}"])
                seconds[kind].append(took)
    medians = {kind: statistics.median(took) for kind, took in seconds.items()}
    shown = ", ".join(f"{kind} {median * 1e3:.1f} ms" for kind, median in medians.items())
    claim_that(f"and none sooner than another: {shown}", min(medians.values()) >= 0.95 and
               max(medians.values()) < 1.1 * min(medians.values()), seconds)


def ends(site):
    keeper, helper = keeper_of(site), helper_of(site)
    with Asker(site) as asker:
        asker.begin("hang", "x")
        claim_that("a check is under way", until(lambda: children_of(helper)))
        child = children_of(helper)[0]
        began = time.monotonic()
        site.stop("auth")
        claim_that("a stop does not wait for it", time.monotonic() - began < 8)
        claim_that("and ends it, and the helper", until(lambda: not any(map(running, (child, helper, keeper)))))
    site.serve("auth")
    helper = helper_of(site)
    with Asker(site) as asker:
        asker.begin("hang", "x")
        until(lambda: children_of(helper))
        child = children_of(helper)[0]
        os.kill(child, signal.SIGKILL)
        claim_that("who kills a check has it told to try later", "temp" in asker.answer())
        asker.begin("hang", "x")
        until(lambda: children_of(helper))
        child = children_of(helper)[0]
        site.kill("auth")
        claim_that("an authd that is killed takes it along", until(lambda: not running(child) and not running(helper)))
    site.serve("auth")


def helper_dies(site):
    keeper, helper = keeper_of(site), helper_of(site)
    with Asker(site, seconds=60) as asker:
        asker.begin("hang", "x")
        child = until(lambda: children_of(helper))[0]
        os.kill(helper, signal.SIGKILL)
        claim_that("whose check dies with the helper is told to try later", "temp" in asker.answer())
    claim("and his process ends", until(lambda: not running(child)), True)
    for _ in range(3):
        claim("who asks then gets in", verdict(site, "alice"), "OK")
        helper = helper_of(site)
        os.kill(helper, signal.SIGKILL)
        claim("a helper that dies is followed by another", until(lambda: not running(helper)), True)
    claim("by the same keeper", keeper_of(site), keeper)
    claim_that("the log says so", "pam-helper-died" in site.daemons["auth"].log())
    helper = helper_of(site)
    os.kill(keeper, signal.SIGKILL)
    claim("without its keeper a helper goes on", verdict(site, "alice"), "OK")
    os.kill(helper, signal.SIGKILL)
    claim("without either PAM's users are told to try later", verdict(site, "alice"), "later")
    claim("and others get in", verdict(site, "carol@stored.example", "carol's own"), "OK")


def nothing_is_left(site):
    log = site.daemons["auth"].log()
    claim_that("the log has no password", "secret of" not in log and "carol's own" not in log)


def sections(site):
    """A section for the default domain, by a name of it; one for a domain in its own script; one for none."""
    site.stop("auth")
    site.configure("auth", "passwords", "store")
    site.configure("auth LocalHost", "passwords", "pam")
    site.configure("auth B\u00dcCHER.example", "passwords", "pam")
    site.configure("auth typo.example", "passwords", "pam")
    site.postern("domain", "add", "xn--bcher-kva.example")
    site.postern("user", "add", "slow1@b\u00fccher.example", "--no-password")
    site.serve("auth")
    claim("of the default domain", verdict(site, "alice"), "OK")
    claim("by another of its names", verdict(site, "alice@localhost", secret("alice")), "OK")
    claim("what the store has is not asked there", verdict(site, "alice", "of the store"), "FAIL")
    claim("of one in its own script", verdict(site, "slow1@b\u00fccher.example", secret("slow1@b\u00fccher.example")), "OK")
    claim("the others' is the store", verdict(site, "carol@stored.example", "carol's own"), "OK")
    claim_that("a section of no domain is told of", "section-of-no-domain" in site.daemons["auth"].log() and "typo.example" in site.daemons["auth"].log())
    site.postern("domain", "rename", "b\u00fccher.example", "books.example", ok=False)
    site.configure("auth books.example", "passwords", "pam")
    site.stop("auth")
    site.serve("auth")
    site.postern("domain", "rename", "b\u00fccher.example", "books.example")
    claim("a domain with another name", verdict(site, "slow1@books.example", secret("slow1@books.example")), "OK")
    for section in ("LocalHost", "B\u00dcCHER.example", "typo.example"):
        site.configure(f"auth {section}", "passwords", "store")


def refusals(site):
    site.stop("auth")
    for key, value, words in (("passwords", "pan", "store or pam"), ("pam_service", "../passwd", "/etc/pam.d"), ("pam_folder", "etc", "whole path")):
        site.configure("auth", key, value)
        done = subprocess.run([program("postern-authd"), "--store", site.store], capture_output=True, text=True, timeout=60)
        claim_that(f"{key} = {value}", done.returncode == 1 and words in done.stderr, done.stderr)
        site.configure("auth", key, {"passwords": "pam", "pam_service": "postern"}.get(key, site.work))


def main():
    with Site() as site:
        folder = os.path.join(site.work, "pam.d")
        os.mkdir(folder)
        with open(os.path.join(folder, "postern"), "w") as f:
            f.write(f"auth required {MODULE}\naccount required {MODULE}\n")
        site.configure("auth", "passwords", "pam")
        site.configure("auth", "pam_folder", folder)
        site.configure("auth stored.example", "passwords", "store")
        site.setting("login", "FailureDelay", 0)
        site.setting("login", "PamChecksMax", 40)
        site.postern("domain", "add", "stored.example")
        site.user("alice", "of the store")
        site.postern("alias", "add", "al", "alice")
        site.user("carol@stored.example", "carol's own")
        for name in ("gone", "gr\u00fcn", *ODD, *(f"slow{n}" for n in range(8))):
            site.postern("user", "add", name, "--no-password")
        site.postern("user", "disable", "gone")
        site.serve("auth")
        for title_, part in (("right and wrong", right_and_wrong), ("at the doors", doors), ("modules that misbehave", bad_modules),
                             ("two hundred at once", two_hundred), ("who has an account", nobody_stands_out),
                             ("how it ends", ends), ("when the helper dies", helper_dies), ("what is left", nothing_is_left), ("rules of a domain", sections),
                             ("what makes no sense in store.conf", refusals)):
            chapter(title_)
            part(site)


if __name__ == "__main__":
    run_main(main)
