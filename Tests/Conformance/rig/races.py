"""Many starts of containers while somebody else changes what they are started with."""

import os
import time

from rig.expectation import PATIENCE, Failure
from rig.pods import pod

# How often a race is run. In CI 1,000; on demand 10,000 (Tests/Conformance/run --rounds).
ROUNDS = int(os.environ.get("SWIFTLET_CONFORMANCE_ROUNDS", "1000"))
# Containers of one pod, which start beside each other: one that is refused holds up no other.
STARTS = 40
# Pods at a time.
PARALLEL = 2


def starts(space, name, container, rounds, seconds=60, **spec):
    """Starts the container so often, or until the time is over; returns how often, and what was said of those starts that
    did not end with 0."""
    troubles, done, number, running = [], 0, 0, []
    deadline = time.monotonic() + seconds * max(1, rounds / 1000) * PATIENCE
    while (done < rounds and time.monotonic() < deadline) or running:
        while (missing := rounds - done - STARTS * len(running)) > 0 and len(running) < PARALLEL:
            if time.monotonic() >= deadline:
                break
            number += 1
            crowd = [dict(container, name=f"step-{index}") for index in range(min(STARTS, missing))]
            # Without a network of their own, which is not what is raced for and takes a third of the time.
            space.create(pod(f"{name}-{number}", *crowd, hostNetwork=True, **spec))
            running.append(f"{name}-{number}")
        current = running.pop(0)
        item = space.wait(current, "ended or refused", lambda item: item and is_over(item), 60)
        outcomes = [trouble_of(entry.get("state", {})) for entry in entries(item)]
        if not outcomes:
            raise Failure(f"{current}: nothing was started: {item['status']}")
        done += len(outcomes)
        troubles += [text for text in outcomes if text]
        space.delete(current, grace=0)
    return done, troubles


def entries(item):
    return item.get("status", {}).get("containerStatuses", [])


def is_over(item):
    """Whether every container of the pod has ended, or is said not to start."""
    states = [entry.get("state", {}) for entry in entries(item)]
    return item.get("status", {}).get("phase") == "Failed" or bool(states) and all(
        "terminated" in state or trouble_of(state) for state in states)


def trouble_of(state):
    """Exit code, reason and message of a container that failed or is not started; None for any other."""
    ended, waits = state.get("terminated", {}), state.get("waiting", {})
    if ended.get("exitCode"):
        return f"{ended['exitCode']} {ended.get('reason')} {ended.get('message', '')}".strip()
    if waits.get("reason", "").endswith("Error"):
        return f"- {waits['reason']} {waits.get('message', '')}"
    return None
