#!/usr/bin/env python3
"""Daemons killed with SIGKILL at any instruction, while mail comes in over IMAP and through the mount and is read
and flagged over both protocols: what was acknowledged is there, once; no session leaks; nothing is damaged."""
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import need_fuse, need_root, run_main
from harness.story import chapter, claim, claim_that, step, until
from harness.wire import WireError
from hostile.common import attacked, is_well, try_login

KILLS = 100 if os.environ.get("POSTERN_LONG") else 12
MESSAGE = "Subject: {id}\r\nMessage-ID: <{id}@killed>\r\n\r\n{body}\r\n"


class Client(threading.Thread):
    """Does its work over and over; what a killed daemon cuts off is begun anew."""

    def __init__(self, site, name):
        super().__init__(name=name, daemon=True)
        self.site, self.acknowledged, self.tried, self.wrong, self.done = site, [], 0, None, False

    def run(self):
        while not self.done and not self.wrong:
            try:
                self.work()
            except (WireError, OSError):
                time.sleep(0.01)  # nobody listens just now
            except Exception as e:
                self.wrong = repr(e)

    def next_message(self):
        self.tried += 1
        id = f"{self.name}-{self.tried}"
        return id, MESSAGE.format(id=id, body="line\r\n" * random.randrange(1, 400))


class Appender(Client):
    def work(self):
        with self.site.wire("imap") as wire:
            wire.read_line()
            if not try_login(wire, "imap", "alice").startswith(b"a OK"):
                return
            while not self.done:
                id, text = self.next_message()
                wire.send(f"a APPEND INBOX {{{len(text)}+}}\r\n{text}\r\n".encode())
                while (answer := wire.read_response()).startswith(b"* "):
                    pass
                if not answer.startswith(b"a OK"):
                    raise AssertionError(f"APPEND: {answer!r}")
                self.acknowledged.append(id)


class Reader(Client):
    """Flags, moves and fetches what is there."""

    def work(self):
        with self.site.wire("imap") as wire:
            wire.read_line()
            if not try_login(wire, "imap", "alice").startswith(b"a OK"):
                return
            wire.imap("s SELECT INBOX")
            while not self.done:
                self.tried += 1
                for command in ("f FETCH 1:3 (FLAGS BODY.PEEK[TEXT])", r"g STORE 1:* +FLAGS (\Seen)", "h COPY 1 Archive",
                                'i SEARCH SUBJECT "append"', r"j STORE 1 -FLAGS.SILENT (\Seen)"):
                    answer = wire.imap(command)[-1]
                    if " BAD " in answer:
                        raise AssertionError(f"{command}: {answer}")


class Popper(Client):
    def work(self):
        with self.site.wire("pop3") as wire:
            wire.read_line()
            if not try_login(wire, "pop3", "alice").startswith(b"+OK"):
                return
            while not self.done:
                self.tried += 1
                if wire.ask("RETR 1").startswith("+OK"):
                    wire.read_multiline()


class Copier(Client):
    """cp into the mount: exit 0 is the acknowledgement."""

    def work(self):
        id, text = self.next_message()
        source = os.path.join(self.site.work, f"{id}.eml")
        with open(source, "w", newline="") as f:
            f.write(text)
        target = os.path.join(self.site.folder("alice"), f"{id}.eml")
        if subprocess.run(["cp", source, target], capture_output=True).returncode == 0:
            self.acknowledged.append(id)
        os.unlink(source)


def kill_and_restart(site, n):
    for _ in range(n):
        time.sleep(random.uniform(0.05, 0.4))
        door = random.choice(("imap", "imap", "pop3", "fs"))
        site.kill(door)
        if door == "fs":
            site.mount()  # what the killed one left is taken away already, or now
        else:
            site.serve(door)


def present(site):
    """How often each message is in INBOX."""
    with site.wire("imap") as wire:
        wire.read_line()
        try_login(wire, "imap", "alice")
        wire.imap("s EXAMINE INBOX")
        lines = wire.imap("f FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    found = {}
    for subject in re.findall(r"Subject: (\S+-\d+)\r\n", "".join(lines)):
        found[subject] = found.get(subject, 0) + 1
    return found


def main():
    need_root()
    need_fuse()
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    random.seed(seed)
    with attacked() as site:
        site.serve("imap", "pop3")
        site.mount()
        clients = [Appender(site, "append"), Appender(site, "second"), Reader(site, "reader"), Popper(site, "popper"),
                   Copier(site, "copier")]
        chapter(f"{KILLS} kills under load")
        for client in clients:
            client.start()
        kill_and_restart(site, KILLS)
        for client in clients:
            client.done = True
        for client in clients:
            client.join()
            claim(f"{client.name}: nothing but the kills went wrong ({client.tried} tried)", client.wrong, None)
        chapter("afterwards")
        os.listdir(site.folder("alice"))  # what was closed in the mount is mail once a listing has been given
        found = present(site)
        acknowledged = [id for client in clients for id in client.acknowledged]
        claim_that(f"{len(acknowledged)} were acknowledged", len(acknowledged) > 20, acknowledged)
        claim("every one is there", [id for id in acknowledged if id not in found], [])
        claim("each once", {id: n for id, n in found.items() if n > 1}, {})
        claim("no session is left", until(lambda: site.sessions() == []) or site.sessions(), True)
        step("postern check")
        site.postern("check")
        is_well(site)


if __name__ == "__main__":
    run_main(main)
