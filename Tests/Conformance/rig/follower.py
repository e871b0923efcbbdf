"""Reads the lines of a process as they come, with a limit on the wait for each."""

import queue
import threading
import time

from rig.expectation import Failure


class Follower:
    """Owns a process that prints until it is ended; use with `with`."""

    def __init__(self, process):
        self.process = process
        self.seen = []
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def until(self, what, predicate, seconds=20):
        """The first line from here on for which the predicate holds; fails when the output ends before."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise Failure(f"{what}: not within {seconds:g} s; seen {self.seen}") from None
            if line is None:
                raise Failure(f"{what}: the output ended; seen {self.seen}")
            self.seen.append(line)
            if predicate(line):
                return line

    def rest(self, seconds=20):
        """All lines until the process closes its output by itself."""
        try:
            while (line := self._lines.get(timeout=seconds)) is not None:
                self.seen.append(line)
        except queue.Empty:
            raise Failure(f"the output does not end within {seconds:g} s; seen {self.seen}") from None
        return self.seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()
