"""Deaths of the agent at a chosen system call: strace kills it before the call is made."""

import pathlib
import re
import shutil
import subprocess
import time

from rig.expectation import Skipped, eventually
from rig.node import is_zombie

LINE = re.compile(r"^\d+ +(\w+)\((.*)")


class Death:
    """An agent that dies when one of its threads is about to make its n-th call of this kind.

    `about`: only calls that name one of these paths count, or are made relative to one of them.
    """

    def __init__(self, node, directory, call, number=1, about=()):
        if shutil.which("strace") is None:
            raise Skipped("strace is not installed")
        self.node, self.call = node, call
        self.ended_at = None
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
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def happened(self):
        """Now and then strace waits for the first thread of the dead process, which cannot go before strace has collected the
        others: for ever. Without strace the kernel lets go of them."""
        agent = self.node.process
        if agent.poll() is None and is_zombie(pathlib.Path(f"/proc/{agent.pid}")):
            self.ended_at = self.ended_at or time.monotonic()
            if time.monotonic() - self.ended_at > 2:
                self.process.kill()
        return agent.poll() is not None

    def call_it_died_at(self):
        """The last call of this kind, as strace shows it."""
        calls = (match.groups() for match in map(LINE.match, self.log.read_text(errors="replace").splitlines()) if match)
        return next((rest for name, rest in reversed(list(calls)) if name == self.call), "")
