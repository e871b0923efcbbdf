"""The node's policy: what a pod may ask for is decided on the node, by source and namespace."""

import json
import os
import signal

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, mount, pod, shell
from rig.refusal import fails
from rig.space import waiting

NOTHING = "rules: []\n"


def write(node, text, mode=0o644):
    """As editors do: a new file that replaces the old one."""
    new = node.policy.with_name(".policy.new")
    new.write_text(text)
    new.chmod(mode)
    os.replace(new, node.policy)


def words(node, text):
    """Waits until the node's log has the text."""
    eventually(f"the node says {text!r}", lambda: text in node.output.read_text(errors="replace"), 10)


def secured(name, **context):
    return pod(name, idle(securityContext=context))


def with_path(name, path, read_only=None, **fields):
    return pod(
        name,
        idle(volumeMounts=[mount("v", "/v", **({} if read_only is None else {"readOnly": read_only}))]),
        volumes=[{"name": "v", "hostPath": dict({"path": path}, **fields)}],
    )


def refused(space, item, field):
    """The pod ends Failed and says why; returns the message."""
    space.create(item)
    name = item["metadata"]["name"]
    status = space.wait_phase(name, "Failed")["status"]
    expect_equal(status.get("reason"), "NodePolicy", f"reason of {name}")
    expect_contains(status.get("message", ""), field, f"message of {name}")
    expect(not status.get("containerStatuses", [{}])[0].get("containerID"), f"{name} got a container")
    return status["message"]


ASKED = {
    "privileged": (secured("privileged", privileged=True), "spec.containers[0].securityContext.privileged: true"),
    "host-pid": (pod("host-pid", idle(), hostPID=True), "spec.hostPID: true"),
    "host-ipc": (pod("host-ipc", idle(), hostIPC=True), "spec.hostIPC: true"),
    "capability": (
        secured("capability", capabilities={"add": ["SYS_ADMIN"]}),
        'spec.containers[0].securityContext.capabilities.add[0]: "SYS_ADMIN"',
    ),
    "all-capabilities": (
        secured("all-capabilities", capabilities={"add": ["ALL"]}),
        'spec.containers[0].securityContext.capabilities.add[0]: "ALL"',
    ),
    "proc-mount": (
        pod("proc-mount", idle(securityContext={"procMount": "Unmasked"}), hostUsers=False),
        'spec.containers[0].securityContext.procMount: "Unmasked"',
    ),
    "etc": (with_path("etc", "/etc"), 'spec.volumes[0].hostPath.path: "/etc"'),
    "docker": (
        with_path("docker", "/var/run/docker.sock", read_only=True), 'spec.volumes[0].hostPath.path: "/var/run/docker'),
    "init": (
        pod("init", idle(), initContainers=[shell("true", "first", securityContext={"privileged": True})]),
        "spec.initContainers[0].securityContext.privileged: true",
    ),
}


@case("what is dangerous is refused to pods of the API, with field, rule and remedy, and a rule per namespace allows it")
def defaults(world):
    node = world.new_node("policy", policy=NOTHING).start()
    space = world.space(node)
    for name, (item, text) in ASKED.items():
        message = refused(space, item, text)
        expect_contains(message, "by the built-in rule for source api", "the message")
        expect_contains(message, str(node.policy), "the message")
        for program in world.programs:
            shown = world.kubectl(space, program)("describe", "pod", name)
            expect_contains(shown, "NodePolicy", f"describe of {program.name}")
            expect_contains(shown, text, f"describe of {program.name}")
    log = [line for line in node.output.read_text().splitlines() if "pod was rejected" in line and "host-pid" in line]
    expect_equal(len(log), 1, f"lines of the refusal: {log}")
    for part in (space.name, "source=api", "spec.hostPID", "NodePolicy"):
        expect_contains(log[0], part, "the line of the refusal")
    # What ordinary applications ask for.
    place = world.temporary(f"policy-{space.name}")
    space.create(pod("public", idle(), hostNetwork=True))
    space.create(with_path("data", str(place)))
    space.create(with_path("zone", "/etc/localtime", read_only=True))
    space.create(with_path("shipper", "/var/log", read_only=True))
    space.create(secured("bound", capabilities={"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}))
    space.create(secured("free", seccompProfile={"type": "Unconfined"}))
    for name in ("public", "data", "zone", "shipper", "bound", "free"):
        space.wait_ready(name)
    # One namespace gets more, the other does not.
    other = world.space(node)
    write(node, f"rules:\n- name: ours\n  namespaces: [{other.name}]\n  allow: {{capabilities: [SYS_TIME]}}\n")
    words(node, "node policy read")
    other.create(secured("clock", capabilities={"add": ["SYS_TIME"]}))
    other.wait_ready("clock")
    refused(space, secured("clock", capabilities={"add": ["SYS_TIME"]}), '"SYS_TIME"')
    expect_contains(
        refused(other, secured("more", capabilities={"add": ["SYS_ADMIN"]}), '"SYS_ADMIN"'), 'rule "ours"', "message")
    node.stop_all()


@case("protected paths are refused to every source, through links and .. as well")
def protected(world):
    node = world.new_node("protected").start()
    space = world.space(node)
    place = world.temporary(f"links-{space.name}")
    for name, target in {"own": node.root, "proc": "/proc/sys", "root": "/", "magic": "/proc/1/root"}.items():
        (place / name).symlink_to(target)
    (place / "relative").symlink_to(os.path.relpath("/", place))
    paths = {
        "state": str(node.root), "below": f"{node.root}/pods", "above": str(node.directory), "run": str(node.run),
        "slashes": f"/./{node.root}//", "link": str(place / "own"), "linked-below": str(place / "own/images"),
        "linked-new": str(place / "own/new"), "proc-below": "/proc/sys", "linked-proc": str(place / "proc"),
        "linked-root": f"{place}/root/{str(node.root)[1:]}", "climbing": f"{place}/relative/proc/sys",
        "sys-below": "/sys/fs/cgroup",
    }
    for name, path in paths.items():
        refused(space, with_path(name, path, read_only=True), "spec.volumes[0].hostPath.path")
    (place / "dangling").symlink_to(node.run / "made")
    space.create(with_path("dangling", str(place / "dangling")))
    # A link of procfs leads into another mount namespace, where paths mean nothing.
    space.create(with_path("magic", f"{place}/magic/etc", read_only=True))
    for name in ("dangling", "magic"):
        space.wait_event(name, "FailedMount")
    expect(not (node.run / "made").exists(), "something was made behind a link")
    # Named by this node's rule, and only for reading.
    refused(space, with_path("all-of-it", "/", read_only=True), "/: readOnly")
    write(node, "rules:\n- {allow: {hostRootfs: true, hostPaths: {/: readOnly, /proc: readOnly}}}\n")
    words(node, "node policy read")
    refused(space, with_path("writer", "/"), "mount it with readOnly: true")
    space.create(with_path("reader", "/", read_only=True))
    space.wait_ready("reader")
    shown = world.kubectl(space).refused("apply", "-f", "-", given=with_path("dots", "/tmp/../proc"))
    expect_contains(shown, "hostPath.path", "a path with ..")
    # A manifest file is root's, and still does not get them. Its mirror says so.
    item = with_path("static", str(place / "own"), read_only=True)
    item["metadata"]["namespace"] = space.name
    file = node.manifests / "static.yaml"
    file.write_text(json.dumps(item))
    status = space.wait_phase(f"static-{node.name}", "Failed")["status"]
    expect_equal(status.get("reason"), "NodePolicy", "reason of the static pod")
    expect_contains(status["message"], f"it leads to {node.root}", "its message")
    node.stop_all()


@case("a link that is changed after the pod was taken leads to what it was, or nowhere")
def exchanged(world):
    node = world.new_node("exchanged", policy=NOTHING).start()
    space = world.space(node)
    place = world.temporary(f"exchanged-{space.name}")
    (place / "good").mkdir()
    (place / "good/word").write_text("good")
    (place / "link").symlink_to("good")
    script = "cat /v/word /v/shadow 2>&1; until test -e /g/on; do sleep 0.05; done; rm /g/on; exit 1"
    gate = place / "gate"
    gate.mkdir()
    space.create(
        pod(
            "reader", shell(script, volumeMounts=[mount("v", "/v"), mount("g", "/g")]), restartPolicy="Always",
            volumes=[
                {"name": "v", "hostPath": {"path": str(place / "link")}},
                {"name": "g", "hostPath": {"path": str(gate)}}]))
    space.wait_ready("reader")
    eventually("it reads through the link", lambda: "good" in space.log("reader"), 10)
    (place / "link").unlink()
    (place / "link").symlink_to("/etc")
    (gate / "on").touch()
    message = space.wait_waiting("reader", "NodePolicy")["message"]
    expect_contains(message, "it leads to /etc", "the message")
    # The checked directory itself becomes a link: nothing follows it.
    (place / "link").unlink()
    (place / "link").symlink_to("good")
    os.rename(place / "good", place / "moved")
    (place / "good").symlink_to("/etc")
    item = space.wait("reader", "still refused", lambda found: "/etc" in waiting(found).get("message", ""), 30)
    expect(not item["status"]["containerStatuses"][0].get("ready"), "the container runs")
    node.stop_all()


@case("an edit of the policy is in force at once, a bad one is not and is said, and running containers stay")
def edits(world):
    node = world.new_node("edits", policy="rules:\n- {allow: {capabilities: [SYS_TIME]}}\n").start()
    space = world.space(node)
    item = secured("steady", capabilities={"add": ["SYS_TIME"]})
    item["spec"]["restartPolicy"] = "Always"
    space.create(item)
    steady = space.wait_ready("steady")
    for number, (text, said) in enumerate(
        (
            ("rules:\n- {alow: {capabilities: [SYS_TIME]}}\n", f"{node.policy}:2:4: rules[0].alow: unknown field"),
            ("rules: [\n", "policy.yaml:"),
            ("rules:\n- {sources: [remote]}\n", "rules[0].sources[0]: "),
        )
    ):
        write(node, text)
        eventually(
            "the node says that it keeps the last good one",
            lambda: node.output.read_text().count("last good one stays") == number + 1, 10)
        expect_contains(node.output.read_text(), said, "the node's log")
        space.create(secured(f"good-{number}", capabilities={"add": ["SYS_TIME"]}))
        space.wait_ready(f"good-{number}")
    # Events of a node are in the default namespace.
    def told():
        events = space.api.get("/api/v1/namespaces/default/events")["items"]
        return [event for event in events if event["reason"] == "NodePolicyInvalid"]
    expect_contains(eventually("the node's event", told)[0]["message"], "last good one stays", "the event")
    write(node, NOTHING, mode=0o666)
    words(node, "can be written by others than its owner")
    space.create(secured("good", capabilities={"add": ["SYS_TIME"]}))
    space.wait_ready("good")
    write(node, NOTHING)
    words(node, "rules=0")
    refused(space, secured("bad", capabilities={"add": ["SYS_TIME"]}), '"SYS_TIME"')
    after = space.pod("steady")["status"]["containerStatuses"][0]
    expect_equal(after["containerID"], steady["status"]["containerStatuses"][0]["containerID"], "the running container")
    # A new start is held to the policy of now.
    os.kill(node.init_process(steady["metadata"]["uid"]), signal.SIGKILL)
    expect_contains(space.wait_waiting("steady", "NodePolicy")["message"], '"SYS_TIME"', "the message")
    expect_contains(space.wait_event("steady", "NodePolicy"), '"SYS_TIME"', "the event")
    # SIGHUP reads the file without a change of it, too: nothing happens, and nobody dies of it.
    node.process.send_signal(signal.SIGHUP)
    write(node, "rules:\n- {allow: {capabilities: [ALL]}}\n")
    space.wait_ready("steady", 30)
    node.stop_all()


@case("a debug container that asks for too much is refused alone")
def debugged(world):
    node = world.new_node("debugged", policy=NOTHING).start()
    space = world.space(node)
    space.create(pod("subject", idle()))
    space.wait_ready("subject")
    debugger = shell("true", "debugger", securityContext={"privileged": True})
    space.api.request(
        "PATCH", space.path("pods", "subject/ephemeralcontainers"), {"spec": {"ephemeralContainers": [debugger]}},
        content_type="application/strategic-merge-patch+json")

    def refusal(item):
        statuses = (item or {}).get("status", {}).get("ephemeralContainerStatuses", [])
        return statuses and statuses[0].get("state", {}).get("waiting", {}).get("reason") == "NodePolicy"

    item = space.wait("subject", "the debug container refused", refusal)
    text = item["status"]["ephemeralContainerStatuses"][0]["state"]["waiting"]["message"]
    expect_contains(text, "spec.ephemeralContainers[0].securityContext.privileged", "the message")
    expect_equal(item["status"]["phase"], "Running", "phase")
    node.stop_all()


@case("a policy that cannot be trusted, read or understood keeps the node from starting, with one line")
def untrusted(world):
    node = world.new_node("untrusted", policy=NOTHING)
    node.policy.chmod(0o666)
    fails(node.up_command(), str(node.policy), "can be written by others than its owner")
    node.policy.chmod(0o644)
    os.chown(node.policy, 1234, 0)
    fails(node.up_command(), str(node.policy), "belongs to user 1234")
    os.chown(node.policy, 0, 0)
    for text, said in {
        "rules: {}\n": "rules", "rules:\n- {allow: {privileged: maybe}}\n": "rules[0].allow.privileged",
        "rules:\n- {allow: {hostPath: [/]}}\n": "rules[0].allow.hostPath: unknown field", "\0": "policy",
    }.items():
        node.policy.write_text(text)
        fails(node.up_command(), str(node.policy), said)
    result = node.check()
    expect(result.returncode != 0 and "FAILED" in result.stdout, f"swiftlet check: {result.stdout}")
    node.policy.unlink()
    fails(node.up_command(), str(node.policy), "no such file")
    os.mkfifo(node.policy)
    fails(node.up_command(), str(node.policy), "not a regular file")
    expect(not node.root.exists() or not any(node.root.iterdir()), "a refused start leaves files")
