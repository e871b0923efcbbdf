"""What a case says must hold, and how it waits for it."""

import os
import time

# How much slower than usual this machine is: every wait is so many times as long (an emulated one: 12).
PATIENCE = float(os.environ.get("SWIFTLET_CONFORMANCE_PATIENCE", "1"))

# Of waits for something that must come: several times what it takes on an idle machine, as only a failure waits to the end.
WAITING = 3 * PATIENCE


class Failure(AssertionError):
    """Something that must hold does not; the message is for the reader of the report."""


class Skipped(Exception):
    """The case cannot run on this host; the message says why."""


def expect(condition, message):
    """Fails with the message unless the condition is true."""
    if not condition:
        raise Failure(message)


def expect_equal(actual, expected, what):
    """Fails, showing both, unless the values are equal; of long ones it shows where they part."""
    if actual != expected:
        wanted, given = repr(expected), repr(actual)
        same = len(os.path.commonprefix([wanted, given]))
        raise Failure(f"{what}: expected {excerpt(wanted, same)}, got {excerpt(given, same)}")


def excerpt(text, place, width=600):
    """A text, or of a long one what is around a place in it, and how long it is."""
    if len(text) <= 2 * width:
        return text
    start = max(0, place - width // 2)
    return f"…{text[start:start + width]}… (from {start} of {len(text)})"


def expect_contains(text, part, what):
    """Fails, showing the text, unless it contains the part."""
    if part not in text:
        raise Failure(f"{what}: expected {part!r} in {text!r}")


def eventually(what, condition, seconds=20.0, interval=0.05):
    """Polls the condition until it gives something true, and returns that; fails after so many seconds.

    Only for what announces itself by no event, such as a process or a file; objects of the API are watched.
    A Failure that the condition raises counts as false, as does a file that is not there yet, and the last one is shown.
    """
    seconds *= WAITING
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
        except (Failure, FileNotFoundError) as failure:
            last = failure
        if time.monotonic() >= deadline:
            raise Failure(f"{what}: not within {seconds:g} s" + (f" ({last})" if last else ""))
        time.sleep(interval)
