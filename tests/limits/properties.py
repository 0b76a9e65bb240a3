"""What limits of sessions should be like, each property tried on a server (target.py).

Each function returns findings: the property; True, False, or None where it is a figure or there is no such thing; and what
was seen."""
import multiprocessing
import os
import random
import shlex
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter

from limits.target import Client, Unexpected
from harness.wire import WireError


def at_once(n, work):
    """n threads that begin together; what each returned."""
    results, begin = [None] * n, threading.Barrier(n)

    def run(i):
        begin.wait()
        try:
            results[i] = work(i)
        except (WireError, Unexpected, OSError) as e:
            results[i] = e

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def fill(target, doors=None, where=None):
    """Opens sessions one by one until one is refused: those that were granted, and the refused one's answer."""
    doors, held, said = doors or target.doors, [], b""
    for i in range(4 * target.limit + 1):
        client = Client(target, doors[i % len(doors)], where=where)
        if not client.open():
            said = client.said
            client.close()
            break
        held.append(client)
    return held, said


def empty(clients):
    at_once(len(clients), lambda i: clients[i].close())


def seconds_until_open(target, door, patience_s):
    """How long it takes until a session is granted again, asked for every 20 ms; None: not in that time."""
    begun = time.monotonic()
    while time.monotonic() - begun < patience_s:
        try:
            client = Client(target, door)
            granted = client.open()
            took = time.monotonic() - begun
            client.close()
            if granted:
                return took
        except (WireError, Unexpected, OSError):
            pass
        time.sleep(0.02)
    return None


# --- exactness ---------------------------------------------------------------------------------------------------

def one_count(target):
    """Whether the doors share one limit, as they do where one user's sessions are counted.  The second value: which doors
    are to be looked at together."""
    if len(target.doors) < 2:
        return [("one count for all doors", None, "one door")], [target.doors]
    held, _ = fill(target)
    n = len(held)
    empty(held)
    return ([("one count for all doors", n == target.limit,
              f"{n} sessions of one user over {' and '.join(target.doors)}, limit {target.limit}")],
            [target.doors] if n == target.limit else [[door] for door in target.doors])


def bursts(target, doors, opens, at_a_time):
    """How many of a burst of simultaneous opens were granted, each time from none held: a count of each number, and of
    opens that were answered otherwise."""
    def attempt(i):
        client = Client(target, doors[i % len(doors)])
        return client, client.open()

    seen, failed = Counter(), 0
    while seen.total() * at_a_time < opens:
        results = at_once(at_a_time, attempt)
        answered = [r for r in results if not isinstance(r, Exception)]
        failed += len(results) - len(answered)
        seen[sum(granted for _, granted in answered)] += 1
        empty([client for client, _ in answered])
    return seen, failed


def exact_in_bursts(target, groups, opens, at_a_time):
    """Exactly as many as the limit are granted, each time."""
    exact, texts = True, []
    for doors in groups:
        seen, failed = bursts(target, doors, opens, at_a_time)
        exact = exact and not failed and list(seen) == [target.limit]
        texts.append(f"{'+'.join(doors)}: {target.limit} granted in {seen[target.limit]} of {seen.total()} bursts of "
                     f"{at_a_time} opens, least {min(seen)}, most {max(seen)}" +
                     (f"; {failed} opens answered otherwise" if failed else ""))
    return [("exact when many come at once", exact, "; ".join(texts))]


def exact_at_the_edge(target, groups, opens):
    """With all but one held, a session that is closed makes room for the next open at once."""
    refused, texts = 0, []
    for doors in groups:
        held, _ = fill(target, doors)
        empty(held[:1])
        held, refused_here = held[1:], 0
        for i in range(opens):
            client = Client(target, doors[i % len(doors)])
            if client.open():
                client.close()
            else:
                refused_here += 1
                client.vanish()
                time.sleep(0.05)    # so that one late release is counted once
        empty(held)
        refused += refused_here
        texts.append(f"{'+'.join(doors)}: {refused_here} of {opens} opens refused with one place free")
    return [("a place is free when its holder has said goodbye", refused == 0, "; ".join(texts))]


# --- ends without a goodbye --------------------------------------------------------------------------------------

def closed_without_goodbye(target, rounds, patience_s=30):
    """Clients that just close their socket."""
    times = []
    for _ in range(rounds):
        door = random.choice(target.doors)
        held, _ = fill(target, [door])
        if held:    # else somebody's end before this one freed nothing
            held.pop(random.randrange(len(held))).vanish()
        times.append(seconds_until_open(target, door, patience_s))
        empty(held)
    lost = times.count(None)
    known = sorted(t for t in times if t is not None)
    return [("a client that closes without a goodbye frees its place", lost == 0,
             f"{lost} of {rounds} not within {patience_s:g} s" + (f"; median {statistics.median(known) * 1000:.0f} ms, worst "
                                                      f"{known[-1] * 1000:.0f} ms" if known else ""))]


def cut_off(target, patience_s):
    """All sessions are those of a machine that loses its network: how long until its user gets in from another one."""
    if not (target.far and target.can("cut") and target.can("heal")):
        return [("a machine that lost its network does not keep its user out", None, "no --far, --cut and --heal")]
    lost, texts = False, []
    for door in target.doors:
        held, _ = fill(target, [door], where=target.far)
        target.run("cut")
        took = seconds_until_open(target, door, patience_s)
        target.run("heal")
        for client in held:
            client.vanish()
        lost = lost or took is None
        texts.append(f"{door}: " + (f"in again after {took:.1f} s" if took is not None else f"kept out for {patience_s:g} s"))
        time.sleep(1)   # until the server has heard of all of them
    return [("a machine that lost its network does not keep its user out", not lost, "; ".join(texts))]


def killed(target, rounds):
    """SIGKILL of what serves the sessions, at a random point of opens under way; then all places are free again."""
    if not target.can("kill"):
        return [("SIGKILL of the server's process leaves nothing held", None, "no --kill")]
    wrong, times = [], []
    for _ in range(rounds):
        stop, holders = threading.Event(), []

        def storm():
            while not stop.is_set():
                try:
                    client = Client(target, random.choice(target.doors))
                    if client.open() and random.random() < 0.5:
                        holders.append(client)
                    else:
                        client.close()
                except (WireError, Unexpected, OSError):
                    time.sleep(0.005)

        threads = [threading.Thread(target=storm) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0.05, 0.4))
        target.run("kill")
        stop.set()
        for thread in threads:
            thread.join()
        for client in holders:
            client.vanish()
        if target.can("serve"):
            target.run("serve")
        begun, n = time.monotonic(), -1
        while time.monotonic() - begun < 20 and n != target.limit:
            try:
                held, _ = fill(target, target.doors[:1])
                n = len(held)
                empty(held)
            except (WireError, Unexpected, OSError):
                time.sleep(0.05)
        times.append(time.monotonic() - begun)
        if n != target.limit:
            wrong.append(n)
    return [("SIGKILL of the server's process leaves nothing held", not wrong,
             f"{rounds} kills; " + (f"granted afterwards: {wrong}" if wrong else f"all {target.limit} granted afterwards, "
                                    f"worst {max(times):.2f} s"))]


# --- independence, attribution, fairness -------------------------------------------------------------------------

def independent(target):
    """Changes in front of the limit that do not lift it."""
    if not target.can("does-not-help"):
        return [("other settings do not move the limit", None, "no such settings named")]
    findings = []
    held, _ = fill(target)
    for nth, command in enumerate(target.commands["does-not-help"]):
        target.run("does-not-help", nth)
        client = Client(target, target.doors[0])
        granted = client.open()
        client.close()
        if target.can("undo"):
            target.run("undo", nth)
        findings.append((f"still refused after `{command.text}`", not granted,
                         client.said.decode(errors="replace")))
    empty(held)
    return findings


def attributed(target, refusals):
    """Each refusal is told to the administrator, once, also where many come at once."""
    def attempt(i):
        client = Client(target, target.doors[i % len(target.doors)])
        granted = client.open()
        client.close()
        return granted

    if not target.can("refusals"):
        return [("every refusal is recorded", None, "no --refusals")]
    before = int(target.run("refusals"))
    held, _ = fill(target)          # its last open was refused
    n = 1 + sum(granted is False for granted in at_once(refusals - 1, attempt))
    empty(held)
    time.sleep(0.5)
    counted = int(target.run("refusals")) - before
    return [("every refusal is recorded", counted == n, f"{n} refusals, {counted} recorded")]


def told(target):
    """That it is the limit, and not a wrong password."""
    findings = []
    for door in target.doors:
        held, said = fill(target, [door])
        line = said.decode(errors="replace")
        coded = "[LIMIT]" in line or "[SYS/TEMP]" in line or "[IN-USE]" in line
        findings.append((f"a code tells a refusal from a wrong password, {door}", coded, line))
        empty(held)
    return findings


def latencies(target, user, n):
    """Of logins and of a NOOP, in ms; and how many were refused."""
    logins, noops, refused = [], [], 0
    for _ in range(n):
        client = Client(target, "imap", user)
        begun = time.monotonic()
        refused += not client.open()
        logins.append((time.monotonic() - begun) * 1000)
        begun = time.monotonic()
        client.ask()
        noops.append((time.monotonic() - begun) * 1000)
        client.close()
    return logins, noops, refused


def hammer(target, tries):
    """Opens that are refused, one after the other, until it is killed."""
    while True:
        client = Client(target, "imap")
        client.open()
        client.vanish()
        tries.value += 1


def fair(target, n):
    """A user at the limit who goes on trying does not slow or refuse another."""
    if not target.neighbour or "imap" not in target.doors:
        return [("a user at the limit harms nobody else", None, "no --neighbour")]
    held, _ = fill(target, ["imap"])
    quiet_logins, quiet_noops, refused_before = latencies(target, target.neighbour, n)
    forked = multiprocessing.get_context("fork")    # a process of its own, whose work is not ours
    tries = forked.Value("i", 0)
    other = forked.Process(target=hammer, args=(target, tries))
    other.start()
    time.sleep(0.3)
    begun, tries_before = time.monotonic(), tries.value
    busy_logins, busy_noops, refused = latencies(target, target.neighbour, n)
    rate = (tries.value - tries_before) / (time.monotonic() - begun)
    other.kill()
    other.join()
    empty(held)
    ratio = statistics.median(busy_logins) / statistics.median(quiet_logins)
    return [("a user at the limit has nobody else refused", refused + refused_before == 0,
             f"{refused} of {n} of a neighbour's logins refused during {rate:.0f} refused tries a second"),
            ("how much a user at the limit slows another", None,
             f"a neighbour's login takes {ratio:.2f} times as long (median {statistics.median(quiet_logins):.2f} ms, then "
             f"{statistics.median(busy_logins):.2f}), NOOP {statistics.median(busy_noops) / statistics.median(quiet_noops):.2f} times")]


# --- mail programs -----------------------------------------------------------------------------------------------

MBSYNC = """
IMAPAccount a
Host {host}
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account a

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""

MUTT = """set spoolfile="imap://{user}@{host}:{port}/INBOX" imap_pass="{password}" ssl_starttls=no ssl_force_tls=no
set imap_authenticators=login folder="" record="" header_cache=""
"""


def programs(target, folder):
    """Command lines of mail programs that read the user's INBOX, and how many messages each has then, of what it shows."""
    host, port = target.addresses["imap"]
    names = {"host": host, "port": port, "user": target.user, "password": target.password, "folder": folder}
    with open(os.path.join(folder, "mbsyncrc"), "w") as f:
        f.write(MBSYNC.format(**names))
    with open(os.path.join(folder, "muttrc"), "w") as f:
        f.write(MUTT.format(**names))
    return {
        "curl": (["curl", "-sS", "--max-time", "20", f"imap://{host}:{port}/INBOX;MAILINDEX=1", "-u", f"{target.user}:{target.password}"],
                 lambda shown: shown.count("Subject: ")),
        "mbsync": (["mbsync", "-c", os.path.join(folder, "mbsyncrc"), "all"],
                   lambda _: sum(len(files) for at, _, files in os.walk(os.path.join(folder, "INBOX"))
                                 if os.path.basename(at) in ("cur", "new"))),
        "neomutt": (["neomutt", "-n", "-F", os.path.join(folder, "muttrc"), "-e", "push <quit>"], None),
    }


def run_in_terminal(argv, seconds, near):
    """With a terminal nobody types at: its output, and whether it ended by itself."""
    home = tempfile.mkdtemp(prefix="limits-home-")
    env = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm", "LANG": "C.UTF-8"}
    argv = ["script", "-qec", shlex.join(argv), "/dev/null"]
    try:
        with near():
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=env)
        return done.returncode, done.stdout.decode(errors="replace"), True
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace"), False
    finally:
        shutil.rmtree(home, ignore_errors=True)


def clients(target):
    """At the limit a mail program is told so, does not ask for the password, and loses nothing; with a place free it works
    again, and has the mail."""
    if "imap" not in target.doors:
        return [("mail programs at the limit", None, "no --imap")]
    findings = []
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        os.mkdir(os.path.join(folder, "INBOX"))
        for name, (argv, count) in programs(target, folder).items():
            if not shutil.which(name):
                findings.append((f"{name} at the limit", None, "not installed"))
                continue
            held, _ = fill(target, ["imap"])
            status, shown, ended = run_in_terminal(argv, 15, target.near)
            asked = "assword" in shown and "assword:" in shown.replace(" ", "")
            failed = status != 0 or name == "neomutt"
            empty(held[:2])
            held = held[2:]
            again, shown_again, ended_again = run_in_terminal(argv, 30, target.near)
            empty(held)
            has = count(shown_again) if count else None
            findings.append((f"{name} at the limit: no password prompt, and works when a place is free",
                             failed and not asked and again == 0 and ended_again and has != 0,
                             f"exit {status if ended else 'never'}{', asked for a password' if asked else ''}, then exit {again}" +
                             ("" if has is None else f" with {has} of its messages")))
    return findings


def all_properties(target, opens, kills, patience_s):
    """Every property in turn; yields findings as they are made."""
    findings, groups = one_count(target)
    yield from findings
    yield from exact_in_bursts(target, groups, opens, 4 * target.limit)
    yield from exact_at_the_edge(target, groups, max(50, opens // 20))
    yield from closed_without_goodbye(target, max(5, kills))
    yield from told(target)
    yield from independent(target)
    yield from attributed(target, 40)
    yield from fair(target, max(50, opens // 100))
    yield from clients(target)
    yield from killed(target, kills)
    yield from cut_off(target, patience_s)
