"""Where the programs of this build are, and how patient a test may be with them."""
import os
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = {"postern": "ctl", "postern-imapd": "imapd", "postern-pop3d": "pop3d", "postern-lmtpd": "lmtpd", "postern-metrics": "metrics",
           "postern-authd": "authd", "postern-fs": "fs"}

SKIPPED = 77


class Skip(Exception):
    """This cannot be tested here; the text says why.  Ends a test with exit status 77."""


def build_dir():
    return os.environ.get("POSTERN_BUILD", os.path.join(SOURCE, "build"))


def program(name):
    path = os.path.join(build_dir(), FOLDERS[name], name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not built: run ninja -C {build_dir()}")
    return path


def patience(seconds):
    """A deadline for something that takes milliseconds; sanitizers and busy machines stretch it."""
    return seconds * float(os.environ.get("POSTERN_PATIENCE", "1"))


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def need_fuse():
    if not os.path.exists("/dev/fuse"):
        raise Skip("needs /dev/fuse")
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as e:
        raise Skip(f"/dev/fuse cannot be opened: {e.strerror}")


def run_main(main):
    """Runs a test's main: its return value is the exit status, Skip is 77 with the reason."""
    try:
        sys.exit(main() or 0)
    except Skip as skip:
        print(f"SKIP: {skip}")
        sys.exit(SKIPPED)
