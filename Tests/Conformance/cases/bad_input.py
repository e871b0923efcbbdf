"""Bad input: one clear error where its user looks, and harm to nothing else."""

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import config_map, idle, pod, shell
from rig.space import waiting


def changed(name, container=None, **spec):
    """A sound pod with fields put into its spec or its container."""
    return pod(name, dict(idle(), **(container or {})), **spec)


@case("kubectl tells of an unknown field")
def unknown_field(kubectl, space):
    item = changed("odd", {"imagePullPolice": "Never"})
    # The old client checks against the published schema itself; the new one asks the server to.
    error = kubectl.refused("create", "--validate=true", "-f", "-", given=item)
    expect_contains(error, "imagePullPolice", "the error")
    expect_equal(space.api.get(space.path("pods"))["items"], [], "pods after it")
    if kubectl.is_new:
        result = kubectl.run("create", "--validate=warn", "-f", "-", given=item)
        expect_equal(result.returncode, 0, f"create with a warning: {result.stderr}")
        expect_contains(result.stderr, 'unknown field "spec.containers[0].imagePullPolice"', "the warning")


WRONG = {
    "a text for a number": (changed("w", terminationGracePeriodSeconds="soon"), "terminationGracePeriodSeconds"),
    "an object for a list": (changed("w", containers={"name": "main"}), "containers"),
    "a negative quantity": (changed("w", {"resources": {"limits": {"memory": "-5Mi"}}}), "limits[memory]"),
    "a quantity that is none": (changed("w", {"resources": {"limits": {"cpu": "much"}}}), "quantit"),
    "an overflowing quantity": (changed("w", {"resources": {"limits": {"memory": "9" * 60 + "Ei0"}}}), "quantit"),
    "a request above its limit": (
        changed("w", {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}),
        "less than or equal to cpu limit",
    ),
    "no container": (pod("w"), "spec.containers"),
    "a container without a name": (changed("w", {"name": ""}), "spec.containers[0].name"),
    "two containers of one name": (pod("w", idle(), idle()), "Duplicate value"),
    "a name with capitals": (changed("Wrong"), "metadata.name"),
    "an unknown restart policy": (changed("w", restartPolicy="Sometimes"), "restartPolicy"),
    "a mount of no volume": (
        changed("w", {"volumeMounts": [{"name": "none", "mountPath": "/x"}]}),
        "volumeMounts[0].name",
    ),
    "a hostPath with ..": (changed("w", volumes=[{"name": "v", "hostPath": {"path": "/a/../b"}}]), "hostPath.path"),
    "a port out of range": (changed("w", {"ports": [{"containerPort": 70000}]}), "containerPort"),
}


@case("kubectl shows the field of each wrong value, and nothing is stored")
def wrong_values(kubectl, space):
    problems = []
    for what, (item, words) in WRONG.items():
        result = kubectl.run("create", "--validate=false", "-f", "-", given=item)
        if result.returncode == 0:
            problems.append(f"{what}: accepted")
            kubectl.run("delete", "pod", item["metadata"]["name"], "--now")
        elif words not in result.stderr:
            problems.append(f"{what}: expected {words!r} in {result.stderr.strip()!r}")
    expect(not problems, "\n".join(problems))
    expect_equal(space.api.get(space.path("pods"))["items"], [], "pods after all")


@case("a huge quantity is stored and harms nothing")
def huge_quantity(space, node):
    space.create(changed("huge", {"resources": {"limits": {"memory": "9" * 30}, "requests": {"memory": "1Mi"}}}))
    space.wait(
        "huge", "decided", lambda item: item and item.get("status", {}).get("phase") in ("Running", "Failed", "Pending")
    )
    expect(node.is_ready(), "the node is not ready")


@case("a pod waits for its ConfigMap and key with a clear reason, and starts when they come")
def missing_config_map(space, kubectl):
    variable = {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "color"}}}
    space.create(pod("waiter", shell("echo $COLOR", env=[variable])))
    state = space.wait_waiting("waiter", "CreateContainerConfigError")
    expect_contains(state["message"], 'configmap "later" not found', "the message")
    expect_contains(kubectl("get", "pod", "waiter"), "CreateContainerConfigError", "get")
    space.create(config_map("later", other="x"))
    space.wait("waiter", "told of the key", lambda item: "color" in waiting(item).get("message", ""), 90)
    space.api.request(
        "PATCH", space.path("configmaps", "later"), {"data": {"color": "blue"}}, "application/merge-patch+json"
    )
    expect_equal(space.finished_log("waiter", seconds=90), "blue\n", "the log")


@case("a volume of a missing Secret is an event, and the pod starts when it comes")
def missing_secret(space):
    space.create(
        pod(
            "waiter",
            shell("cat /s/token", volumeMounts=[{"name": "s", "mountPath": "/s"}]),
            volumes=[{"name": "s", "secret": {"secretName": "later"}}],
        )
    )
    expect_contains(space.wait_event("waiter", "FailedMount"), "later", "the event")
    expect_equal(space.pod("waiter")["status"]["phase"], "Pending", "phase")
    space.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "later"}, "stringData": {"token": "here"}})
    expect_equal(space.finished_log("waiter", seconds=90), "here", "the log")


@case("an absent image is told in status and event")
def absent_image(space, kubectl):
    never = pod("never", {"name": "main", "image": "example.org/absent:1", "imagePullPolicy": "Never"})
    space.create(never)
    state = space.wait_waiting("never", "ErrImageNeverPull")
    expect_contains(state["message"], "example.org/absent:1", "the message")
    space.create(pod("pull", {"name": "main", "image": "example.org/absent:1", "imagePullPolicy": "IfNotPresent"}))
    state = space.wait_waiting("pull", ("ErrImagePull", "ImagePullBackOff"))
    expect_contains(state["message"], "example.org/absent:1", "the message")
    row = kubectl("get", "pod", "pull")
    expect("ErrImagePull" in row or "ImagePullBackOff" in row, f"get: {row}")
    space.create(pod("invalid", {"name": "main", "image": "UPPER//case"}))
    space.wait_waiting("invalid", "InvalidImageName")


@case("a command that does not exist is named in status and event")
def absent_command(space):
    space.create(pod("lost", {"name": "main", "image": "host:///", "command": ["/no/such/program"]}))
    failed = space.wait_phase("lost", "Failed")
    ended = failed["status"]["containerStatuses"][0]["state"]["terminated"]
    expect(ended["reason"] in ("StartError", "ContainerCannotRun"), f"reason: {ended}")
    expect_contains(ended["message"], "/no/such/program", "the message")
    expect_equal(ended["exitCode"], 127 if ended["reason"] == "ContainerCannotRun" else 128, "exit code")
    expect_contains(space.wait_event("lost", "Failed"), "/no/such/program", "the event")
    space.create(pod("denied", {"name": "main", "image": "host:///", "command": ["/etc/passwd"]}))
    message = space.wait_phase("denied", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
    expect_contains(message, "/etc/passwd", "the message")


@case("fields that are not carried out are refused by name")
def unsupported(space, kubectl):
    for number, (container, spec, field) in enumerate(
        (
            ({"ports": [{"containerPort": 80, "hostPort": 8080}]}, {}, "hostPort"),
            ({}, {"runtimeClassName": "kata"}, "runtimeClassName"),
        )
    ):
        name = f"refused-{number}"
        space.create(changed(name, container, **spec))
        status = space.wait_phase(name, "Failed")["status"]
        expect_equal(status.get("reason"), "PodFeatureUnsupported", f"reason for {field}")
        expect_contains(status.get("message", ""), field, "the message")
        expect_contains(kubectl("describe", "pod", name), field, "describe")
