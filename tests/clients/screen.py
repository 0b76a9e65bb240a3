"""A full-screen program on a terminal of its own (tmux): keys go in, and what the screen shows is looked at."""
import os
import subprocess
import time

from harness.programs import patience


class Screen:
    def __init__(self, work, *argv, env):
        self.socket = os.path.join(work, "tmux")
        self.program = argv[0]
        self.tmux("-f", os.devnull, "new-session", "-d", "-x", "140", "-y", "50", "-s", "s", *argv, env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)

    def tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True, capture_output=True, text=True,
                              timeout=patience(20), env=env).stdout

    def shows(self):
        return self.tmux("capture-pane", "-p", "-t", "s")

    def type(self, *keys):
        """Names of tmux's for keys ("Enter", "C-x"), or text."""
        for key in keys:
            self.tmux("send-keys", "-t", "s", key)

    def type_text(self, text):
        if text.endswith(";"):  # tmux takes it for the end of its own command
            text = text[:-1] + "\\;"
        self.tmux("send-keys", "-t", "s", "-l", text)

    def wait(self, question, what, seconds=30):
        end = time.monotonic() + patience(seconds)
        while not question():
            if time.monotonic() > end:
                raise AssertionError(f"{self.program}: no sign of {what}; the screen is\n{self.shows()}")
            time.sleep(0.05)

    def wait_for(self, text, seconds=30):
        self.wait(lambda: text in self.shows(), repr(text), seconds)

    def has_ended(self):
        return subprocess.run(["tmux", "-S", self.socket, "has-session", "-t", "s"], capture_output=True).returncode != 0

    def wait_for_end(self, seconds=30):
        self.wait(self.has_ended, "its end", seconds)
