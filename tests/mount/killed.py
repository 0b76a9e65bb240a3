#!/usr/bin/env python3
"""Random steps through a mount (mail_model.py) whose postern-fs is killed at any instruction: after each, what was
told to be done is so, what was under way is done or not, never by half, and everything that close(2) said is kept is
there, byte for byte, exactly once.  POSTERN_LONG=1: 200 kills."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site
from harness.story import chapter, claim, step
from hostile.common import in_memory
from mount.mail_model import USUAL, Model, Mount, Steps, hold

KILLS = 200 if os.environ.get("POSTERN_LONG") else 20
FOLDERS = ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash")


class KilledSteps(Steps):
    """None that puts the same octets twice: each message is found again by them."""
    BY_MOUNT = {"write": 16, "name": 4, "move": 8, "replace": 8, "unlink": 8, "flag": 5, "mkdir": 3, "rmdir": 3,
                "rename_folder": 3}


class Worker(threading.Thread):
    def __init__(self, steps):
        super().__init__(daemon=True)
        self.steps, self.killed, self.wrong = steps, False, None

    def run(self):
        try:
            while not self.killed:
                if self.steps.step():
                    self.steps.list_touched()
        except Exception as e:
            if not self.killed:
                self.wrong = e


def found_in(mount):
    """{folder: {name: octets}}, and what is called as no message is."""
    found, odd = {}, []
    for where, _, names in os.walk(mount.path):
        folder = os.path.relpath(where, mount.path)
        if folder == ".":
            odd += names
            continue
        found[folder] = {name: mount.read(folder, name) for name in names}
        odd += [name for name in names if name.startswith(".") or not name.endswith(".eml")]
    return found, odd


def token_of(octets):
    for line in octets.split(b"\n"):
        if line.startswith(b"Subject: "):
            return line[9:].strip().decode()
    return None


def is_given(mount, path, name):
    """Whether it is a name that was given, and not the usual one of its UID."""
    usual = USUAL.fullmatch(name)
    return not usual or int(usual[1]) != mount.uid(path, name)


def judge(steps, mount):
    """Compares with what must be; returns the model of what is there."""
    model, flying = steps.model, {m.token: m for m in steps.old}
    if steps.new:
        flying[steps.new.token] = steps.new
    there = {m.token: (path, m) for path, f in model.folders.items() for m in f.messages}
    is_known = steps.new and steps.new.token in there     # its close(2) has said so
    found, odd = found_in(mount)
    hold(odd == [], f"is no message, and there: {odd}")
    now, seen = Model(found), set()
    now.tokens_n = model.tokens_n
    for path, files in found.items():
        for name, octets in files.items():
            token = token_of(octets)
            hold(token in there or token in flying, f"{path}/{name} is nobody's: {octets[:100]!r}")
            hold(token not in seen, f"{token} is there twice, in {path}/{name} too")
            seen.add(token)
            was, message = there.get(token, (None, flying.get(token)))
            if token in flying and not (is_known and token == steps.new.token):
                message.is_named = is_given(mount, path, name)
                message.flags = mount.flags(path, name)
            else:
                hold(steps.folders_fly or path == was, f"{token} was in {was}, and is in {path}")
                hold(message.name in (None, name), f"{token} was {message.name}, and is {name}")
                if message.name is None:    # who had its name may have gone first: it is told by what is there
                    message.is_named = is_given(mount, path, name)
                hold(mount.flags(path, name) == message.flags, f"{path}/{name} has other flags")
            hold(octets == message.served, f"{path}/{name} is not what was put there")
            message.name, message.uid = name, None
            now.folders[path].messages.append(message)
    for token, (path, message) in there.items():
        may_go = token in flying and path.split("/")[0] == "Trash"
        hold(token in seen or may_go, f"{token}, {path}/{message.name}, is lost")
    hold(steps.folders_fly or set(found) == set(model.folders), f"folders: {sorted(found)}, not {sorted(model.folders)}")
    for folder in now.folders.values():
        folder.messages.sort(key=lambda m: mount.uid(path_of(now, folder), m.name))
    return now


def path_of(model, folder):
    return next(path for path, f in model.folders.items() if f is folder)


def a_round(site, steps):
    worker = Worker(steps)
    worker.start()
    time.sleep(random.uniform(0.02, 0.6))
    worker.killed = True
    site.kill("fs")
    worker.join()
    if worker.wrong:
        raise worker.wrong
    hold(site.sessions() == [], "sessions are left")
    site.postern("check")
    site.mount()
    steps.folders_fly = any(f" {word} " in steps.said[-1] for word in ("mkdir", "rmdir")) or "/ " in steps.said[-1]
    steps.model = judge(steps, steps.mounts[0])
    steps.look(everything=True)


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    random.seed(seed)
    in_memory()
    with Site() as site:
        site.user("alice")
        mount = Mount(os.path.join(site.mount(), "mail", "alice"))
        steps = KilledSteps(Model(FOLDERS), [mount], None, seed)
        steps.step()
        chapter(f"{KILLS} kills")
        try:
            for _ in range(KILLS):
                a_round(site, steps)
        except BaseException:
            print("\n".join(steps.said), flush=True)
            raise
        messages = sum(len(f.messages) for f in steps.model.folders.values())
        step(f"{steps.n} steps, {messages} messages, {len(steps.model.folders)} folders")
        claim("no session is left", site.sessions(), [])


if __name__ == "__main__":
    run_main(main)
