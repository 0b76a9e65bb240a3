"""A test that reads as a story: chapters are printed as they happen, and the first claim that does not
hold ends it, with what was expected and what came."""
import time

from harness.programs import patience


class Untrue(AssertionError):
    pass


def chapter(title):
    print(f"\n== {title}", flush=True)


def step(text):
    print(f"   {text}", flush=True)


def claim(text, got, expected):
    """What the story says is so: got must be what is expected."""
    if got != expected:
        raise Untrue(f"{text}\n     expected: {expected!r}\n     got:      {got!r}")
    print(f"   ok: {text}", flush=True)


def claim_that(text, holds, shown=""):
    if not holds:
        raise Untrue(f"{text}\n     got: {shown!r}")
    print(f"   ok: {text}", flush=True)


def until(question, seconds=10):
    """Asks again until the answer is true; returns it, or the last answer when time is up.  For what
    another process does on its own account; never instead of an answer that should be there at once."""
    end = time.monotonic() + patience(seconds)
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.01)
    return answer
