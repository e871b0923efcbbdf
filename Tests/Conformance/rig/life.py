"""A pod with a log outside, in which its containers and hooks write what they do, and gates at which they wait."""
from rig.expectation import eventually
from rig.pods import pod, shell

MOUNT = [{"name": "life", "mountPath": "/life"}]
UNTIL_TOLD = "sleep 100000 & wait"

def says(words):
    return f"echo {words} >>/life/log; "


def waits(gate):
    return f"until test -e /life/{gate}; do sleep 0.02; done; "


def hook(script):
    return {"exec": {"command": ["/bin/sh", "-c", script]}}


def speaker(script, name="main", **fields):
    """A container that sees the log. It needs a shell and sleep only."""
    return shell(script, name, volumeMounts=MOUNT, **fields)


def steady(name="main", before="", **fields):
    """A container that says when it begins and when it is told to end."""
    return speaker(f"trap '{says('end')}exit 0' TERM; {says('begin')}{before}{UNTIL_TOLD}", name, **fields)


class Life:
    """The outside of one such pod."""

    def __init__(self, directory, name, *containers, **spec):
        self.name = name
        self.place = directory / name
        self.place.mkdir()
        self.pod = pod(
            name, *containers,
            **dict(
                {"restartPolicy": "Always", "terminationGracePeriodSeconds": 20,
                 "volumes": [{"name": "life", "hostPath": {"path": str(self.place)}}]},
                **spec))

    def open(self, gate):
        (self.place / gate).touch()

    def lines(self):
        log = self.place / "log"
        return log.read_text().split() if log.exists() else []

    def said(self, words, seconds=20, times=1):
        """Waits until somebody has said so: who is ready need not have come to it yet."""
        eventually(f"{self.name} says {words}", lambda: self.lines().count(words) >= times, seconds, 0.002)
