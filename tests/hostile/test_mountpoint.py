#!/usr/bin/env python3
"""Paths that nothing can be mounted on: a clear sentence on stderr, an exit status, no daemon left behind."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import need_fuse, need_root, patience, program, run_main
from harness.story import chapter, claim, claim_that
from hostile.common import attacked


def mount(site, path, store=None):
    argv = [program("postern-fs"), "--store", store or site.store, path]
    return subprocess.run(argv, capture_output=True, text=True, timeout=patience(20))


def main():
    need_root()
    need_fuse()
    with attacked() as site:
        work = site.work
        a_file = os.path.join(work, "file")
        open(a_file, "w").close()
        os.symlink("loop", os.path.join(work, "loop"))
        for name, path in {"a path that is not there": os.path.join(work, "nowhere"), "a file": a_file,
                           "a link to itself": os.path.join(work, "loop"),
                           "a name that is too long": os.path.join(work, "x" * 300)}.items():
            chapter(name)
            done = mount(site, path)
            claim_that("it fails", done.returncode not in (0, -6, -11), done.returncode)
            claim_that(f"and says why: {done.stderr.strip()[-120:]}", path[:60] in done.stderr, done.stderr)
        chapter("no store")
        done = mount(site, work, store=os.path.join(work, "no-store"))
        claim_that(f"it fails and says why: {done.stderr.strip()[-120:]}",
                   done.returncode not in (0, -6, -11) and "no-store" in done.stderr, done)
        chapter("a good path, after all that")
        site.mount()
        claim("mail is there", len(os.listdir(site.folder("bob"))), 3)


if __name__ == "__main__":
    run_main(main)
