"""A store of a test's own: made, served and mounted in a temporary folder, and gone at the end.

    with Site() as site:
        site.user("alice")
        site.serve("imap", "pop3")
        with site.wire("imap") as wire: ...

Leaving the block ends every daemon by its pid, unmounts, and fails the test if a daemon ended badly, a
sanitizer spoke, or `postern check` finds a mailbox damaged.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from harness import conf
from harness.daemon import Daemon, DaemonError
from harness.programs import Skip, need_fuse, need_root, patience, program
from harness.wire import Wire

PASSWORD = "postern"
DAEMONS = {"imap": "postern-imapd", "pop3": "postern-pop3d", "lmtp": "postern-lmtpd", "auth": "postern-authd", "metrics": "postern-metrics"}
# Where a door listens; authd's is that for mail servers, beside the one for our own doors.
LISTEN = {"auth": "mta_listen"}
WITH_TLS = ("imap", "pop3", "lmtp")
ASKING = ("imap", "pop3")


class CommandError(Exception):
    pass


def free_port():
    """A port nobody listens on, below the range from which outgoing connections take theirs."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def make_certificate(folder):
    """A self-signed certificate as cert.pem and key.pem in folder."""
    template = os.path.join(folder, "certtool.cfg")
    with open(template, "w") as f:
        f.write("cn = localhost\ndns_name = localhost\nip_address = 127.0.0.1\n"
                "expiration_days = 2\ntls_www_server\nsigning_key\n")
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["certtool", "--generate-privkey", "--key-type", "ecdsa", "--outfile", key], **quiet)
    subprocess.run(["certtool", "--generate-self-signed", "--template", template, "--load-privkey", key,
                    "--outfile", certificate], **quiet)
    return certificate, key


class Site:
    def __init__(self, tls=False, tmpfs_bytes=None, runtime=None):
        """runtime: where the runtime folder is made, inside a folder of this test's own; else beside the store."""
        self.work = tempfile.mkdtemp(prefix="postern-test-")
        self.runtime = tempfile.mkdtemp(prefix="postern-test-", dir=runtime) if runtime else self.work
        self.store = os.path.join(self.work, "store")
        self.ports = {}
        self.daemons = {}
        self.asks_mta = False
        self.users = []
        self.mountpoint = None
        self.tmpfs = None
        self.check_at_end = True
        self.keep = bool(os.environ.get("POSTERN_KEEP"))
        try:
            if tmpfs_bytes:
                self.mount_tmpfs(tmpfs_bytes)
            self.make(tls)
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        # A test that is told to end must still unmount and end its daemons.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return self

    def __exit__(self, kind, error, _trace):
        wrong = self.close()
        if kind is not None and kind is not Skip:
            self.show_logs()
        self.remove()
        if kind is None and wrong:
            raise DaemonError("; ".join(wrong))
        for sentence in wrong:
            error.add_note(sentence)    # behind all else, where a log that is cut short still shows it
        return False

    # --- making and taking down ---

    def make(self, tls):
        # The runtime folder stays inside this test's own folder: two tests never share a lock.
        self.postern("init", "--runtime", os.path.join(self.runtime, "run"), self.store)
        for door in DAEMONS:
            self.ports[door] = free_port()
            self.configure(door, LISTEN.get(door, "listen"), f"127.0.0.1:{self.ports[door]}")
        self.asks_mta = False   # so far it is ours alone
        if tls:
            certificate, key = make_certificate(self.work)
            self.configure("tls", "certificate", certificate)
            self.configure("tls", "key", key)
            for door in WITH_TLS:
                self.ports[door + "s"] = free_port()
                self.configure(door, "listen_tls", f"127.0.0.1:{self.ports[door + 's']}")

    def mount_tmpfs(self, octets):
        """The store on a small file system of its own, so that it can be filled up."""
        need_root()
        os.mkdir(self.store)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={octets},mode=2770", "tmpfs",
                                  self.store], capture_output=True, text=True)
        if mounted.returncode != 0:
            raise Skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
        self.tmpfs = self.store

    def close(self):
        """Ends everything; returns what was wrong, as a list of sentences."""
        if self.mountpoint:
            self.unmount()
        wrong = [w for name in list(self.daemons) if (w := self.daemons[name].stop())]
        if self.check_at_end and self.users:
            checked = self.postern("check", ok=None)
            if checked.returncode != 0:
                wrong.append(f"postern check: {(checked.stdout + checked.stderr).strip()}")
        return wrong

    def remove(self):
        if self.tmpfs:
            subprocess.run(["umount", "-l", self.tmpfs], check=False)
        if self.keep:
            print(f"kept: {self.work}")
        else:
            for folder in {self.work, self.runtime}:
                shutil.rmtree(folder, ignore_errors=True)

    def show_logs(self):
        for daemon in self.daemons.values():
            print(f"--- log of {daemon.name} (last 40 lines)")
            print("\n".join(daemon.log().splitlines()[-40:]))

    # --- settings, users, mail ---

    def configure(self, section, key, value):
        """Sets a key of store.conf; daemons read it when they start."""
        conf.set_key(os.path.join(self.store, "store.conf"), section, key, value)
        self.asks_mta = self.asks_mta or (section == "auth" and key == LISTEN["auth"])

    def postern(self, *args, stdin=None, ok=True, seconds=120, cwd=None):
        """Runs `postern --store STORE ARGS`.  ok True: must exit 0, False: must not, None: as it comes."""
        argv = [program("postern"), "--store", self.store, *map(str, args)]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True,
                              errors="backslashreplace", timeout=patience(seconds), cwd=cwd)
        if ok is not None and (done.returncode == 0) != ok:
            raise CommandError(f"`{' '.join(argv[3:])}` exited {done.returncode}:\n"
                               f"{done.stdout}{done.stderr}")
        return done

    def user(self, name, password=PASSWORD, plain=False):
        """plain: its password is kept as it is, for what is not about hashing."""
        how, said = ("--verifier-stdin", "{PLAIN}") if plain else ("--password-stdin", "")
        self.postern("user", "add", name, how, stdin=f"{said}{password}\n")
        self.users.append(name)

    def import_mail(self, user, *paths, folder=None):
        where = ["--folder", folder] if folder else []
        return self.postern("import", user, *where, *paths)

    def reg(self, name, value):
        """Sets a value of the ParametersSystem key; None: back to its default."""
        if value is None:
            self.postern("reg", "delete", "-v", name)
        else:
            self.postern("reg", "add", "-v", name, "-d", value)

    def setting(self, group, name, value):
        self.postern("settings", group, name, value)

    def sessions(self, user=None):
        args = [user] if user else []
        return json.loads(self.postern("sessions", "list", *args, "--json").stdout)

    # --- daemons ---

    def serve(self, *doors):
        """Doors that ask for passwords get an authd to ask, where the test serves none of its own."""
        if any(door in ASKING for door in doors) and "auth" not in self.daemons and "auth" not in doors:
            if not self.asks_mta:  # nobody asks by the port: what others took of it meanwhile is no matter
                self.configure("auth", LISTEN["auth"], "")
            doors = ("auth", *doors)
        for door in doors:
            name = DAEMONS[door]
            self.daemons[door] = Daemon([program(name), "--store", self.store], self.work, name)

    def stop(self, door):
        wrong = self.daemons.pop(door).stop()
        if wrong:
            raise DaemonError(wrong)

    def kill(self, door):
        """SIGKILL; the door may be served again, and the store mounted."""
        daemon = self.daemons.pop(door)
        if door == "fs":
            # By force: a thread that was telling the kernel of a change may wait for a folder's lock, which whoever
            # waits for an answer holds; so neither the daemon nor the connection would come to its end.
            daemon.process.send_signal(signal.SIGKILL)
            subprocess.run(["umount", "-f", self.mountpoint], capture_output=True)
            subprocess.run(["umount", "-l", self.mountpoint], capture_output=True)
        daemon.kill()

    def wire(self, door, **how):
        """A new raw connection; the greeting is still to be read.  "imaps" and "pop3s" are TLS at once."""
        return Wire(self.ports[door], tls=door.endswith("s"), **how)

    # --- the mount ---

    def mount(self, env=None):
        """Mounts the store; returns the mountpoint."""
        need_root()
        need_fuse()
        self.mountpoint = os.path.join(self.work, "mnt")
        if "mnt" not in os.listdir(self.work):  # a dead mount can't be asked
            os.mkdir(self.mountpoint)
        argv = [program("postern-fs"), "--store", self.store, self.mountpoint]
        self.daemons["fs"] = Daemon(argv, self.work, "postern-fs", env)
        if not os.path.ismount(self.mountpoint):
            raise DaemonError(f"postern-fs is ready, but {self.mountpoint} is no mountpoint")
        return self.mountpoint

    def unmount(self):
        done = subprocess.run(["fusermount3", "-u", self.mountpoint], capture_output=True)
        if done.returncode != 0:
            subprocess.run(["umount", "-l", self.mountpoint], capture_output=True)
        self.mountpoint = None

    def folder(self, user, folder="INBOX"):
        """A folder's path in the mount."""
        return os.path.join(self.mountpoint, "mail", user, folder)
