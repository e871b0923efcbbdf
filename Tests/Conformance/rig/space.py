"""A namespace of its own for a case: what it makes there is removed after it."""

import json
import time
import urllib.parse

from rig.api import APIFailure
from rig.expectation import PATIENCE, WAITING, Failure, eventually


class Space:
    """One namespace of one node."""

    def __init__(self, node, name):
        self.node = node
        self.name = name
        self.api = node.api
        self.api.request(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )

    def path(self, plural, name=None, query=None):
        path = f"/api/v1/namespaces/{self.name}/{plural}" + (f"/{name}" if name else "")
        return path + (f"?{urllib.parse.urlencode(query)}" if query else "")

    def create(self, item):
        """Creates an object of core/v1 and returns it as stored."""
        plural = item["kind"].lower() + "s"
        return self.api.request("POST", self.path(plural), item)

    def pod(self, name):
        return self.api.get(self.path("pods", name))

    def delete(self, name, grace=None, plural="pods"):
        options = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        return self.api.request("DELETE", self.path(plural, name), options)

    def wait(self, name, what, predicate, seconds=20):
        """Watches the pod until the predicate holds for it, and returns it; predicate(None): it is gone."""
        seconds *= WAITING
        deadline = time.monotonic() + seconds
        query = {"fieldSelector": f"metadata.name={name}"}
        last = None
        while time.monotonic() < deadline:
            try:
                listed = self.api.get(self.path("pods", query=query))
                last = listed["items"][0] if listed["items"] else None
                if predicate(last):
                    return last
                version = listed["metadata"]["resourceVersion"]
                for kind, item in self.api.watch(self.path("pods"), query, version, deadline - time.monotonic()):
                    if kind in ("BOOKMARK", "ERROR"):
                        continue
                    last = None if kind == "DELETED" else item
                    if predicate(last):
                        return last
            except OSError:
                # The endpoint is down for a moment in cases that kill it; a dead one is told by the deadline.
                time.sleep(0.05)
        raise Failure(f"pod {name}: {what}: not within {seconds:g} s; {self.describe(name, last)}")

    def wait_phase(self, name, phase, seconds=20):
        return self.wait(
            name, f"phase {phase}", lambda pod: pod and pod.get("status", {}).get("phase") == phase, seconds
        )

    def wait_ready(self, name, seconds=20):
        return self.wait(name, "Ready", lambda pod: pod and condition(pod, "Ready") == "True", seconds)

    def wait_gone(self, name, seconds=20):
        self.wait(name, "gone", lambda pod: pod is None, seconds)

    def wait_waiting(self, name, reasons, seconds=20):
        """Until the first container waits for one of the reasons; returns its state's "waiting"."""
        reasons = (reasons,) if isinstance(reasons, str) else reasons

        def found(pod):
            return waiting(pod).get("reason") in reasons

        return waiting(self.wait(name, f"waiting with {' or '.join(reasons)}", found, seconds))

    def events(self, name):
        listed = self.api.get(self.path("events", query={"fieldSelector": f"involvedObject.name={name}"}))
        return [(item["reason"], item.get("message", "")) for item in listed["items"]]

    def wait_event(self, name, reason, seconds=20):
        """The message of the pod's event with this reason, which may be written a moment after what it tells of."""
        return eventually(
            f"event {reason} of {name}",
            lambda: [text for found, text in self.events(name) if found == reason] or None,
            seconds,
            0.1,
        )[0]

    def log(self, name, container=None, **query):
        if container:
            query["container"] = container
        return self.api.text(self.path("pods", f"{name}/log", query) if query else self.path("pods", f"{name}/log"))

    def finished_log(self, name, phase="Succeeded", seconds=20):
        """Waits for the pod's end and returns its log."""
        self.wait_phase(name, phase, seconds)
        return self.log(name)

    def describe(self, name, pod):
        """Status and events in one line, for a failure's message."""
        try:
            events = "; ".join(f"{reason}: {message}" for reason, message in self.events(name))
        except (OSError, Failure) as error:
            events = f"no events: {error}"
        return f"status {json.dumps((pod or {}).get('status'))[:1500]}; events {events[:1500]}"

    def clear(self):
        """Removes every pod at once, after those who would make new ones, then the namespace."""
        for group, plural in (("batch", "jobs"), ("apps", "deployments"), ("apps", "replicasets")):
            self.api.request("DELETE", f"/apis/{group}/v1/namespaces/{self.name}/{plural}")
        for item in self.api.get(self.path("pods"))["items"]:
            try:
                self.delete(item["metadata"]["name"], grace=0)
            except APIFailure as failure:
                if failure.status != 404:
                    raise
        eventually("the namespace's pods go", lambda: not self.api.get(self.path("pods"))["items"], 15)
        # Thousands of events of a race are deleted one by one.
        self.api.request("DELETE", f"/api/v1/namespaces/{self.name}", timeout=300 * PATIENCE)


def node_uid(item):
    """What the node calls a pod: a mirror is an object of its own, with a uid that no process knows."""
    return item["metadata"].get("annotations", {}).get("kubernetes.io/config.mirror", item["metadata"]["uid"])


def condition(pod, kind):
    """The status of a pod's condition, or None."""
    found = [item["status"] for item in pod.get("status", {}).get("conditions", []) if item["type"] == kind]
    return found[0] if found else None


def since(pod, kind):
    """When a pod's condition last changed, or None: tells that it has changed and come back, which nobody need have seen."""
    found = [item["lastTransitionTime"] for item in pod.get("status", {}).get("conditions", []) if item["type"] == kind]
    return found[0] if found else None


def container_status(pod, name=None):
    """The status of the container so named, or of the first; empty when there is none yet."""
    statuses = (pod or {}).get("status", {}).get("containerStatuses", [])
    return next((item for item in statuses if name in (None, item["name"])), {})


def waiting(pod):
    """Why the first container waits; empty when it does not."""
    return container_status(pod).get("state", {}).get("waiting", {})


def terminated(pod, name=None):
    """How the container ended, now or the last time; empty when it never did."""
    status = container_status(pod, name)
    return status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
