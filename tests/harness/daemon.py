"""One daemon of a test: started with a NOTIFY_SOCKET of its own, ended by its pid, its log kept."""
import os
import select
import signal
import socket
import subprocess

from harness.programs import patience

# What no daemon may ever say, whatever a peer sends: a sanitizer's report or a failed CHECK.
DISASTERS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "check-failed")


class DaemonError(Exception):
    pass


class Daemon:
    def __init__(self, argv, work, name, env=None, needs_ready=True):
        self.name, self.argv = name, argv
        self.log_path = os.path.join(work, f"{name}.log")
        notify_path = os.path.join(work, f"{name}.notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.notify.bind(notify_path)
        os.chmod(notify_path, 0o666)    # as systemd's: a daemon says it as the account that it became
        # Appended to, so that the log of a daemon that was killed and started again stays whole.
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {}), "NOTIFY_SOCKET": notify_path})
        self.pid = self.process.pid
        if needs_ready:
            self.wait_ready()

    def wait_ready(self, seconds=20):
        """Returns once the daemon has said READY=1; fails at once if it dies first."""
        pidfd = os.pidfd_open(self.pid)
        try:
            poll = select.poll()
            poll.register(self.notify, select.POLLIN)
            poll.register(pidfd, select.POLLIN)
            while True:
                events = poll.poll(patience(seconds) * 1000)
                ready = [fd for fd, _ in events]
                if self.notify.fileno() in ready:
                    if b"READY=1" in self.notify.recv(4096).split(b"\n"):
                        return
                    continue
                if pidfd in ready:
                    raise DaemonError(f"{self.name} ended at start with status "
                                      f"{self.process.wait()}:\n{self.log()}")
                self.kill()
                raise DaemonError(f"{self.name} did not get ready:\n{self.log()}")
        finally:
            os.close(pidfd)

    def log(self):
        with open(self.log_path, errors="backslashreplace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def kill(self):
        """SIGKILL, and gone when this returns."""
        if self.running():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.notify.close()

    def stop(self, seconds=20):
        """SIGTERM; returns what was wrong about its end, or None."""
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(patience(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.name} was still running {patience(seconds):g} s after SIGTERM"
        self.notify.close()
        disaster = self.disaster()
        return f"{self.name} ended with status {status}; {disaster or 'without a report'}" if status != 0 else disaster

    def disaster(self):
        """What it said first, and where (the top of a sanitizer's report), or None."""
        lines = self.log().splitlines()
        first = next((at for at, line in enumerate(lines) if any(d in line for d in DISASTERS)), None)
        return None if first is None else f"{self.name} said: " + "\n  ".join(lines[first:first + 12])
