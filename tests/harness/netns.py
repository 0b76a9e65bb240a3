"""Machines of a test's own: network namespaces on one switch, any of which can be unplugged.

    lan = Lan("server", "laptop")
    with lan.inside("server"): ...     what is started or connected here is on that machine
    lan.unplug("laptop")               its packets, and those to it, vanish from now on, without a word to anybody

They live as long as this process has them open, and need no cleaning up.
"""
import contextlib
import ctypes
import json
import os
import subprocess

from harness.programs import Skip, need_root

CLONE_NEWNET = 0x40000000
HERE = "/proc/thread-self/ns/net"
NETWORK = "10.77.0."

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def inside(space):
    """This thread in a network namespace (a path or a descriptor), then back in the one it was in."""
    there = os.open(space, os.O_RDONLY | os.O_CLOEXEC) if isinstance(space, str) else os.dup(space)
    before = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        checked(libc.setns(there, CLONE_NEWNET))
        try:
            yield
        finally:
            checked(libc.setns(before, CLONE_NEWNET))
    finally:
        os.close(there)
        os.close(before)


class Lan:
    def __init__(self, *machines):
        need_root()
        self.home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        self.spaces = {}
        for name in ("switch", *machines):
            self.spaces[name] = self.new_space()
        self.addresses = {name: NETWORK + str(at + 1) for at, name in enumerate(machines)}
        with self.inside("switch"):
            self.ip("link", "add", "br0", "type", "bridge")
            self.ip("link", "set", "br0", "up")
            for name in machines:
                self.plug_in_new(name)
        # As behind a router: that nobody answers for an address any more is nothing that a machine is told.
        for name in machines:
            for other in machines:
                if other != name:
                    self.know(name, other)

    def new_space(self):
        try:
            checked(libc.unshare(CLONE_NEWNET))
        except OSError as error:
            raise Skip(f"no network namespaces here: {error.strerror}") from None
        space = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
        checked(libc.setns(self.home, CLONE_NEWNET))
        return space

    def inside(self, name):
        return inside(self.spaces[name])

    def ip(self, *args):
        done = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"`ip {' '.join(args)}`: {done.stderr.strip()}")
        return done.stdout

    def plug_in_new(self, name):
        """On the switch: a cable whose other end is in that machine."""
        self.ip("link", "add", f"p-{name}", "type", "veth", "peer", "name", "eth0", "netns",
                f"/proc/{os.getpid()}/fd/{self.spaces[name]}")
        self.ip("link", "set", f"p-{name}", "master", "br0", "up")
        with self.inside(name):
            self.ip("link", "set", "lo", "up")
            self.ip("addr", "add", self.addresses[name] + "/24", "dev", "eth0")
            self.ip("link", "set", "eth0", "up")

    def know(self, name, other):
        with self.inside(other):
            address = json.loads(self.ip("-json", "link", "show", "eth0"))[0]["address"]
        with self.inside(name):
            self.ip("neigh", "replace", self.addresses[other], "lladdr", address, "dev", "eth0", "nud", "permanent")

    def unplug(self, name):
        with self.inside("switch"):
            self.ip("link", "set", f"p-{name}", "nomaster")

    def plug_in(self, name):
        with self.inside("switch"):
            self.ip("link", "set", f"p-{name}", "master", "br0")
