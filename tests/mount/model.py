#!/usr/bin/env python3
"""Random steps through two mounts of one store and an imapd, one at a time, against a model (mail_model.py): after
each, listings, contents, attributes and flags through every door agree with it exactly, while others list and stat
all the time.

POSTERN_LONG=1: five minutes.  POSTERN_MODEL_S: so many seconds.  POSTERN_SEED: the same steps again.
"""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import program, run_main
from harness.site import Site
from harness.story import chapter, claim, step, until
from hostile.common import in_memory
from mount.mail_model import Imap, Model, Mount, Steps

SECONDS = float(os.environ.get("POSTERN_MODEL_S") or (300 if os.environ.get("POSTERN_LONG") else 30))
LISTERS = 4
ALL_EVERY = 50      # steps
FOLDERS = ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash")


class Lister(threading.Thread):
    """Lists and stats whatever there is, so that the kernel always holds something, and somebody always reads."""

    def __init__(self, mounts, seed):
        super().__init__(daemon=True)
        self.mounts, self.random, self.done, self.n = mounts, random.Random(seed), False, 0

    def run(self):
        while not self.done:
            where = self.random.choice(self.mounts).path
            try:
                while True:
                    entries = list(os.scandir(where))
                    self.n += 1
                    for entry in self.random.sample(entries, min(len(entries), 3)):
                        os.stat(entry.path)
                    folders = [entry.path for entry in entries if entry.is_dir()]
                    if not folders or self.random.random() < 0.3:
                        break
                    where = self.random.choice(folders)
            except OSError:
                pass  # gone meanwhile
            time.sleep(self.random.random() * 0.005)


def mount_again(site):
    """A second postern-fs of the same store."""
    path = os.path.join(site.work, "mnt2")
    os.mkdir(path)
    site.daemons["fs2"] = Daemon([program("postern-fs"), "--store", site.store, path], site.work, "postern-fs-2")
    return path


def go_on(steps, listers):
    end, checked = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        if not steps.step():
            continue
        steps.look()
        checked += 1
        if checked % ALL_EVERY == 0:
            steps.look(everything=True)
    steps.look(everything=True)
    step(f"{checked} steps, each looked at through every door; {sum(l.n for l in listers)} listings beside them")


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    in_memory()
    with Site() as site:
        site.user("alice")
        site.reg("Maximum Allowed Sessions Per User", 1000)
        site.serve("imap")
        mounts = [Mount(os.path.join(path, "mail", "alice")) for path in (site.mount(), mount_again(site))]
        imap = Imap(site)
        steps = Steps(Model(FOLDERS), mounts, imap, seed)
        listers = [Lister(mounts, seed + i) for i in range(LISTERS)]
        chapter(f"random steps for {SECONDS:.0f} s")
        for lister in listers:
            lister.start()
        try:
            go_on(steps, listers)
        except BaseException:
            print("\n".join(steps.said), flush=True)
            raise
        finally:
            for lister in listers:
                lister.done = True
            for lister in listers:
                lister.join()
        chapter("afterwards")
        imap.wire.close()
        claim("no session is left", until(lambda: site.sessions() == []) or len(site.sessions()), True)
        step("postern check")
        site.postern("check")


if __name__ == "__main__":
    run_main(main)
