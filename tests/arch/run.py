#!/usr/bin/env python3
"""run.py CHECK [ROOT]: one check of the architecture (layers, idioms, tables) over the source tree."""
import importlib
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

if __name__ == "__main__":
    check = importlib.import_module(f"arch.{sys.argv[1]}").check
    wrong = check(sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(TESTS))
    print("\n".join(wrong) or "nothing wrong")
    sys.exit(1 if wrong else 0)
