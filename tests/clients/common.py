"""What the client tests share: a store with three known messages, and their bytes."""
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

from harness.programs import Skip, patience
from harness.site import Site

MAIL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mail")
SUBJECTS = {"plain.eml": "Minutes of Monday", "parts.eml": "Angebot für März"}


def need(program):
    if not shutil.which(program):
        raise Skip(f"needs {program}")


def path(name):
    return os.path.join(MAIL, name)


def text(name):
    with open(path(name), "rb") as f:
        return f.read()


def crlf(data):
    return lf(data).replace(b"\n", b"\r\n")


def lf(data):
    return data.replace(b"\r\n", b"\n")


def run(*argv, seconds=60, ok=True, **how):
    """Runs a client; its output as bytes.  It must succeed unless ok is False."""
    done = subprocess.run(argv, capture_output=True, timeout=patience(seconds), **how)
    if ok and done.returncode != 0:
        sys.stdout.buffer.write(done.stdout + done.stderr)
        sys.stdout.flush()
        raise AssertionError(f"{argv[0]} exited {done.returncode}: {' '.join(argv)}")
    return done


def on_a_terminal(argv, env, seconds=60):
    """Runs a full-screen program to its end; returns (exit status, what it drew)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, env)
    drawn, end = b"", time.monotonic() + patience(seconds)
    while True:
        ready, _, _ = select.select([terminal], [], [], max(end - time.monotonic(), 0))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError(f"{argv[0]} did not end; it showed {drawn[-2000:]!r}")
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            break
        drawn += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), drawn


def site_with_mail(doors, tls=False, mount=False):
    """Alice with the messages of mail/ in INBOX, in order, and an empty Archive."""
    site = Site(tls=tls)
    try:
        site.user("alice")
        for name in ("plain.eml", "parts.eml"):
            site.import_mail("alice", path(name))
        site.serve(*doors)
        if mount:
            site.mount()
        return site
    except BaseException:
        site.close()
        site.remove()
        raise
