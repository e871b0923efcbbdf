"""Every verb of kubectl that no other module drives, with the oldest and the newest: a short case for each family."""

import json
import re
import urllib.request

from cases.workloads import deployment, pods_of
from rig.case import case
from rig.expectation import WAITING, eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.node import free_port
from rig.pods import config_map, idle, pod, shell, web_server
from rig.space import condition


def fields(kubectl, what, *paths):
    """What an object has at JSON paths, as text."""
    return [kubectl("get", *what.split(), "-o", f"jsonpath={{{path}}}") for path in paths]


def rolled_out(kubectl, name):
    return kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s", seconds=70)


PATCHES = (
    # type, what is patched, the patch, where to look, what is there then
    ("strategic", "deployment/web", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "env": [{"name": "A", "value": "1"}]}]}}}},
     ".spec.template.spec.containers[*].env[*].name", "A"),
    ("strategic", "deployment/web", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "env": [{"name": "B", "value": "2"}]}]}}}},
     ".spec.template.spec.containers[*].env[*].name", "B A"),
    ("strategic", "deployment/web", {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "env": [{"name": "A", "$patch": "delete"}]}]}}}},
     ".spec.template.spec.containers[*].env[*].name", "B"),
    ("merge", "deployment/web", {"metadata": {"labels": {"tier": "front", "app": None}}},
     ".metadata.labels", '{"tier":"front"}'),
    ("json", "deployment/web", [{"op": "test", "path": "/spec/replicas", "value": 0},
                                {"op": "add", "path": "/metadata/labels/by", "value": "json"}],
     ".metadata.labels.by", "json"),
    ("merge", "configmap/words", {"data": {"color": "red", "shape": None}}, ".data", '{"color":"red"}'),
    ("json", "configmap/words", [{"op": "replace", "path": "/data/color", "value": "blue"}], ".data.color", "blue"),
)


@case("kubectl patch changes by all three kinds of patch, and refuses one whose test fails")
def patches(kubectl):
    kubectl("create", "-f", "-", given=deployment("web", 0, idle()))
    kubectl("create", "-f", "-", given=config_map("words", color="green", shape="round"))
    for kind, what, patch, path, wanted in PATCHES:
        kubectl("patch", what, f"--type={kind}", "-p", json.dumps(patch))
        found = fields(kubectl, what, path)[0]
        # Old clients write a map in Go's words.
        found = found if not found.startswith("map[") else json.dumps(
            dict(pair.split(":") for pair in found[4:-1].split()), separators=(",", ":"))
        expect_equal(found, wanted, f"{path} of {what} after the {kind} patch {patch}")
    expect_contains(kubectl("patch", "configmap", "words", "-p", "{}"), "no change", "an empty patch")
    wrong = json.dumps([{"op": "test", "path": "/data/color", "value": "black"}])
    kubectl.refused("patch", "configmap/words", "--type=json", "-p", wrong)
    bad = kubectl.refused("patch", "deployment/web", "-p", json.dumps({"spec": {"replicas": -1}}))
    expect_contains(bad, "spec.replicas", "a patch to something invalid")


@case("kubectl replace puts a new object in the place of the old, and with --force a new one after it")
def replace(kubectl, space):
    kubectl("create", "-f", "-", given=config_map("words", color="green"))
    stored = json.loads(kubectl("get", "configmap", "words", "-o", "json"))
    stored["data"] = {"shape": "round"}
    expect_contains(kubectl("replace", "-f", "-", given=stored), "replaced", "replace")
    expect_equal(fields(kubectl, "configmap words", ".data.color", ".data.shape"), ["", "round"], "the data")
    expect_contains(kubectl.refused("replace", "-f", "-", given=stored), "Conflict", "the same again")
    expect_contains(
        kubectl.refused("replace", "-f", "-", given=config_map("absent", a="b")), "NotFound", "what is not there")
    space.create(pod("old", idle()))
    before = space.wait_ready("old")["metadata"]["uid"]
    kubectl("replace", "--force", "-f", "-", given=pod("old", idle()), seconds=60)
    expect(space.wait_ready("old")["metadata"]["uid"] != before, "the pod after replace --force is the same")


@case("kubectl edit stores what the editor leaves, and nothing when that is the same or wrong")
def edit(kubectl, world):
    kubectl("create", "-f", "-", given=config_map("words", color="green"))

    place = world.temporary("edit")

    def edited(*arguments, program):
        # What is refused stays behind as a file.
        return kubectl.run("edit", *arguments, environment={"EDITOR": program, "TMPDIR": str(place)})

    result = edited("configmap", "words", program="sed -i s/green/blue/")
    expect_equal(result.returncode, 0, f"exit of edit: {result.stderr}")
    expect_equal(fields(kubectl, "configmap words", ".data.color"), ["blue"], "what was edited")
    expect_contains(edited("configmap", "words", program="true").stderr, "no changes", "an editor that changes nothing")
    kubectl("create", "-f", "-", given=deployment("web", 0, idle()))
    # The refused text is offered again; the second time the editor leaves it as it is, which ends it.
    result = edited("deployment", "web", program="sed -i 's/replicas: 0/replicas: -5/'")
    expect(result.returncode != 0 and '"web" is invalid' in result.stderr, f"a wrong edit: {result}")
    expect_equal(fields(kubectl, "deployment web", ".spec.replicas"), ["0"], "replicas after the wrong edit")
    kubectl("apply", "-f", "-", given=config_map("applied", color="green"))
    applied = place / "applied.yaml"
    applied.write_text(kubectl("apply", "view-last-applied", "configmap/applied"))
    expect_contains(applied.read_text(), "color: green", "apply view-last-applied")
    applied.write_text(applied.read_text().replace("green", "red"))
    kubectl("apply", "set-last-applied", "-f", str(applied))
    expect_contains(kubectl("apply", "view-last-applied", "configmap/applied"), "red", "after set-last-applied")


@case("kubectl diff tells by its exit code and its text what apply would change")
def diff(kubectl):
    item = deployment("web", 0, idle())
    new = kubectl.run("diff", "-f", "-", given=item)
    expect_equal(new.returncode, 1, f"diff of what is not there: {new.stderr}")
    kubectl("apply", "-f", "-", given=item)
    same = kubectl.run("diff", "-f", "-", given=item)
    expect_equal((same.returncode, same.stdout), (0, ""), f"diff of the same: {same.stderr}")
    item["spec"]["replicas"] = 2
    other = kubectl.run("diff", "-f", "-", given=item)
    expect(other.returncode == 1 and "+  replicas: 2" in other.stdout, f"diff of another: {other}")
    expect_equal(fields(kubectl, "deployment web", ".spec.replicas"), ["0"], "replicas after diff")


@case("kubectl label and annotate add, overwrite when told to, list and take away")
def marks(kubectl):
    for name in ("one", "two"):
        kubectl("create", "-f", "-", given=config_map(name, a="b"))
    for verb, place in (("label", "labels"), ("annotate", "annotations")):
        kubectl(verb, "configmap", "one", "color=green")
        expect_contains(kubectl.refused(verb, "configmap", "one", "color=red"), "overwrite", f"{verb} again")
        kubectl(verb, "--overwrite", "configmap", "one", "color=red", "shape=round")
        expect_equal(
            fields(kubectl, "configmap one", f".metadata.{place}.color", f".metadata.{place}.shape"), ["red", "round"],
            f"{verb} --overwrite")
        kubectl(verb, "configmap", "one", "shape-")
        expect_equal(fields(kubectl, "configmap one", f".metadata.{place}.shape"), [""], f"{verb} shape-")
        kubectl(verb, "configmap", "--all", "kept=yes")
        kept = fields(kubectl, "configmap", f".items[*].metadata.{place}.kept")[0]
        expect_equal(kept, "yes yes yes", f"{verb} --all, with the certificate of every namespace")
        wrong = kubectl.refused(verb, "configmap", "one", "color=x", "--overwrite", "--resource-version=1")
        expect_contains(wrong, "the object has been modified", f"{verb} of an old version")
    expect_contains(kubectl("label", "configmap", "one", "--list"), "color=red", "label --list")
    kubectl("label", "configmap", "-l", "color=red", "found=yes")
    expect_equal(kubectl("get", "configmap", "-l", "found", "-o", "name"), "configmap/one\n", "label by label")


@case("kubectl taint, cordon and uncordon change the node and keep pods from it")
def node_marks(kubectl, space, node):
    try:
        kubectl("taint", "node", node.name, "case=on:NoSchedule")
        kubectl.refused("taint", "node", node.name, "case=off:NoSchedule")
        kubectl("taint", "node", node.name, "--overwrite", "case=off:NoSchedule")
        expect_contains(kubectl("describe", "node", node.name), "case=off:NoSchedule", "describe node")
        kubectl("create", "-f", "-", given=pod("kept", idle()))
        space.wait("kept", "not scheduled", lambda item: item and condition(item, "PodScheduled") == "False")
        kubectl("taint", "node", node.name, "case:NoSchedule-")
        space.wait_ready("kept")
        kubectl("cordon", node.name)
        expect_contains(kubectl("get", "node", node.name), "SchedulingDisabled", "get node")
        kubectl("create", "-f", "-", given=pod("late", idle()))
        space.wait("late", "not scheduled", lambda item: item and condition(item, "PodScheduled") == "False")
        expect_contains(kubectl("cordon", node.name), "already cordoned", "cordon again")
    finally:
        kubectl.run("taint", "node", node.name, "case-")
        kubectl("uncordon", node.name)
    space.wait_ready("late")


@case("kubectl drain asks before it loses data, waits for a disruption budget, and ends when that allows")
def drain(kubectl, space, node):
    volume = {"volumes": [{"name": "data", "emptyDir": {}}]}
    space.create(pod("web", idle(), **volume))
    kubectl("create", "-f", "-", given=deployment("more", 1, idle()))
    rolled_out(kubectl, "more")
    space.wait_ready("web")
    budget = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    kubectl("create", "-f", "-", given={
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget})
    empty = "--delete-emptydir-data"
    common = (node.name, "--pod-selector=app in (web,more)", "--ignore-daemonsets")
    try:
        said = kubectl.refused("drain", *common)
        expect_contains(said, empty, "drain of what it would lose")
        expect_contains(kubectl.refused("drain", *common, empty), "--force", "drain of a pod that nobody makes again")
        with Follower(kubectl.follow("drain", *common, "--force", empty, "--timeout=120s")) as follower:
            follower.until("the budget", lambda line: "disruption budget" in line, 20 * WAITING)
            expect(condition(space.pod("web"), "Ready") == "True", "the pod under its budget")
            kubectl("patch", "pdb", "web", "--type=merge", "-p", '{"spec":{"minAvailable":0}}')
            follower.until("the end", lambda line: re.search(r"node/\S+ (drained|evicted)", line), 40 * WAITING)
            expect_equal(follower.process.wait(10), 0, "exit of drain")
        space.wait_gone("web")
        expect_contains(kubectl("get", "pod", "-l", "app=more"), "Pending", "the deployment's next pod")
    finally:
        kubectl("uncordon", node.name)
    rolled_out(kubectl, "more")


@case("kubectl set changes images, variables, limits, accounts, selectors and subjects")
def sets(kubectl):
    kubectl("create", "-f", "-", given=deployment("web", 0, idle(resources={"limits": {"cpu": "1"}})))
    kubectl("create", "-f", "-", given=config_map("words", color="green"))
    kubectl("create", "service", "clusterip", "web", "--tcp=80")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "rolebinding", "view", "--clusterrole=view", "--user=ann")
    container = ".spec.template.spec.containers[0]"
    for arguments, what, path, wanted in (
        (("image", "deployment/web", "main=example.org/a:1"), "deployment web", container + ".image", "example.org/a:1"),
        (("image", "deployment", "*=example.org/a:2", "--all"), "deployment web", container + ".image", "example.org/a:2"),
        (("env", "deployment/web", "A=1", "B=2"), "deployment web", container + ".env[*].name", "A B"),
        (("env", "deployment/web", "A-"), "deployment web", container + ".env[*].name", "B"),
        (("env", "deployment/web", "--from=configmap/words"), "deployment web", container + ".env[*].name", "B COLOR"),
        (("resources", "deployment/web", "--limits=cpu=2,memory=64Mi", "--requests=cpu=1"), "deployment web",
         container + ".resources.limits.memory", "64Mi"),
        (("serviceaccount", "deployment/web", "robot"), "deployment web", ".spec.template.spec.serviceAccountName",
         "robot"),
        (("selector", "service", "web", "app=web"), "service web", ".spec.selector.app", "web"),
        (("subject", "rolebinding", "view", "--user=bob"), "rolebinding view", ".subjects[*].name", "ann bob"),
    ):
        kubectl("set", *arguments)
        expect_equal(fields(kubectl, what, path), [wanted], f"set {' '.join(arguments)}")
    expect_contains(kubectl("set", "env", "deployment/web", "--list"), "COLOR from configmap words", "set env --list")
    shown = kubectl("set", "image", "deployment/web", "main=x/y:1", "--dry-run=server", "-o", "yaml")
    expect_contains(shown, "image: x/y:1", "set --dry-run=server")
    expect_equal(fields(kubectl, "deployment web", container + ".image"), ["example.org/a:2"], "after the dry run")


@case("kubectl expose makes services of what runs, and port-forward and logs find the pods behind names")
def behind_names(kubectl, space):
    item = deployment("web", 1, web_server("behind a name", 8080))
    item["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    kubectl("create", "-f", "-", given=item)
    rolled_out(kubectl, "web")
    kubectl("expose", "deployment", "web", "--port=80", "--target-port=http")
    expect_equal(
        fields(kubectl, "service web", ".spec.selector.app", ".spec.ports[0].port", ".spec.ports[0].targetPort"),
        ["web", "80", "http"], "the service")
    name = pods_of(space, "web")[0]["metadata"]["name"]
    kubectl("expose", "pod", name, "--port=81", "--name=alone", "--type=NodePort")
    expect_contains(kubectl("get", "service", "alone"), "NodePort", "get service")
    kubectl("expose", "service", "web", "--port=82", "--target-port=8080", "--name=again")
    expect_contains(kubectl("describe", "service", "web"), "TargetPort", "describe service")
    for target, port in (("service/web", "80"), ("deployment/web", "8080"), ("deployment/web", "http")):
        local = free_port()
        with Follower(kubectl.follow("port-forward", target, f"{local}:{port}", "--address=127.0.0.1")) as follower:
            follower.until("it listens", lambda line: "Forwarding from" in line)
            with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=20 * WAITING) as answer:
                expect_equal(answer.read(), b"behind a name", f"through {target}:{port}")
    expect_equal(kubectl("exec", "deployment/web", "--", "echo", "in"), "in\n", "exec deployment/web")
    kubectl("logs", "deployment/web")
    kubectl("create", "-f", "-", given=pod("pair", shell("echo a; sleep 1000", "left"), shell("echo b; sleep 1000", "right")))
    space.wait_ready("pair")
    expect_equal(sorted(kubectl("logs", "pair", "--all-containers").split()), ["a", "b"], "logs --all-containers")
    prefixed = kubectl("logs", "-l", "app=pair", "--all-containers", "--prefix").splitlines()
    expect_equal(sorted(prefixed), ["[pod/pair/left] a", "[pod/pair/right] b"], "logs -l --prefix")
    expect_equal(kubectl("logs", "pair", "-c", "left", "--limit-bytes=1"), "a", "logs --limit-bytes")
    expect_equal(kubectl("logs", "pair", "-c", "left", "--since=1h"), "a\n", "logs --since")
    kubectl("delete", "deployment", "web")


@case("kubectl scale and autoscale set how many there are, on conditions too")
def sizes(kubectl, space):
    kubectl("create", "-f", "-", given=deployment("web", 0, idle()))
    expect_contains(
        kubectl.refused("scale", "deployment/web", "--current-replicas=3", "--replicas=1"), "Expected replicas to be 3",
        "scale from another size")
    kubectl("scale", "deployment/web", "--current-replicas=0", "--replicas=1")
    rolled_out(kubectl, "web")
    kubectl("scale", "--all", "deployment", "--replicas=0")
    eventually("the pods go", lambda: not pods_of(space, "web"))
    kubectl("autoscale", "deployment", "web", "--min=1", "--max=3", "--name=grow")
    shown = kubectl("get", "hpa", "grow").splitlines()[1].split()
    expect_equal(shown[:2], ["grow", "Deployment/web"], "get hpa")
    kubectl.refused("autoscale", "deployment", "web", "--min=4", "--max=3", "--name=wrong")


@case("kubectl wait waits for conditions, fields, ends and beginnings, and gives up in time")
def waits(kubectl, space):
    late = kubectl.refused("wait", "--for=condition=Ready", "pod/absent", "--timeout=1s")
    expect_contains(late, "not found", "wait for what is not there")
    # Its end takes so long that kubectl has begun to wait before it is gone: the old one fails otherwise.
    lingering = {"preStop": {"exec": {"command": ["sleep", "6"]}}}
    kubectl("create", "-f", "-", given=pod("web", idle(lifecycle=lingering)))
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s", seconds=70)
    kubectl("wait", "--for=condition=Ready=true", "pod", "-l", "app=web", "--timeout=60s", seconds=70)
    expect_contains(
        kubectl.refused("wait", "--for=condition=Ready=False", "pod/web", "--timeout=1s"), "timed out", "a wait in vain")
    if kubectl.is_new:
        kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/web", "--timeout=60s", seconds=70)
        kubectl("wait", "--for=jsonpath={.status.podIP}", "pod/web", "--timeout=60s", seconds=70)
        with Follower(kubectl.follow("wait", "--for=create", "configmap/words", "--timeout=60s")) as follower:
            kubectl("create", "configmap", "words", "--from-literal=a=b")
            follower.until("it is there", lambda line: "condition met" in line, 20 * WAITING)
    with Follower(kubectl.follow("wait", "--for=delete", "pod/web", "--timeout=60s")) as follower:
        kubectl("delete", "pod", "web", "--wait=false")
        expect_equal(follower.process.wait(60), 0, f"exit of wait --for=delete: {follower.seen}")
    space.wait_gone("web")


@case("kubectl rollout restarts, shows revisions, goes back to one, and follows to the end")
def rollouts(kubectl, space):
    kubectl("create", "-f", "-", given=deployment("web", 1, idle()))
    rolled_out(kubectl, "web")
    before = pods_of(space, "web")[0]["metadata"]["uid"]
    kubectl("rollout", "restart", "deployment/web")
    rolled_out(kubectl, "web")
    expect(pods_of(space, "web")[0]["metadata"]["uid"] != before, "the pod after a restart is the same")
    kubectl("set", "env", "deployment/web", "COLOR=green")
    rolled_out(kubectl, "web")
    shown = kubectl("rollout", "history", "deployment/web", "--revision=3")
    expect("revision #3" in shown and "COLOR:\tgreen" in shown, f"revision 3: {shown}")
    kubectl("rollout", "undo", "deployment/web", "--to-revision=1")
    rolled_out(kubectl, "web")
    history = [line.split()[0] for line in kubectl("rollout", "history", "deployment/web").splitlines()[2:] if line]
    expect_equal(history, ["2", "3", "4"], "revisions")
    kubectl("rollout", "pause", "deployment/web")
    expect_contains(kubectl.refused("rollout", "restart", "deployment/web"), "paused", "restart of a paused one")
    expect_contains(kubectl.refused("rollout", "undo", "deployment/web"), "paused", "undo of a paused one")
    kubectl("rollout", "resume", "deployment/web")
    expect_contains(rolled_out(kubectl, "web"), "successfully rolled out", "after resume")
    kubectl("set", "image", "deployment/web", "main=registry.invalid/none:1")
    late = kubectl.refused("rollout", "status", "deployment/web", "--timeout=2s")
    expect_contains(late, "timed out", "status of a rollout that hangs")
