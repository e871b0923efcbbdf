"""Probes: what a container's own answers do to its pod."""

import time

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell, web_server
from rig.space import condition, container_status, terminated

# A process answers SIGTERM at once, so that a kill by a probe does not wait for the grace period.
TERM = "trap 'exit 0' TERM; "


def gate_volume(space):
    """A directory shared with the host: the case opens and closes gates in it."""
    directory = space.node.directory / f"gates-{space.name}"
    directory.mkdir()
    volume = [{"name": "gate", "hostPath": {"path": str(directory)}}]
    return directory, volume, [{"name": "gate", "mountPath": "/gate"}]


@case("readiness follows an exec probe up and down, the container runs on")
def readiness(space):
    gate, volumes, mounts = gate_volume(space)
    probe = {"exec": {"command": ["test", "-e", "/gate/open"]}, "periodSeconds": 1, "failureThreshold": 1}
    space.create(pod("door", idle(readinessProbe=probe, volumeMounts=mounts), volumes=volumes))
    closed = space.wait("door", "running", lambda item: container_status(item).get("state", {}).get("running"))
    expect_equal(container_status(closed)["ready"], False, "ready before the first success")
    expect_equal(container_status(closed)["started"], True, "started without a startup probe")
    expect_contains(space.wait_event("door", "Unhealthy"), "Readiness probe failed", "the event")
    (gate / "open").touch()
    space.wait_ready("door")
    (gate / "open").unlink()
    shut = space.wait("door", "not ready", lambda item: condition(item, "Ready") == "False")
    messages = [item.get("message") for item in shut["status"]["conditions"] if item["type"] == "ContainersReady"]
    expect_equal(messages, ["containers with unready status: [main]"], "message of ContainersReady")
    expect_equal(container_status(shut)["restartCount"], 0, "restarts")


@case("a liveness probe that fails restarts the container in place: same address, same volumes")
def liveness(space):
    probe = {"exec": {"command": ["test", "!", "-e", "/shared/sick"]}, "periodSeconds": 1, "failureThreshold": 1}
    script = TERM + "test -e /shared/sick && { rm /shared/sick; sleep 100000 & wait; }; sleep 1; touch /shared/sick; sleep 100000 & wait"
    space.create(
        pod(
            "patient",
            shell(script, livenessProbe=probe, volumeMounts=[{"name": "shared", "mountPath": "/shared"}]),
            restartPolicy="Always",
            volumes=[{"name": "shared", "emptyDir": {}}],
        )
    )
    before = space.wait_ready("patient")
    again = space.wait(
        "patient", "restarted", lambda item: container_status(item).get("restartCount") == 1 and
        container_status(item)["state"].get("running"), 30)
    expect_equal(again["status"]["podIP"], before["status"]["podIP"], "the address")
    expect_contains(space.wait_event("patient", "Unhealthy"), "Liveness probe failed", "the event")
    killing = space.wait_event("patient", "Killing")
    expect_equal(killing, "Container main failed liveness probe, will be restarted", "why it was killed")


@case("a startup probe holds the others back, and kills what does not start in time")
def startup(space):
    never = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    broken = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    space.create(pod("late", shell(TERM + "sleep 100000 & wait", startupProbe=never, livenessProbe=broken)))
    ended = space.wait("late", "killed", lambda item: terminated(item), 30)
    expect_equal(container_status(ended)["started"], False, "started")
    events = [text for reason, text in space.events("late") if reason == "Unhealthy"]
    expect(all("Startup probe failed" in text for text in events), f"only the startup probe ran: {events}")
    gate, volumes, mounts = gate_volume(space)
    opens = {"exec": {"command": ["test", "-e", "/gate/open"]}, "periodSeconds": 1, "failureThreshold": 60}
    space.create(pod("slow", idle(startupProbe=opens, volumeMounts=mounts), volumes=volumes))
    waits = space.wait("slow", "running", lambda item: container_status(item).get("state", {}).get("running"))
    expect_equal((container_status(waits)["started"], condition(waits, "Ready")), (False, "False"), "before it started")
    (gate / "open").touch()
    expect_equal(container_status(space.wait_ready("slow"))["started"], True, "started")


@case("httpGet and tcpSocket probes reach the pod by name and number of its ports")
def network_probes(space):
    web = web_server("fine")
    web["ports"] = [{"name": "http", "containerPort": 8080}]
    web["readinessProbe"] = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
    web["livenessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    space.create(pod("web", web))
    space.wait_ready("web")
    nobody = idle(readinessProbe={"httpGet": {"path": "/", "port": 8081}, "periodSeconds": 1})
    space.create(pod("deaf", nobody))
    text = space.wait_event("deaf", "Unhealthy")
    expect_contains(text, "Readiness probe failed", "the event")
    expect_contains(text, "connection refused", "the event")
    expect_equal(container_status(space.pod("web"))["restartCount"], 0, "restarts of the healthy one")


@case("an exec probe that hangs fails at its timeout, and leaves no process behind")
def hanging_probe(space):
    probe = {"exec": {"command": ["sleep", "31536000"]}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 1}
    space.create(pod("hung", idle(readinessProbe=probe)))
    text = space.wait_event("hung", "Unhealthy")
    expect_contains(text, "timed out", "the event")
    uid = space.pod("hung")["metadata"]["uid"]

    def probes():
        return [pid for pid in space.node.pod_processes(uid) if "31536000" in command(pid)]

    def command(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        expect(len(probes()) <= 1, "probes pile up")
        time.sleep(0.1)


@case("a readiness gate holds the pod until somebody sets its condition, which stays as it was set")
def readiness_gate(kubectl, space):
    space.create(pod("gated", idle(), readinessGates=[{"conditionType": "example.com/checked"}]))
    held = space.wait("gated", "containers ready", lambda item: condition(item, "ContainersReady") == "True")
    expect_equal(condition(held, "Ready"), "False", "Ready before")
    patch = {"status": {"conditions": [{"type": "example.com/checked", "status": "True"}]}}
    space.api.request(
        "PATCH", space.path("pods", "gated/status"), patch, content_type="application/strategic-merge-patch+json")
    ready = space.wait_ready("gated")
    expect_equal(condition(ready, "example.com/checked"), "True", "the foreign condition")


@case("the agent's death and return flap no readiness and start no probe anew")
def probes_survive(world):
    node = world.new_node("prober").start()
    space = world.space(node)
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "initialDelaySeconds": 0}
    space.create(pod("steady", idle(readinessProbe=probe, startupProbe=dict(probe, failureThreshold=5))))
    before = space.wait_ready("steady")
    since = [item["lastTransitionTime"] for item in before["status"]["conditions"] if item["type"] == "Ready"]
    node.kill()
    node.start()
    node.wait_ready()
    eventually("the agent reports", lambda: node.is_ready())
    time.sleep(3)
    after = space.pod("steady")
    expect_equal(condition(after, "Ready"), "True", "Ready")
    expect_equal(
        [item["lastTransitionTime"] for item in after["status"]["conditions"] if item["type"] == "Ready"], since,
        "when Ready changed last")
    expect_equal(container_status(after)["restartCount"], 0, "restarts")


@case("/metrics/probes counts what the probes found")
def probe_metrics(space):
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    space.create(pod("counted", idle(readinessProbe=probe)))
    space.wait_ready("counted")
    status, text = space.node.local("/metrics/probes")
    expect_equal(status, 200, "status of /metrics/probes")
    lines = [line for line in text.splitlines() if 'pod="counted"' in line and 'result="successful"' in line]
    expect(lines and float(lines[0].split()[-1]) >= 1, f"successful probes: {lines}")
