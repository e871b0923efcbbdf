"""Programs that must refuse to run."""

import subprocess
import time

from rig.expectation import Failure, expect, expect_contains, expect_equal


def fails(command, *words, seconds=10):
    """The program ends by itself, not with 0, and says so in one line with the words; returns the time it took."""
    started = time.monotonic()
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"{' '.join(command[-2:])}: still runs after {seconds} s: {expired.stderr}") from None
    taken = time.monotonic() - started
    expect(result.returncode not in (0, -4, -5, -6, -11), f"exit {result.returncode}: {result.stderr[-800:]}")
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    expect_equal(len(errors), 1, f"error lines in {result.stderr[-1500:]!r}")
    for word in words:
        expect_contains(errors[0], word, "the error")
    return taken
