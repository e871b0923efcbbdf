"""What people do with kubectl."""

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.pods import idle, pod, shell


@case("kubectl get shows pods, wide and narrow, and the node")
def get(kubectl, space, node):
    kubectl("create", "-f", "-", given=pod("plain", idle()))
    ready = space.wait_ready("plain")
    header, row = kubectl("get", "pods").splitlines()
    expect_equal(header.split(), ["NAME", "READY", "STATUS", "RESTARTS", "AGE"], "header of get pods")
    expect_equal(row.split()[:4], ["plain", "1/1", "Running", "0"], "row of get pods")
    wide = kubectl("get", "pod", "plain", "-o", "wide").splitlines()[1].split()
    expect(ready["status"]["podIP"] in wide and node.name in wide, f"get -o wide shows address and node: {wide}")
    expect_contains(kubectl("get", "nodes"), "Ready", "get nodes")
    expect_equal(kubectl("get", "pod", "plain", "-o", "jsonpath={.status.phase}"), "Running", "jsonpath")
    expect_contains(kubectl("get", "pods", "-l", "app=plain", "-o", "name"), "pod/plain", "by label")
    expect_equal(kubectl("get", "pods", "-l", "app=other", "-o", "name"), "", "by another label")
    expect_contains(kubectl.refused("get", "pod", "absent"), 'pods "absent" not found', "an absent pod")


@case("kubectl describe tells a pod's containers, conditions and events")
def describe(kubectl, space):
    kubectl("create", "-f", "-", given=pod("told", idle()))
    space.wait_ready("told")
    for reason in ("Scheduled", "Created", "Started"):
        space.wait_event("told", reason)
    text = kubectl("describe", "pod", "told")
    for part in ("Status:", "host:///", "Running", "PodScheduled", "Scheduled", "Created", "Started"):
        expect_contains(text, part, "describe pod")
    expect_contains(kubectl("describe", "nodes"), "Allocatable", "describe nodes")


@case("kubectl apply creates, leaves alone and changes")
def apply(kubectl, space):
    item = pod("applied", idle())
    expect_contains(kubectl("apply", "-f", "-", given=item), "created", "first apply")
    space.wait_ready("applied")
    expect_contains(kubectl("apply", "-f", "-", given=item), "unchanged", "second apply")
    item["metadata"]["labels"]["color"] = "green"
    expect_contains(kubectl("apply", "-f", "-", given=item), "configured", "apply of a change")
    changed = space.pod("applied")
    expect_equal(changed["metadata"]["labels"].get("color"), "green", "the label")
    expect_equal(changed["status"]["containerStatuses"][0]["restartCount"], 0, "restarts after a label")
    item["spec"]["containers"][0]["command"] = ["true"]
    expect_contains(kubectl.refused("apply", "-f", "-", given=item), "Forbidden", "a change that no pod allows")


@case("kubectl create refuses what exists, and kubectl delete removes it")
def create_and_delete(kubectl, space):
    kubectl("create", "-f", "-", given=pod("once", idle()))
    expect_contains(
        kubectl.refused("create", "-f", "-", given=pod("once", idle())), "AlreadyExists", "the second create"
    )
    space.wait_ready("once")
    expect_contains(kubectl("delete", "pod", "once"), "deleted", "delete")
    expect_contains(kubectl.refused("get", "pod", "once"), "not found", "get after delete")
    kubectl("create", "configmap", "settings", "--from-literal=color=blue")
    expect_contains(kubectl("get", "configmap", "settings", "-o", "yaml"), "color: blue", "the ConfigMap")
    kubectl("create", "secret", "generic", "token", "--from-literal=value=hidden")
    expect_contains(kubectl("get", "secret", "token"), "Opaque", "the Secret")
    expect_contains(kubectl("delete", "configmap/settings", "secret/token"), "deleted", "delete of two")


@case("kubectl logs shows both streams, the tail, and follows to the end")
def logs(kubectl, space):
    script = "echo one; echo two >&2; until test -e /go/on; do sleep 0.05; done; echo three; printf four"
    gate = space.node.directory / f"gate-{space.name}"
    gate.mkdir()
    kubectl(
        "create",
        "-f",
        "-",
        given=pod(
            "speaker",
            shell(script, volumeMounts=[{"name": "gate", "mountPath": "/go"}]),
            volumes=[{"name": "gate", "hostPath": {"path": str(gate)}}],
        ),
    )
    space.wait_ready("speaker")
    with Follower(kubectl.follow("logs", "-f", "speaker")) as follower:
        follower.until("the second line", lambda line: line == "two")
        (gate / "on").touch()
        expect_equal(follower.rest(), ["one", "two", "three", "four"], "logs -f")
        expect_equal(follower.process.wait(10), 0, "exit of logs -f")
    space.wait_phase("speaker", "Succeeded")
    expect_equal(kubectl("logs", "speaker", "--tail", "2"), "three\nfour", "the tail")
    stamped = kubectl("logs", "speaker", "--timestamps").splitlines()[0]
    expect(stamped[:2] == "20" and stamped.endswith("Z one"), f"a line with its time: {stamped}")
    expect_contains(kubectl.refused("logs", "speaker", "-c", "absent"), "absent", "logs of an absent container")


@case("kubectl get -w shows a pod come and go")
def get_and_watch(kubectl, space):
    with Follower(kubectl.follow("get", "pods", "-w")) as follower:
        kubectl("create", "-f", "-", given=pod("seen", idle()))
        follower.until("the pod runs", lambda line: line.split()[:3] == ["seen", "1/1", "Running"])
        kubectl("delete", "pod", "seen", "--wait=false")
        follower.until("the pod terminates", lambda line: line.split()[:1] == ["seen"] and "Terminating" in line)
    space.wait_gone("seen")
