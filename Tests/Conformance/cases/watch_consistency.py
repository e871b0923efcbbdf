"""What clients see of an endpoint that is killed again and again: no gap, nothing twice, no way back in time."""

import threading
import time

from rig.api import API, APIFailure, Credentials
from rig.apart import Endpoint
from rig.case import case
from rig.expectation import eventually, expect, expect_equal

MAPS = "/api/v1/namespaces/default/configmaps"
KILLS = 4
NAMES = 12


def version(item):
    return int(item["metadata"]["resourceVersion"])


class Writer(threading.Thread):
    """Creates, changes and deletes objects, and keeps what was acknowledged."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api = api
        self.done = threading.Event()
        self.acknowledged = {}
        self.failure = None

    def run(self):
        number = 0
        try:
            while not self.done.is_set():
                number += 1
                name = f"m-{number * 7 % NAMES}"
                try:
                    self.write(name, number)
                except OSError:
                    # Nobody answers, or the answer is lost: what became of the write is for the next one to see.
                    time.sleep(0.02)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def write(self, name, number):
        body = {"metadata": {"name": name}, "data": {"number": str(number)}}
        try:
            if number % 5 == 0:
                # The answer to a deletion does not tell its version.
                self.api.request("DELETE", f"{MAPS}/{name}")
                return
            made = self.api.request("POST", MAPS, body)
        except APIFailure as refusal:
            if refusal.status == 404 or refusal.status == 503:
                return
            if refusal.status != 409:
                raise
            try:
                made = self.api.request("PUT", f"{MAPS}/{name}", body)
            except APIFailure as second:
                if second.status not in (404, 409, 503):
                    raise
                return
        self.acknowledged[version(made)] = number


class Watcher(threading.Thread):
    """Lists and watches as an informer does, and holds what it sees against the model."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api = api
        self.done = threading.Event()
        self.known = {}
        self.last = 0
        # Versions of events, and the ranges that a new list stepped over.
        self.seen = []
        self.skipped = []
        self.complaints = []

    def run(self):
        fresh = True
        while not self.done.is_set():
            try:
                if fresh:
                    self.list()
                    fresh = False
                fresh = self.follow()
            except (OSError, ValueError):
                # It is gone, maybe in the middle of a line.
                time.sleep(0.02)
            except APIFailure as refusal:
                if refusal.status != 410:
                    self.complaints.append(str(refusal))
                    return
                fresh = True

    def list(self):
        listed = self.api.get(MAPS)
        at = version(listed)
        if at < self.last:
            self.complaints.append(f"a list of {at} after {self.last}")
        for item in listed["items"]:
            name = item["metadata"]["name"]
            if version(item) > at or (name in self.known and version(item) < self.known[name]):
                self.complaints.append(f"the list of {at} has {name} of {version(item)}, known {self.known.get(name)}")
        self.skipped.append((self.last, at))
        self.known = {item["metadata"]["name"]: version(item) for item in listed["items"]}
        self.last = at

    def follow(self):
        """Whether a new list is needed."""
        for kind, item in self.api.watch(MAPS, {"allowWatchBookmarks": "true"}, str(self.last), 2):
            if kind == "ERROR":
                if item.get("code") != 410:
                    self.complaints.append(f"an error in a watch: {item}")
                return True
            at, name = version(item), item["metadata"].get("name")
            if at < self.last or (at == self.last and kind != "BOOKMARK"):
                self.complaints.append(f"{kind} {name} of {at} after {self.last}")
            self.last = at
            if kind == "BOOKMARK":
                continue
            self.seen.append(at)
            if (kind == "ADDED") == (name in self.known):
                self.complaints.append(f"{kind} of {name} at {at}, known at {self.known.get(name)}")
            if kind == "DELETED":
                self.known.pop(name, None)
            else:
                self.known[name] = at
        return False


@case(f"an endpoint killed {KILLS} times under load: no client misses a change, sees one twice or goes back in time")
def killed_endpoint(world):
    endpoint = Endpoint(world.binaries, world.temporary("watched") / "endpoint").start()
    try:
        api = API(Credentials(endpoint.kubeconfig, world.temporary("watched-credentials")))
        eventually("the namespace is there", lambda: api.exchange("GET", "/api/v1/namespaces/default")[0] == 200)
        writer, watchers = Writer(api), [Watcher(api) for _ in range(3)]
        for thread in (writer, *watchers):
            thread.start()
        for _ in range(KILLS):
            before = len(writer.acknowledged)
            eventually("writes are acknowledged", lambda: len(writer.acknowledged) >= before + 15 or writer.failure, 60)
            endpoint.kill()
            endpoint.start()
        before = len(writer.acknowledged)
        eventually("writes go on", lambda: len(writer.acknowledged) >= before + 15 or writer.failure, 60)
        writer.done.set()
        writer.join(60)
        expect(writer.failure is None, f"the writer: {writer.failure!r}")
        listed = api.get(MAPS)
        now = {item["metadata"]["name"]: version(item) for item in listed["items"]}
        for watcher in watchers:
            eventually("a watcher knows what there is", lambda: watcher.known == now or watcher.complaints, 30)
            watcher.done.set()
        for watcher in watchers:
            watcher.join(30)
            expect_equal(watcher.complaints, [], "what a watcher has to complain of")
            expect_equal(watcher.known, now, "what a watcher knows at the end")
            seen = set(watcher.seen)
            missed = [
                at for at in writer.acknowledged
                if at not in seen and not any(low < at <= high for low, high in watcher.skipped)
            ]
            expect_equal(missed, [], "acknowledged writes that a watcher did not see")
    finally:
        endpoint.kill()
