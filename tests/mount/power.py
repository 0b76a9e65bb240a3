#!/usr/bin/env python3
"""Files are copied into a mount, and the power is cut: what was not synced is gone (powercut.c).  What close(2) has said
is kept is mail, octet for octet, exactly once; nothing else is, but what was just being closed; and a UID that anybody
was shown is still that message's.  POSTERN_LONG=1: 100 cuts."""
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import build_dir, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, step
from hostile.common import in_memory

CUTS = 100 if os.environ.get("POSTERN_LONG") else 8
TOOLS = os.path.join(build_dir(), "tests", "mount")
LARGE = 140000      # more than is kept in memory, and in the log


class Disk:
    """What is safe of a store."""

    def __init__(self, site):
        self.site, self.path = site, os.path.join(site.work, "disk")
        options = [os.environ["ASAN_OPTIONS"]] if "ASAN_OPTIONS" in os.environ else []
        self.env = {"LD_PRELOAD": os.path.join(TOOLS, "libpowercut.so"), "POWERCUT_STORE": site.store,
                    "POWERCUT_DISK": self.path, "ASAN_OPTIONS": ":".join(options + ["verify_asan_link_order=0"])}

    def keep_all(self):
        """As it is after a clean stop."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.mkdir(self.path)
        for where, folders, files in os.walk(self.site.store):
            with open(f"{self.path}/folder-{os.stat(where).st_ino}", "w") as names:
                for name in folders + files:
                    st = os.lstat(os.path.join(where, name))
                    names.write(f"{st.st_ino} {st.st_mode:o} {name}\n")
                    if stat.S_ISREG(st.st_mode):
                        shutil.copy(os.path.join(where, name), f"{self.path}/file-{st.st_ino}")

    def cut(self):
        """The machine is started again: the store is what was safe, and /run is empty."""
        lost, top = self.site.store + ".lost", os.stat(self.site.store)
        os.rename(self.site.store, lost)
        self.put_back(self.site.store, top.st_ino, top.st_mode)
        shutil.rmtree(lost)
        shutil.rmtree(os.path.join(self.site.runtime, "run"))

    def put_back(self, path, inode, mode):
        os.mkdir(path)
        os.chmod(path, stat.S_IMODE(mode))
        try:
            with open(f"{self.path}/folder-{inode}") as names:
                lines = names.read().splitlines()
        except FileNotFoundError:
            return      # its name was synced, and never a name in it
        for line in lines:
            number, bits, name = line.split(" ", 2)
            there, bits = os.path.join(path, name), int(bits, 8)
            if stat.S_ISDIR(bits):
                self.put_back(there, number, bits)
            elif stat.S_ISREG(bits):
                kept = f"{self.path}/file-{number}"
                shutil.copy(kept if os.path.exists(kept) else os.devnull, there)
                os.chmod(there, stat.S_IMODE(bits))


class Copier(threading.Thread):
    """Closes one file after the other; each has a length of its own."""

    def __init__(self, folder, first):
        super().__init__(daemon=True)
        self.folder, self.number, self.is_cut, self.wrong = folder, first, False, None
        self.kept, self.flying = {}, None

    def run(self):
        try:
            while not self.is_cut:
                self.copy()
                if random.random() < 0.02:
                    time.sleep(random.uniform(0, 0.06))
        except OSError as e:
            self.wrong = None if self.is_cut else e

    def copy(self):
        self.number += 1
        head = b"Subject: number %d\n\n" % self.number
        octets = head + b"x" * (self.number + (LARGE if random.random() < 0.05 else 100)) + b"\n"
        self.flying = (f"{self.number}.eml", octets)
        fd = os.open(os.path.join(self.folder, self.flying[0]), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(fd, octets)
        finally:
            os.close(fd)
        self.kept[self.flying[0]] = octets
        self.flying = None


def shown(site, env):
    """{UID: size} as another process sees it."""
    listed = subprocess.run([os.path.join(TOOLS, "mailtool"), site.store, "ls", "alice", "INBOX"], env={**os.environ, **env},
                            capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]): int(line.split()[-1]) for line in listed.splitlines()}


def a_round(site, disk, before, first):
    """What is kept now; before: what was."""
    copier = Copier(site.folder("alice"), first)
    copier.start()
    end, uids = time.monotonic() + random.uniform(0.05, 0.8), {}
    is_watched = random.random() < 0.5      # else commits gather for longer
    while time.monotonic() < end:
        uids.update(shown(site, disk.env) if is_watched else {})
        time.sleep(0.001)
    copier.is_cut = True
    daemon = site.daemons["fs"]
    site.kill("fs")
    copier.join()
    if copier.wrong:
        print(daemon.log())
        raise copier.wrong
    disk.cut()
    site.postern("check")
    now = shown(site, {})
    site.mount()
    folder = site.folder("alice")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            found[name] = f.read()
    must = {**before, **copier.kept}
    may = {**must, **dict([copier.flying] if copier.flying else [])}
    lost = [name for name in must if found.get(name) != must[name]]
    claim(f"of {len(copier.kept)} files that were closed none is lost", lost, [])
    claim("nothing else is there", [name for name in found if found[name] != may.get(name)], [])
    claim(f"{len(uids)} UIDs that were shown are the same messages'", {u: now.get(u) for u in uids}, uids)
    site.unmount()
    site.stop("fs")
    return found, copier.number


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    random.seed(seed)
    in_memory()
    with Site() as site:
        site.user("alice")
        site.configure("security", "confine", "no")     # what is preloaded writes beside the store
        disk, kept, number = Disk(site), {}, 0
        for i in range(CUTS):
            chapter(f"cut {i + 1}")
            site.mount()    # the mailbox is made
            site.unmount()
            site.stop("fs")
            disk.keep_all()
            site.mount(disk.env)
            kept, number = a_round(site, disk, kept, number)
        claim_that("some were", len(kept) > CUTS, len(kept))
        step(f"{len(kept)} messages")


if __name__ == "__main__":
    run_main(main)
