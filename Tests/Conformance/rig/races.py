"""Many starts of containers, one after the other, while somebody else changes what they are started with."""

import os
import time

from rig.expectation import Failure
from rig.pods import pod

# How often a race is run. In CI 1,000; on demand 10,000 (Tests/Conformance/run --rounds).
ROUNDS = int(os.environ.get("SWIFTLET_CONFORMANCE_ROUNDS", "1000"))
# Starts in one pod: as init containers, which follow each other without any back-off.
STARTS = 40
# Pods at a time.
PARALLEL = 4


def starts(space, name, container, rounds, seconds=45, **spec):
    """Starts the container so often, or until the time is over; returns how often, and what was said of those starts that
    did not end with 0.

    A start that is refused or fails ends its pod: another one does the rest.
    """
    troubles, done, number, running = [], 0, 0, []
    deadline = time.monotonic() + seconds * max(1, rounds / 1000)
    while (done < rounds and time.monotonic() < deadline) or running:
        while done < rounds and time.monotonic() < deadline and len(running) < PARALLEL:
            number += 1
            steps = [dict(container, name=f"step-{index}") for index in range(STARTS)]
            # Without a network of their own, which is not what is raced for and takes a third of the time.
            item = pod(f"{name}-{number}", steps[-1], initContainers=steps[:-1], hostNetwork=True, **spec)
            space.create(item)
            running.append(f"{name}-{number}")
        current = running.pop(0)
        item = space.wait(current, "ended or refused", lambda item: item and is_over(item), 60)
        states = [entry.get("state", {}) for entry in entries(item)]
        succeeded = sum(state.get("terminated", {}).get("exitCode") == 0 for state in states)
        trouble = [text for text in map(trouble_of, states) if text]
        if succeeded + len(trouble) == 0:
            raise Failure(f"{current}: nothing was started: {item['status']}")
        done += succeeded + len(trouble)
        troubles += trouble
        space.delete(current, grace=0)
    return done, troubles


def entries(item):
    status = item.get("status", {})
    return status.get("initContainerStatuses", []) + status.get("containerStatuses", [])


def is_over(item):
    return item.get("status", {}).get("phase") in ("Succeeded", "Failed") or any(
        trouble_of(entry.get("state", {})) for entry in entries(item))


def trouble_of(state):
    """Exit code, reason and message of a container that failed or is not started; None for any other."""
    ended, waits = state.get("terminated", {}), state.get("waiting", {})
    if ended.get("exitCode"):
        return f"{ended['exitCode']} {ended.get('reason')} {ended.get('message', '')}".strip()
    if waits.get("reason", "").endswith("Error"):
        return f"- {waits['reason']} {waits.get('message', '')}"
    return None
