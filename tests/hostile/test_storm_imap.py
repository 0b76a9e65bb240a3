#!/usr/bin/env python3
"""Fifty connections of one user over two daemons storm a few folders; a model (imap_model.py) judges every response.

Every few seconds all come to rest: then what each was told must be what is there, every acknowledged append, copy,
move and expunge must have happened, once, and nothing else.  POSTERN_LONG=1: five minutes.  POSTERN_STORM_S: so
many seconds.  POSTERN_SEED: the same choices again (not the same races).
"""
import asyncio
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import patience, program, run_main
from harness.site import PASSWORD, Site, free_port
from harness.story import chapter, claim, claim_that, step, until
from hostile.common import in_memory
from hostile.imap_model import DELETED, FETCH, Truth, View, as_set, hold, numbers, take_fetch

CONNECTIONS = 50
SECONDS = float(os.environ.get("POSTERN_STORM_S") or (300 if os.environ.get("POSTERN_LONG") else 15))
ROUND_S = 5
FOLDERS = ("INBOX", "Work", "Archive")
MANY = 400                      # messages in a folder, from which on more are deleted than come
LEARN = "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$Forwarded")
ANSWER_S = 60

APPENDUID = re.compile(r"\[APPENDUID \d+ ([\d:,]+)\]")
COPYUID = re.compile(r"\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]")
MODIFIED = re.compile(r"\[MODIFIED ([\d:,]+)\]")
VALIDITY = re.compile(r"\[UIDVALIDITY (\d+)\]")
ESEARCH = re.compile(r"\* ESEARCH \(TAG \"[^\"]*\"\)( UID)?(?: COUNT (\d+))?(?: ALL ([\d:,]+))?")
MODSEQ_CODE = re.compile(r"\[HIGHESTMODSEQ (\d+)\]")


class Lines(asyncio.Protocol):
    """Whole responses of a connection, literals included, in the order they came."""

    def __init__(self):
        self.buffer, self.at, self.ready, self.waiter, self.lost = b"", 0, [], None, False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (line := self.next_response()) is not None:
            self.ready.append(line)
        self.wake()

    def next_response(self):
        """One response, or None while it is not whole; at: where its end is looked for next."""
        while (end := self.buffer.find(b"\r\n", self.at)) >= 0:
            literal = re.search(rb"\{(\d+)\}$", self.buffer[max(self.at, end - 20):end])
            if not literal:
                line, self.buffer, self.at = self.buffer[:end], self.buffer[end + 2:], 0
                return line.decode("latin-1")
            if len(self.buffer) < end + 2 + int(literal[1]):
                return None
            self.at = end + 2 + int(literal[1])
        return None

    def connection_lost(self, _error):
        self.lost = True
        self.wake()

    def wake(self):
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    async def response(self, seconds=None):
        """None: nothing came in time."""
        end = time.monotonic() + (patience(ANSWER_S) if seconds is None else seconds)
        while not self.ready:
            hold(not self.lost, "the server closed the connection")
            self.waiter = asyncio.get_running_loop().create_future()
            left = end - time.monotonic()
            if left <= 0 or not (await asyncio.wait([self.waiter], timeout=left))[0]:
                return None
        return self.ready.pop(0)


class Client:
    def __init__(self, storm, name, port):
        self.storm, self.truth, self.name, self.port = storm, storm.truth, name, port
        self.random = random.Random(f"{storm.seed}-{name}")
        self.view, self.tag_n, self.said, self.sent = None, 0, [], 0
        self.modseqs = {}       # folder: its HIGHESTMODSEQ as this client was told last
        self.left = {}          # folder: what it knew of it (UIDs and flags) when it went elsewhere
        self.qresync = False

    async def connect(self):
        _, self.lines = await asyncio.get_running_loop().create_connection(Lines, "127.0.0.1", self.port)
        await self.lines.response()
        done = await self.command(f"LOGIN alice {PASSWORD}")
        hold(done[0] == "OK", done)
        words = " ".join((await self.command("CAPABILITY"))[2]).split()
        self.condstore, self.esearch, self.multiappend, self.replace = (
            word in words for word in ("CONDSTORE", "ESEARCH", "MULTIAPPEND", "REPLACE"))
        if "QRESYNC" in words and self.random.random() < 0.5:
            hold((await self.command("ENABLE QRESYNC"))[0] == "OK", "ENABLE")
            self.qresync = True
        await self.select(self.random.choice(FOLDERS))

    # --- one command ---

    def send(self, text):
        self.tag_n += 1
        tag = f"{self.name}.{self.tag_n}"
        self.said = self.said[-40:] + [f"C: {text[:300]}"]
        self.lines.transport.write(f"{tag} {text}\r\n".encode("latin-1"))
        self.sent += 1
        return tag, text

    async def answer(self, tag, text):
        """(status, rest of the tagged line, untagged lines); the view has followed them."""
        keeps = text.startswith(("FETCH", "STORE", "SEARCH"))
        untagged = []
        while True:
            line = await self.lines.response()
            hold(line is not None, f"no answer to {text[:100]}")
            self.said = self.said[-40:] + [f"S: {line[:300]}"]
            if line.startswith(tag + " "):
                status, _, rest = line[len(tag) + 1:].partition(" ")
                hold(status in ("OK", "NO"), f"{text[:100]}: {line}")
                return status, rest, untagged
            hold(line.startswith("* "), f"a line that is nobody's: {line}")
            self.told(line, keeps)
            untagged.append(line)

    async def command(self, text):
        return await self.answer(*self.send(text))

    def told(self, line, keeps=False):
        hold(not line.startswith("* BYE"), line)
        if not self.view:
            return
        word = line.split(" ", 3)
        if line.startswith("* VANISHED "):
            hold(not keeps, f"during FETCH, STORE or SEARCH: {line}")
            self.view.vanished(list(numbers(word[-1])), "(EARLIER)" in line)
        elif word[1].isdigit() and word[2] == "EXISTS":
            self.view.exists(int(word[1]))
        elif word[1].isdigit() and word[2] == "EXPUNGE":
            hold(not keeps, f"during FETCH, STORE or SEARCH: {line}")
            self.view.expunge(int(word[1]))
        elif FETCH.match(line):
            take_fetch(self.view, line)
        elif validity := VALIDITY.search(line):
            known = self.storm.validity.setdefault(self.view.folder, validity[1])
            hold(known == validity[1], f"{self.view.folder}: UIDVALIDITY was {known}: {line}")
        elif modseq := MODSEQ_CODE.search(line):
            last = self.modseqs.get(self.view.folder, 0)
            hold(int(modseq[1]) >= last, f"{self.view.folder}: HIGHESTMODSEQ was {last}: {line}")
            self.modseqs[self.view.folder] = int(modseq[1])

    # --- what it knows ---

    def known(self, doomed=False):
        """UIDs it knows; doomed: of messages that may be removed (of each three, one is never touched so)."""
        uids = [uid for uid in self.view.uids if uid is not None]
        if doomed:
            token = self.truth.tokens.get
            uids = [uid for uid in uids if int((token((self.view.folder, uid)) or "t0")[1:]) % 3]
        return uids

    def some(self, n=6, doomed=False):
        uids = self.known(doomed)
        if not uids:
            return []
        if self.random.random() < 0.3:  # neighbours
            at = self.random.randrange(len(uids))
            return uids[at:at + self.random.randint(1, n)]
        return sorted(self.random.sample(uids, min(len(uids), self.random.randint(1, n))))

    def named(self, uids):
        """("UID ", set of UIDs) or ("", set of sequence numbers)."""
        if self.random.random() < 0.5:
            return "UID ", as_set(uids)
        return "", as_set(self.view.uids.index(uid) + 1 for uid in uids)

    async def learn(self):
        if None in self.view.uids:
            at = self.view.uids.index(None) + 1
            await self.command(f"FETCH {at}:* {LEARN}")

    # --- what it does ---

    async def select(self, folder, how="SELECT"):
        self.remember()
        since = self.modseqs.get(folder)
        self.view = View(self.truth, folder, self.name)
        if self.qresync and folder in self.left and since and self.random.random() < 0.8:
            await self.resynchronise(folder, how, since)
        else:
            done = await self.command(f"{how} {folder}")
            hold(done[0] == "OK", done)
        self.writable = how == "SELECT"
        await self.learn()

    def remember(self):
        """What it knows of the folder that it leaves; nothing, where it was told of messages that it has not looked at:
        the modseq that it goes on from is then of a later state than what it remembers from before."""
        if self.view and None not in self.view.uids:
            self.left[self.view.folder] = self.view.uids, self.view.flags
        elif self.view:
            self.left.pop(self.view.folder, None)

    async def resynchronise(self, folder, how, since):
        """RFC 7162 3.2.5: what it knew, less what vanished, with what was told, must be what is there; behind it may stand
        what came while it was told, which a second EXISTS counts."""
        uids, flags = self.left[folder]
        validity = self.storm.validity[folder]
        status, _, untagged = await self.command(f"{how} {folder} (QRESYNC ({validity} {since}))")
        hold(status == "OK", f"QRESYNC: {status}")
        vanished = {uid for line in untagged if line.startswith("* VANISHED ")
                    for uid in numbers(line.split()[-1])}
        told = set(self.view.uids)
        rest = [uid for uid in uids if uid not in vanished and uid not in told]
        hold(self.view.uids.count(None) == len(rest) + sum(self.view.grown[1:]),
             f"{folder} since {since}: {len(self.view.uids)} exist, {len(told - {None})} are told, {len(rest)} are left of before")
        left = iter(rest)
        for at, uid in enumerate(self.view.uids):
            if uid is None and (known := next(left, None)):
                self.view.learn(at + 1, known)
                self.view.flags[self.view.uids[at]] = flags.get(self.view.uids[at], frozenset())
        for uid in set(rest) - set(flags):
            self.view.flags.pop(uid)
        _, _, untagged = await self.command("FETCH 1:* (UID)") if uids and self.view.uids else (0, 0, [])

    async def do_select(self):
        await self.select(self.random.choice(FOLDERS), self.random.choice(("SELECT", "SELECT", "SELECT", "EXAMINE")))

    async def do_noop(self):
        await self.command(self.random.choice(("NOOP", "NOOP", "CHECK")))

    async def do_status(self):
        items = "MESSAGES UIDNEXT UNSEEN" + (" HIGHESTMODSEQ" if self.condstore else "")
        await self.command(f"STATUS {self.random.choice(FOLDERS)} ({items})")

    def message(self, doomed=False):
        """(token, flags, text, as APPEND takes it)."""
        token = self.storm.next_token()
        flags = [flag for flag in FLAGS if self.random.random() < 0.2]
        if doomed and self.random.random() < 0.1 and int(token[1:]) % 3:
            flags.append(DELETED)
        text = f"Subject: {token}\r\nFrom: storm@example.org\r\n\r\n" + "a line of it\r\n" * self.random.randrange(200)
        return token, flags, f"({' '.join(flags)}) {{{len(text)}+}}\r\n{text}"

    async def do_append(self):
        folder = self.random.choice(FOLDERS)
        several = self.random.randint(2, 4) if self.multiappend and self.random.random() < 0.2 else 1
        messages = [self.message(doomed=True) for _ in range(several)]
        above = self.truth.highest_uid.get(folder, 0)
        done = await self.command(f"APPEND {folder} " + " ".join(text for _, _, text in messages))
        hold(done[0] == "OK" and APPENDUID.match(done[1]), f"APPEND: {done[:2]}")
        for uid, (token, flags, _) in zip(numbers(APPENDUID.match(done[1])[1]), messages, strict=True):
            self.truth.born_here(folder, uid, above, self.name, token)
            above = uid
            if DELETED in flags:
                self.truth.deleted.add((folder, uid))

    async def do_replace(self):
        """RFC 8508: one in, another out, at once; or neither."""
        uids, source, folder = self.some(1, doomed=True), self.view.folder, self.random.choice(FOLDERS)
        if not uids or not self.writable or not self.replace:
            return
        form, which = self.named(uids[:1])
        token, _, text = self.message()
        above = self.truth.highest_uid.get(folder, 0)
        status, rest, untagged = await self.command(f"{form}REPLACE {which} {folder} {text}")
        found = APPENDUID.search(" ".join([rest, *(line for line in untagged if "APPENDUID" in line)]))
        hold((status == "OK") == bool(found), f"REPLACE: {status} {rest}")
        if found:
            self.truth.born_here(folder, int(found[1]), above, self.name, token)
            self.truth.moved.add((source, uids[0]))
            hold(uids[0] not in self.view.uids, f"UID {uids[0]} was replaced and is still told to be here")

    async def do_store(self):
        doomed = self.writable and self.random.random() < (0.5 if len(self.view.uids) > MANY else 0.2)
        uids = self.some(30 if doomed else 6, doomed)
        if not uids:
            return
        flags = [DELETED] if doomed else self.random.sample(FLAGS, self.random.randint(1, 2))
        how = "+" if doomed else self.random.choice(("+", "-", ""))
        silent = self.random.choice((".SILENT", "", ""))
        if doomed:
            self.truth.deleted.update((self.view.folder, uid) for uid in uids)
        form, which = self.named(uids)
        before = {uid: self.view.flags.get(uid) for uid in uids}
        unless = ""
        if self.condstore and self.random.random() < 0.15:
            unless = f" (UNCHANGEDSINCE {max([1, *(self.view.modseqs.get(uid, 0) for uid in uids)])})"
        _, rest, _ = await self.command(f"{form}STORE {which}{unless} {how}FLAGS{silent} ({' '.join(flags)})")
        if modified := MODIFIED.match(rest):
            asked = uids if form else [int(n) for n in which.split(",")]
            hold(unless and set(numbers(modified[1])) <= set(asked), f"STORE {which}{unless}: {rest}")
        if silent:
            # It may have been told in the same breath what others did; what it knows else, it knows no more.
            for uid in uids:
                if self.view.flags.get(uid) == before[uid]:
                    self.view.flags.pop(uid, None)

    async def do_copy(self, how="COPY"):
        doomed = how == "MOVE"
        uids, source, target = self.some(doomed=doomed), self.view.folder, self.random.choice(FOLDERS)
        if not uids or (doomed and (target == source or not self.writable)):
            return
        form, which = self.named(uids)
        above = self.truth.highest_uid.get(target, 0)
        status, rest, untagged = await self.command(f"{form}{how} {which} {target}")
        found = COPYUID.search(" ".join([rest, *(line for line in untagged if "COPYUID" in line)]))
        if not found or status != "OK":
            return
        pairs = list(zip(numbers(found[1]), numbers(found[2]), strict=True))
        hold([s for s, _ in pairs] == sorted(s for s, _ in pairs), f"COPYUID out of order: {found[0]}")
        for old, new in pairs:
            hold(old in uids, f"{how} of {uids}: {found[0]}")
            self.truth.copied((source, old), (target, new), above, self.name)
            above = new
            if how == "MOVE":
                self.truth.moved.add((source, old))
                hold(old not in self.view.uids, f"UID {old} was moved and is still told to be here")

    async def do_move(self):
        await self.do_copy("MOVE")

    async def do_expunge(self):
        uids = self.some(30, doomed=True)
        if self.writable and (self.random.random() < 0.5 or not uids):
            await self.command("EXPUNGE")
        elif self.writable:
            await self.command(f"UID EXPUNGE {as_set(uids)}")

    async def do_close(self):
        if self.random.random() < 0.3:
            command = self.random.choice(("CLOSE", "UNSELECT"))
            self.remember()
            folder, self.view = self.view.folder, None
            hold((await self.command(command))[0] == "OK", command)
            await self.select(folder)

    async def do_fetch(self):
        uids = self.some(40)
        items = self.random.choice(("FLAGS", "(UID FLAGS)", LEARN, "(UID BODY.PEEK[])", "(FLAGS ENVELOPE BODYSTRUCTURE)"))
        if self.condstore and self.random.random() < 0.3:
            items = "(UID FLAGS MODSEQ)"
        form, which = self.named(uids) if uids and self.random.random() < 0.8 else ("", "1:*")
        if self.view.uids:
            await self.command(f"{form}FETCH {which} {items}")

    async def do_search(self):
        key = self.random.choice(("ALL", "SEEN", "UNDELETED", "FLAGGED UNSEEN", "SUBJECT t1", "OR ANSWERED DRAFT"))
        form = self.random.choice(("", "UID "))
        size = len(self.view.uids)
        if self.esearch and self.random.random() < 0.3:
            _, _, untagged = await self.command(f"{form}SEARCH RETURN (COUNT ALL) {key}")
            told = next(ESEARCH.match(line) for line in untagged if line.startswith("* ESEARCH"))
            found = list(numbers(told[3])) if told[3] else []
            hold(bool(told[1]) == bool(form) and int(told[2]) == len(found), f"ESEARCH: {told[0]}")
        else:
            _, _, untagged = await self.command(f"{form}SEARCH {key}")
            found = [int(n) for line in untagged if line.startswith("* SEARCH") for n in line.split()[2:]]
        hold(found == sorted(set(found)), f"SEARCH {key} out of order: {found}")
        if not form:
            hold(not found or found[-1] <= size, f"SEARCH {key} found {found[-1:]} of {size}")

    async def do_idle(self):
        tag, text = self.send("IDLE")
        line = ""
        while not line.startswith("+ "):
            line = await self.lines.response()
            hold(line is not None, "no answer to IDLE")
            if line.startswith("* "):
                self.told(line)
        end = time.monotonic() + self.random.uniform(0.01, 0.3)
        while (left := end - time.monotonic()) > 0:
            if line := await self.lines.response(left):
                self.said = self.said[-40:] + [f"S: (idle) {line[:300]}"]
                self.told(line)
        self.lines.transport.write(b"DONE\r\n")
        await self.answer(tag, text)

    async def do_pipeline(self):
        """Commands by UID, sent at once, answered in order."""
        uids = self.some()
        if uids:
            sent = [self.send(f"UID FETCH {as_set(uids)} (FLAGS)"), self.send(f"UID STORE {uids[0]} +FLAGS (\\Seen)"),
                    self.send("NOOP"), self.send(f"UID SEARCH UID {uids[0]}:{uids[-1]}")]
            for tag, text in sent:
                await self.answer(tag, text)

    DEEDS = {"append": 14, "replace": 3, "store": 26, "copy": 6, "move": 6, "expunge": 8, "fetch": 20, "search": 6, "noop": 8, "idle": 3,
             "select": 2, "close": 2, "status": 2, "pipeline": 4}

    async def storm_until(self, end):
        names, weights = list(self.DEEDS), list(self.DEEDS.values())
        while time.monotonic() < end:
            deed = self.random.choices(names, weights)[0]
            if deed == "append" and len(self.view.uids) > 3 * MANY:
                deed = "expunge"
            if deed == "store" and not self.writable:
                deed = "noop"
            await getattr(self, f"do_{deed}")()
            if None in self.view.uids and self.random.random() < 0.3:
                await self.learn()

    async def at_rest(self):
        """Nobody does anything: what it was told must be what is there."""
        await self.command("NOOP")
        await self.learn()
        uids, flags = list(self.view.uids), dict(self.view.flags)
        status, _, untagged = await self.command("FETCH 1:* (UID FLAGS)") if uids else ("OK", "", [])
        hold(status == "OK", f"FETCH at rest: {status}")
        fetched = [line for line in untagged if FETCH.match(line)]
        hold(len(fetched) == len(uids), f"{self.view.folder}: {len(fetched)} of {len(uids)} fetched at rest")
        for uid, known in flags.items():
            hold(known == self.view.flags[uid],
                 f"{self.view.folder} UID {uid}: told {sorted(known)}, but it has {sorted(self.view.flags[uid])}")

    async def leave(self):
        self.view = None
        for_good = self.send("LOGOUT")[0]
        while (line := await self.lines.response()) and not line.startswith(for_good):
            hold(line.startswith("* "), line)
        hold(line and line.startswith(f"{for_good} OK"), f"LOGOUT: {line}")
        self.lines.transport.close()

    async def contents(self, folder):
        self.qresync = False  # it knows nothing from before
        await self.select(folder, "EXAMINE")
        return {uid: self.truth.tokens[folder, uid] for uid in self.view.uids}


class Storm:
    def __init__(self, seed, ports):
        self.seed, self.ports, self.truth, self.tokens_n = seed, ports, Truth(), 0
        self.validity = {}
        self.clients = []

    def next_token(self):
        self.tokens_n += 1
        return f"t{self.tokens_n}"

    async def all(self, what):
        """Runs it for all clients; the first that is wronged ends it, with its last lines."""
        async def one(client):
            try:
                await what(client)
            except Exception:
                print(f"--- {client.name}:\n" + "\n".join(client.said), flush=True)
                raise
        await asyncio.gather(*(one(client) for client in self.clients))

    async def run(self):
        self.clients = [Client(self, f"c{i}", self.ports[i % len(self.ports)]) for i in range(CONNECTIONS)]
        await self.all(Client.connect)
        end, rounds = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            round_end = min(end, time.monotonic() + ROUND_S)
            await self.all(lambda client: client.storm_until(round_end))
            await self.all(Client.at_rest)
            await self.all_is_there()
            rounds += 1
        await self.all(Client.leave)
        return rounds

    async def all_is_there(self):
        witness = Client(self, "w", self.ports[0])
        await witness.connect()
        contents = {folder: await witness.contents(folder) for folder in FOLDERS}
        await witness.leave()
        self.truth.settle(contents)


def prepared():
    site = Site()
    try:
        site.user("alice")
        for name in ("Maximum Allowed Sessions Per User", "Maximum Allowed Service Sessions Per User"):
            site.reg(name, 1000)
        site.setting("imap", "MaxConnectionsPerUser", 1000)
        site.setting("login", "MaxAttemptsFromAddress", 1000)  # all come at once, from a place that was never heard of
        site.postern("folder", "create", "alice", "Work")
        return site
    except BaseException:
        site.close()
        site.remove()
        raise


def serve_again(site):
    """A second postern-imapd on the same store; returns its port."""
    port = free_port()
    site.configure("imap", "listen", f"127.0.0.1:{port}")
    site.daemons["imap2"] = Daemon([program("postern-imapd"), "--store", site.store], site.work, "postern-imapd-2")
    return port


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    in_memory()
    with prepared() as site:
        site.serve("imap")
        storm = Storm(seed, [site.ports["imap"], serve_again(site)])
        chapter(f"{CONNECTIONS} connections storm for {SECONDS:.0f} s")
        rounds = asyncio.run(storm.run())
        step(f"{sum(client.sent for client in storm.clients)} commands, {storm.tokens_n} appends, "
             f"{len(storm.truth.copies)} copies, {len(storm.truth.gone)} expunges, {rounds} times at rest")
        claim_that("it was a storm", storm.tokens_n > 50 and len(storm.truth.gone) > 10)
        chapter("afterwards")
        claim("no session is left", until(lambda: site.sessions() == []) or len(site.sessions()), True)
        step("postern check")
        site.postern("check")


if __name__ == "__main__":
    run_main(main)
