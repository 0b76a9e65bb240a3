"""What the client tests share: a store with three known messages, and their bytes."""
import os
import shutil
import subprocess
import sys

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
        raise AssertionError(f"{argv[0]} exited {done.returncode}: {' '.join(argv)}")
    return done


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
