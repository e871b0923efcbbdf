"""Hooks, sidecars, ephemeral containers, deadlines and last words."""

import time

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell
from rig.space import container_status, terminated

SHARED = [{"name": "shared", "mountPath": "/shared"}]
VOLUMES = [{"name": "shared", "emptyDir": {}}]


def host_directory(space):
    directory = space.node.directory / f"shared-{space.name}"
    directory.mkdir()
    return directory, [{"name": "shared", "hostPath": {"path": str(directory)}}]


def hook(script):
    return {"exec": {"command": ["/bin/sh", "-c", script]}}


@case("postStart runs before the container counts as started, preStop before it is told to end")
def hooks(space):
    directory, volumes = host_directory(space)
    script = "trap 'echo term >>/shared/log; exit 0' TERM; echo main >>/shared/log; sleep 100000 & wait"
    lifecycle = {
        "postStart": hook("sleep 0.5; echo started >>/shared/log"),
        "preStop": hook("sleep 0.5; echo stopping >>/shared/log"),
    }
    space.create(
        pod(
            "hooked", shell(script, lifecycle=lifecycle, volumeMounts=SHARED), volumes=volumes,
            terminationGracePeriodSeconds=20))
    space.wait_ready("hooked")
    expect_contains((directory / "log").read_text(), "started", "postStart has run when the pod is ready")
    began = time.monotonic()
    space.delete("hooked")
    space.wait_gone("hooked")
    expect(time.monotonic() - began < 10, "a container that ends on SIGTERM does not use up its grace")
    expect_equal((directory / "log").read_text().split()[-2:], ["stopping", "term"], "the order of the end")


@case("a postStart hook that fails kills the container, with event and reason")
def failed_post_start(space):
    space.create(pod("unhooked", idle(lifecycle={"postStart": hook("echo secret; exit 3")}), restartPolicy="Always"))
    text = space.wait_event("unhooked", "FailedPostStartHook")
    expect("secret" not in text, f"the event shows what the hook wrote: {text}")
    space.wait("unhooked", "restarted", lambda item: container_status(item).get("restartCount", 0) >= 1, 30)


@case("a preStop hook uses up the grace, and no more: then the container is killed")
def slow_pre_stop(space):
    space.create(pod("slow", idle(lifecycle={"preStop": {"sleep": {"seconds": 60}}}), terminationGracePeriodSeconds=60))
    uid = space.wait_ready("slow")["metadata"]["uid"]
    space.delete("slow")
    space.wait("slow", "terminating", lambda item: item and item["metadata"].get("deletionTimestamp"))
    time.sleep(0.5)
    expect(space.node.pod_processes(uid), "the container runs while its hook does")
    began = time.monotonic()
    space.delete("slow", grace=1)
    space.wait_gone("slow", 15)
    expect(time.monotonic() - began < 8, "a shorter grace cuts the hook short")
    expect_equal(space.node.pod_processes(uid), set(), "processes when the object is gone")


@case("a sidecar starts before the containers, outlives them, and does not keep the pod from ending")
def sidecar(space):
    directory, volumes = host_directory(space)

    def said(words):
        return f"echo {words} >>/shared/log"

    side = shell(
        f"trap '{said('side-end')}; exit 0' TERM; {said('side')}; sleep 100000 & wait", "side", restartPolicy="Always",
        startupProbe={"exec": {"command": ["grep", "side", "/shared/log"]}, "periodSeconds": 1}, volumeMounts=SHARED)
    last = shell(said("init"), "init", volumeMounts=SHARED)
    main = shell(f"{said('main')}; sleep 0.5; {said('main-end')}", volumeMounts=SHARED)
    space.create(pod("team", main, initContainers=[side, last], volumes=volumes, terminationGracePeriodSeconds=10))
    ended = space.wait_phase("team", "Succeeded", 30)
    expect_equal(
        (directory / "log").read_text().split(), ["side", "init", "main", "main-end", "side-end"], "the order")
    expect_equal(
        [item["name"] for item in ended["status"]["initContainerStatuses"]], ["side", "init"], "init statuses")


@case("when a pod with sidecars is deleted they end last, in reverse order")
def sidecar_order(space):
    directory, volumes = host_directory(space)

    def runs(name, **fields):
        script = f"trap 'sleep 0.3; echo {name} >>/shared/log; exit 0' TERM; echo ready; sleep 100000 & wait"
        return shell(script, name, volumeMounts=SHARED, **fields)

    space.create(
        pod(
            "ordered", runs("main"), volumes=volumes, terminationGracePeriodSeconds=20,
            initContainers=[runs("first", restartPolicy="Always"), runs("second", restartPolicy="Always")]))
    space.wait_ready("ordered")
    for name in ("main", "first", "second"):
        eventually(f"{name} can be told to end", lambda name=name: "ready" in space.log("ordered", name))
    space.delete("ordered")
    space.wait_gone("ordered", 25)
    expect_equal((directory / "log").read_text().split(), ["main", "second", "first"], "the order of the ends")


@case("a sidecar that dies is restarted, even in a pod that never restarts")
def sidecar_restart(space):
    side = shell("sleep 0.5; exit 1", "side", restartPolicy="Always")
    space.create(pod("held", idle(), initContainers=[side]))

    def restarted(item):
        statuses = (item or {}).get("status", {}).get("initContainerStatuses", [])
        return any(status.get("restartCount", 0) >= 1 for status in statuses)

    again = space.wait("held", "sidecar restarted", restarted, 20)
    expect_equal(container_status(again)["restartCount"], 0, "restarts of the other container")


@case("kubectl debug adds an ephemeral container that sees its target's processes")
def ephemeral(kubectl, space):
    space.create(pod("subject", idle()))
    space.wait_ready("subject")
    debugger = {
        "name": "debugger", "image": "host:///", "targetContainerName": "main",
        "command": ["/bin/sh", "-c", "tr '\\0' ' ' </proc/1/cmdline; echo; exit 4"]}
    patch = {"spec": {"ephemeralContainers": [debugger]}}
    space.api.request(
        "PATCH", space.path("pods", "subject/ephemeralcontainers"), patch,
        content_type="application/strategic-merge-patch+json")

    def ended(item):
        statuses = (item or {}).get("status", {}).get("ephemeralContainerStatuses", [])
        return statuses and statuses[0].get("state", {}).get("terminated")

    after = space.wait("subject", "the ephemeral container has ended", ended)
    status = after["status"]["ephemeralContainerStatuses"][0]
    expect_equal(status["state"]["terminated"]["exitCode"], 4, "its exit code")
    expect_contains(space.log("subject", "debugger"), "sleep 100000", "process 1 as it sees it")
    expect_equal(container_status(after)["ready"], True, "the pod is as ready as before")
    expect_equal(after["status"]["phase"], "Running", "phase")


@case("a container's last words reach its status: from the file, or else from its log")
def last_words(space):
    space.create(pod("writer", shell("echo from the file >/dev/termination-log; exit 1")))
    expect_equal(
        terminated(space.wait_phase("writer", "Failed")).get("message"), "from the file\n", "the file's words")
    space.create(pod("logger", shell("echo noise; echo from the log; exit 1",
                                     terminationMessagePolicy="FallbackToLogsOnError")))
    expect_contains(terminated(space.wait_phase("logger", "Failed")).get("message", ""), "from the log", "the log's")
    space.create(pod("silent", shell("echo words; exit 1")))
    expect_equal(terminated(space.wait_phase("silent", "Failed")).get("message"), None, "no words asked for")
    space.create(pod("long", shell("yes 0123456789 | head -c 20000 >/dev/termination-log; exit 0")))
    message = terminated(space.wait_phase("long", "Succeeded")).get("message", "")
    expect_equal(len(message), 4096, "length of long words")
    space.create(pod("link", shell("rm -f /dev/termination-log; ln -s /etc/shadow /dev/termination-log; exit 0")))
    ended = terminated(space.wait("link", "ended", lambda item: terminated(item)))
    expect("root:" not in ended.get("message", ""), "a link in place of the file leads nowhere")


@case("activeDeadlineSeconds ends a pod as Failed, DeadlineExceeded")
def deadline(space):
    space.create(pod("limited", idle(), activeDeadlineSeconds=2, restartPolicy="Always"))
    failed = space.wait_phase("limited", "Failed", 20)
    expect_equal(failed["status"].get("reason"), "DeadlineExceeded", "reason")
    eventually("nothing runs", lambda: not space.node.pod_processes(failed["metadata"]["uid"]))


@case("container restart rules overrule the pod's policy by exit code")
def restart_rules(space):
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    script = "test -e /shared/once && exit 0; touch /shared/once; exit 42"
    space.create(
        pod(
            "ruled", shell(script, restartPolicy="Never", restartPolicyRules=rules, volumeMounts=SHARED),
            volumes=VOLUMES))
    status = container_status(space.wait_phase("ruled", "Succeeded", 30))
    expect_equal(status["restartCount"], 1, "restarts")
    space.create(pod("unruled", shell("exit 41", restartPolicy="Never", restartPolicyRules=rules)))
    expect_equal(container_status(space.wait_phase("unruled", "Failed"))["restartCount"], 0, "restarts by no rule")
