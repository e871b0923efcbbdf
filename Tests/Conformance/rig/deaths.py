"""Deaths of the agent at a chosen system call: strace kills it before the call is made."""

import re
import shutil
import subprocess

from rig.expectation import Skipped, eventually

LINE = re.compile(r"^\d+ +(\w+)\((.*)")


class Death:
    """An agent that dies when one of its threads is about to make its n-th call of this kind.

    `about`: only calls that name one of these paths count, or are made relative to one of them.
    """

    def __init__(self, node, directory, call, number=1, about=()):
        if shutil.which("strace") is None:
            raise Skipped("strace is not installed")
        self.node, self.call = node, call
        self.log, errors = directory / "calls", directory / "errors"
        with open(errors, "wb") as output:
            self.process = subprocess.Popen(
                ["strace", "-f", "-y", "-s", "300", "-o", str(self.log), "-e", f"trace={call}", "-e", "signal=none",
                 "-e", f"inject={call}:signal=KILL:when={number}", *(f"-P{path}" for path in about),
                 "-p", str(node.process.pid)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        eventually("strace holds the agent", lambda: "attached" in errors.read_text(), 10, 0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Whom it traces lives on, if the call did not come.
        self.process.terminate()
        self.process.wait()

    @property
    def happened(self):
        return self.node.process.poll() is not None

    def call_it_died_at(self):
        """The last call of this kind, as strace shows it."""
        calls = (match.groups() for match in map(LINE.match, self.log.read_text(errors="replace").splitlines()) if match)
        return next((rest for name, rest in reversed(list(calls)) if name == self.call), "")
