#!/usr/bin/env python3
"""How often the store syncs: once per durable call, whatever it holds, and not at all for flags.

A `PRAGMA synchronous` that came too late, or a sync too many, would show nowhere else.
"""
import os
import re
import subprocess
import sys
import tempfile

WANTED = {"append": 1, "append-10": 1, "append-cold": 1, "deliver": 1, "deliver-again": 0, "flags": 0, "flags-unchanged": 0,
          "flags-durable": 1, "copy": 1, "move": 1, "expunge": 1, "folder": 1}


def skip(why):
    print("SKIP: " + why)
    sys.exit(77)


def main():
    helper = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="postern-sync-") as folder:
        trace = os.path.join(folder, "trace")
        command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,write", "-o", trace, helper]
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 9)
        try:
            probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
        except FileNotFoundError:
            skip("strace is not installed")
        if probe.returncode != 0:
            skip("strace can't trace here: " + probe.stderr.decode(errors="replace").strip())
        # LeakSanitizer can't look while somebody traces.
        env = dict(os.environ, TMPDIR=folder, ASAN_OPTIONS="detect_leaks=0")
        run = subprocess.run(command, pass_fds=[9], env=env, check=False)
        if run.returncode != 0:
            sys.exit("the helper failed")
        counts, phase = {}, None
        for line in open(trace, encoding="ascii", errors="replace"):
            begun = re.search(r'\bwrite\(9, "([a-z0-9-]+)"', line)
            if begun:
                phase = begun.group(1)
                counts[phase] = 0
            elif phase and re.search(r"\b(fsync|fdatasync)\(", line):
                counts[phase] += 1
    wrong = [f"{what}: {counts.get(what)} syncs, {n} expected" for what, n in WANTED.items()
             if counts.get(what) != n]
    print("\n".join(wrong) or "syncs: " + ", ".join(f"{k} {v}" for k, v in counts.items() if k in WANTED))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
