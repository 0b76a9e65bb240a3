#!/usr/bin/env python3
"""The units of systemd: what is in them systemd knows (systemd-analyze), and no daemon is kept by them from confining itself."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = os.path.join(SOURCE, "contrib", "systemd")
PROGRAMS = "/usr/local/sbin/"
# What a daemon calls to confine itself; older systemd (Debian 12's) has no group with them.
NEEDED = {"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}


def services():
    return sorted(name for name in os.listdir(UNITS) if name.endswith((".service", ".target")))


def filters(name):
    """The unit's call filter, word by word."""
    with open(os.path.join(UNITS, name)) as f:
        return " ".join(re.findall(r"^SystemCallFilter=(.*)$", f.read(), re.MULTILINE)).split()


def wrong_filters():
    return [f"{name}: SystemCallFilter lacks {' '.join(sorted(lacking))}" for name in services()
            if filters(name) and (lacking := NEEDED - set(filters(name)))]


def write_blocks_of_the_readme(folder):
    """What its text tells people to write: the drop-in for PAM, and authd's sockets."""
    with open(os.path.join(UNITS, "README.md")) as f:
        blocks = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in re.findall(r"(?:^ {4}.*\n)+", f.read(), re.MULTILINE)]
    os.mkdir(os.path.join(folder, "postern-authd.service.d"))
    for start, name in (("[Service]\nUser=root", "postern-authd.service.d/pam.conf"), ("[Socket]\n", "postern-authd.socket")):
        block, = [block for block in blocks if block.startswith(start)]
        with open(os.path.join(folder, name), "w") as f:
            f.write(block)


def told_by_systemd():
    """Programs are not installed here, and their pages neither: others take their places."""
    with tempfile.TemporaryDirectory() as folder:
        write_blocks_of_the_readme(folder)
        for name in services():
            with open(os.path.join(UNITS, name)) as f:
                text = re.sub(re.escape(PROGRAMS) + r"[-\w]+", "/bin/true", f.read())
            with open(os.path.join(folder, name), "w") as f:
                f.write(re.sub(r"^Documentation=.*$", "", text, flags=re.MULTILINE))
        done = subprocess.run(["systemd-analyze", "verify", *(os.path.join(folder, name) for name in [*services(), "postern-authd.socket"])],
                              capture_output=True, text=True, timeout=120, env={**os.environ, "SYSTEMD_UNIT_PATH": folder + ":"})
        return [line for line in (done.stdout + done.stderr).splitlines() if folder in line or "postern" in line]


def main():
    wrong = wrong_filters()
    if wrong:
        print("\n".join(wrong))
        return 1
    if not shutil.which("systemd-analyze"):
        print("SKIP: there is no systemd-analyze")
        return 77
    wrong = told_by_systemd()
    print("\n".join(wrong) or f"{len(services())} units")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
