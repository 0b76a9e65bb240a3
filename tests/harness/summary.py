#!/usr/bin/env python3
"""summary.py BUILD...: what the suites of ./check came to, from meson's logs of these build folders.

Prints the logs of what failed and the reasons of what was skipped, then each failure in a line, and one line alone:
`N passed, N failed, N skipped`.  Exit status 1 if anything failed, or nothing ran at all.
"""
import glob
import json
import os
import sys

LOG_LINES = 120


def results(build):
    for path in sorted(glob.glob(os.path.join(build, "meson-logs", "testlog-*.json"))):
        with open(path) as f:
            for line in f:
                yield json.loads(line)


def kind(result):
    if result in ("OK", "EXPECTEDFAIL"):
        return "passed"
    return "skipped" if result == "SKIP" else "failed"


def reason(test):
    """Why a test was skipped: its line that says so, or its last one."""
    lines = [l.strip() for l in (test.get("stdout", "") + test.get("stderr", "")).splitlines() if l.strip()]
    said = [l for l in lines if l.upper().startswith("SKIP")]
    return (said or lines or ["no reason given"])[-1]


def complaint(test):
    """What a failed test says of it: where the assertion stands, or its last line."""
    lines = [l.strip() for l in (test.get("stdout", "") + test.get("stderr", "")).splitlines() if l.strip()]
    said = [l for l in lines if "Error:" in l or "LINE   ]" in l or "ERROR: " in l]
    return (said or lines or ["no output"])[-1][:200]


def main(builds):
    failures = []
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    seen = set()
    for build in builds:
        name = os.path.basename(build)
        for test in results(build):
            if (name, test["name"]) in seen:  # it belongs to two suites
                continue
            seen.add((name, test["name"]))
            what = kind(test["result"])
            counts[what] += 1
            if what == "failed":
                failures.append(f"FAILED: {name}: {test['name']}: {complaint(test)}")
                print(f"\n=== FAILED ({test['result']}, {test['duration']:.1f} s): {name}: {test['name']}")
                text = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
                print("\n".join(text[-LOG_LINES:]))
            elif what == "skipped":
                print(f"SKIPPED: {name}: {test['name']}: {reason(test)}")
    print("\n".join(failures), end="\n" if failures else "")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
