"""The program telnet, as a person runs it: lines are typed, the screen is read."""
import os
import select
import subprocess
import time

from harness.programs import patience


def telnet(port, lines, seconds=15):
    """Types each line once the server has answered the one before; returns the whole screen."""
    process = subprocess.Popen(["telnet", "127.0.0.1", str(port)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        screen = read_more(process, b"", lambda s: b"Escape character" in s and
                           (b"* OK" in s or b"+OK" in s), seconds)
        for line in lines:
            before = len(screen)
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            screen = read_more(process, screen, lambda s: answered(s[before:]), seconds)
        return screen.decode("latin-1").replace("\r", "")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def answered(new):
    """A whole line that is no untagged one has come."""
    return any(line and not line.startswith(b"* ") for line in new.split(b"\n")[:-1])


def read_more(process, screen, enough, seconds):
    end = time.monotonic() + patience(seconds)
    while not enough(screen):
        ready, _, _ = select.select([process.stdout], [], [], max(end - time.monotonic(), 0))
        data = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not data:
            raise AssertionError(f"telnet showed only: {screen!r}")
        screen += data
    return screen
