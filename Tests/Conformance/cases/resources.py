"""Limits are in force, from the node down to the container, follow a resize, and breaking one is told."""

import json
import os
import pathlib
import time

from rig import cgroups
from rig.case import case
from rig.expectation import Failure, Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell, web_server
from rig.space import container_status, terminated

MEBIBYTE = 1 << 20


def amounts(cpu=None, memory=None):
    return {name: text for name, text in (("cpu", cpu), ("memory", memory)) if text is not None}


def guaranteed(cpu, memory, **fields):
    return idle(resources={"limits": amounts(cpu, memory), "requests": amounts(cpu, memory)}, **fields)


def resize(world, space, name, resources, container="main"):
    """`kubectl patch --subresource resize`; gives what became of it."""
    patch = {"spec": {"containers": [{"name": container, "resources": resources}]}}
    return world.kubectl(space).run("patch", "pod", name, "--subresource", "resize", "--patch", json.dumps(patch))


def resized(world, space, name, resources, container="main"):
    result = resize(world, space, name, resources, container)
    expect_equal(result.returncode, 0, f"kubectl patch --subresource resize: {result.stderr}")


def condition(item, kind):
    """The condition of that type, empty when there is none."""
    return next((entry for entry in item.get("status", {}).get("conditions", []) if entry["type"] == kind), {})


@case("a memory hog ends as OOMKilled with 137")
def memory_hog(kubectl, space):
    space.create(
        pod(
            "hog",
            {
                "name": "main",
                "image": "host:///",
                "command": ["perl", "-e", "my @a; push @a, 'x' x (1 << 20) while 1"],
                "resources": {"limits": {"memory": "32Mi"}},
            },
        )
    )
    ended = terminated(space.wait_phase("hog", "Failed", 30))
    expect_equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137), "end of the hog")
    expect("OOMKilled" in kubectl("get", "pod", "hog"), "get shows OOMKilled")


@case("a hog takes its whole container with it, and no other")
def group_kill(space):
    _, is_unified = cgroups.carrier("memory")
    if not is_unified:
        raise Skipped("the memory controller is on cgroup v1, which kills single processes; `swiftlet check` says so")
    space.create(pod("beside", idle(resources={"limits": {"memory": "32Mi"}})))
    space.wait_ready("beside")
    hog = "perl -e 'my @a; push @a, \"x\" x (1 << 20) while 1' & while :; do sleep 0.1; done"
    space.create(pod("hog", shell(hog, resources={"limits": {"memory": "32Mi"}})))
    ended = terminated(space.wait_phase("hog", "Failed", 60))
    expect_equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137), "end of the container that holds the hog")
    expect_equal(container_status(space.pod("beside"))["restartCount"], 0, "restarts of the pod beside it")


@case("each class of pods has the values of its requests and limits in the pod's cgroup and in the container's")
def classes(space):
    node = space.node
    space.create(pod("guaranteed", guaranteed("200m", "48Mi")))
    space.create(
        pod(
            "burstable", idle(resources={"requests": amounts("100m", "16Mi"), "limits": amounts("250m", "32Mi")})
        )
    )
    space.create(pod("besteffort", idle()))
    found = {name: space.wait_ready(name) for name in ("guaranteed", "burstable", "besteffort")}
    expect_equal(
        [found[name]["status"]["qosClass"] for name in found], ["Guaranteed", "Burstable", "BestEffort"], "classes"
    )
    # Shares are 1024 for a core, quotas are of 100 ms.
    expected = {
        "guaranteed": (204, 20000, 48 * MEBIBYTE),
        "burstable": (102, 25000, 32 * MEBIBYTE),
        "besteffort": (2, cgroups.UNLIMITED, cgroups.UNLIMITED),
    }
    for name, (shares, quota, memory) in expected.items():
        path = cgroups.pod_path(found[name])
        for place in (path, f"{path}/main.0"):
            cgroups.shares_are(node, place, shares)
            expect_equal(cgroups.quota(node, place), quota, f"quota of {place}")
            expect_equal(cgroups.memory(node, place), memory, f"memory limit of {place}")
            expect_equal(cgroups.pids(node, place), "4096", f"process limit of {place}")


@case("disks are shared by class when the node's settings say so, and only then")
def disk_weights(world, space):
    cgroups.no_io_weight(space.node, "kubepods/besteffort")
    file = world.directory / "weights.yaml"
    file.write_text("ioWeights:\n  guaranteed: 300\n  burstable: 200\n  bestEffort: 20\n")
    node = world.new_node("weights", more=("--config", str(file)))
    with node.running():
        own = world.space(node)
        own.create(pod("guaranteed", guaranteed("100m", "32Mi")))
        own.create(pod("burstable", idle(resources={"requests": amounts("100m")})))
        found = {name: own.wait_ready(name) for name in ("guaranteed", "burstable")}
        weights = {
            "kubepods/burstable": 200,
            "kubepods/besteffort": 20,
            cgroups.pod_path(found["guaranteed"]): 300,
            # Within its class a pod is one among equals.
            cgroups.pod_path(found["burstable"]): 100,
        }
        for path, weight in weights.items():
            expect_equal(cgroups.io_weight(node, path), weight, f"weight of {path}")
        expect_contains(node.local("/v1/check")[1], "disk weights", "what the node tells of its host")
    file.write_text("ioWeights: {burstable: 0}\n")
    refused = world.new_node("weightless", more=("--config", str(file)))
    refused.launch()
    expect(refused.process.wait(timeout=20) != 0, "a weight of 0 was taken")
    expect_contains(
        refused.output.read_text(), "ioWeights.burstable 0: expected a weight from 1 to 10000", "a wrong weight"
    )
    refused.is_ended = True


@case("a pod has room for its largest init container, and no limit when one container has none")
def init_containers(space):
    node = space.node
    space.create(
        pod(
            "limited",
            idle("main", resources={"requests": amounts("100m"), "limits": amounts("200m", "32Mi")}),
            initContainers=[
                shell("true", "first", resources={"limits": amounts("400m", "16Mi")}),
                idle("beside", restartPolicy="Always", resources={"limits": amounts("50m", "8Mi")}),
            ],
        )
    )
    space.create(
        pod("open", idle("main", resources={"limits": amounts("200m", "32Mi")}), idle("other"))
    )
    path = cgroups.pod_path(space.wait_ready("limited"))
    # max(100 + 50, 400) m of requests; limits max(200 + 50, 400) m and max(32 + 8, 16) Mi.
    cgroups.shares_are(node, path, 409)
    expect_equal(cgroups.quota(node, path), 40000, "quota of the pod")
    expect_equal(cgroups.memory(node, path), 40 * MEBIBYTE, "memory limit of the pod")
    path = cgroups.pod_path(space.wait_ready("open"))
    expect_equal(cgroups.quota(node, path), cgroups.UNLIMITED, "quota of a pod with an unlimited container")
    expect_equal(cgroups.memory(node, path), cgroups.UNLIMITED, "its memory limit")
    expect_equal(cgroups.quota(node, f"{path}/main.0"), 20000, "quota of its limited container")


@case("what is set aside on the node is taken off what pods may use, and the classes follow their pods")
def reservations(world):
    node = world.new_node(
        "reserved",
        more=[
            "--system-reserved",
            "cpu=300m,memory=1Gi,ephemeral-storage=1Gi,pid=500",
            "--kube-reserved",
            "cpu=200m,memory=512Mi",
        ],
    )
    with node.running():
        space = world.space(node)
        status = node.api.get("/api/v1/nodes")["items"][0]["status"]
        cores = int(status["capacity"]["cpu"])
        memory = kibibytes(status["capacity"]["memory"])
        expect_equal(status["allocatable"]["cpu"], f"{cores * 1000 - 500}m", "allocatable cpu")
        left = memory - (1024 + 512 + 100) * 1024
        expect_equal(kibibytes(status["allocatable"]["memory"]), left, "allocatable memory in Ki")
        eventually("kubepods", lambda: cgroups.shares_are(node, "kubepods", (cores * 1000 - 500) * 1024 // 1000))
        # What eviction keeps free is not taken off here.
        expect_equal(cgroups.memory(node, "kubepods"), (memory - (1024 + 512) * 1024) * 1024, "memory of kubepods")
        most = min(
            int(pathlib.Path(f"/proc/sys/kernel/{name}").read_text()) for name in ("pid_max", "threads-max")
        )
        expect_equal(cgroups.pids(node, "kubepods"), str(most - 500), "processes of kubepods")
        cgroups.shares_are(node, "kubepods/besteffort", 2)
        for name, cpu in (("one", "100m"), ("two", "150m")):
            space.create(pod(name, idle(resources={"requests": {"cpu": cpu}})))
        space.wait_ready("one")
        space.wait_ready("two")
        eventually("shares of both", lambda: cgroups.shares_are(node, "kubepods/burstable", 256))
        space.delete("two", grace=0)
        space.wait_gone("two")
        eventually("shares of the one", lambda: cgroups.shares_are(node, "kubepods/burstable", 102))
        large = pod("large", idle(resources={"requests": {"cpu": f"{cores * 1000 - 400}m"}}))
        space.create(dict(large, spec=dict(large["spec"], nodeName=node.name)))
        refused = space.wait_phase("large", "Failed")
        expect_equal(refused["status"]["reason"], "OutOfcpu", "why a pod that needs all is refused")
        events = node.api.get("/api/v1/events")["items"]
        expect("NodeAllocatableEnforced" in [item["reason"] for item in events], "event NodeAllocatableEnforced")
        space.clear()


def kibibytes(quantity):
    expect(quantity.endswith("Ki"), f"memory as {quantity}")
    return int(quantity[:-2])


@case("oom_score_adj follows class and request, as far as the node may set it")
def scores(space):
    total = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) * 1024
    request = total // 10
    space.create(pod("guaranteed", guaranteed("100m", "32Mi")))
    space.create(pod("burstable", idle(resources={"requests": {"memory": str(request)}})))
    space.create(pod("besteffort", idle()))
    expected = {"guaranteed": -997, "burstable": 1000 - 1000 * request // total, "besteffort": 1000}
    for name, score in expected.items():
        uid = space.wait_ready(name)["metadata"]["uid"]
        found = {
            int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid, _ in space.node.pod_processes(uid)
            if pathlib.Path(f"/proc/{pid}/exe").resolve().name != "swiftlet-monitor"
        }
        if score < 0 and found != {score}:
            # Lowering takes CAP_SYS_RESOURCE: without it the check says so.
            expect_contains(space.node.check().stdout, "CAP_SYS_RESOURCE", f"check; score of {name} is {found}")
            continue
        expect_equal(found, {score}, f"oom_score_adj of {name}")


@case("a fork bomb ends at the pod's limit while another pod answers")
def fork_bomb(space):
    node = space.node
    space.create(pod("web", web_server("still here")))
    address = space.wait_ready("web")["status"]["podIP"]
    bomb = (
        "perl -e '$| = 1; while (1) { my $p = fork; sleep 1000 if defined $p && !$p; "
        'if (!defined $p) { print "refused\\n"; sleep 1000 } }\''
    )
    space.create(pod("bomb", shell(bomb)))
    path = cgroups.pod_path(space.wait_ready("bomb"))
    eventually("the kernel refuses", lambda: "refused" in space.log("bomb"), 60, 0.2)
    current = int(cgroups.read(node, "pids", path, "pids.current", "pids.current"))
    expect(4000 < current <= 4096, f"processes of the bomb: {current}")
    for _ in range(20):
        started = time.monotonic()
        expect_equal(fetch(address), "still here", "the other pod's answer")
        expect(time.monotonic() - started < 1, "it came within a second")
    space.delete("bomb", grace=1)
    space.wait_gone("bomb", 30)


def fetch(address):
    import http.client  # pylint: disable=import-outside-toplevel

    connection = http.client.HTTPConnection(address, 8080, timeout=10)
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


# Resizing


def has_resources(space, name, **limits):
    """Waits until the status says that these limits are in force, and nothing more is to be done."""

    def settled(item):
        status = container_status(item)
        shown = status.get("resources", {}).get("limits", {})
        return (
            all(shown.get(key) == value for key, value in limits.items())
            and not condition(item, "PodResizeInProgress")
            and not condition(item, "PodResizePending")
        )

    return space.wait(name, f"resized to {limits}", settled, 20)


@case("limits follow a resize without a restart: cgroup files, kubectl get and events")
def live_resize(world, space):
    node = space.node
    space.create(pod("flexible", guaranteed("200m", "48Mi")))
    before = space.wait_ready("flexible")
    path = cgroups.pod_path(before)
    process = node.init_process(before["metadata"]["uid"])
    for cpu, memory, shares in (("300m", "96Mi", 307), ("100m", "32Mi", 102)):
        more = amounts(cpu, memory)
        resized(world, space, "flexible", {"limits": more, "requests": more})
        after = has_resources(space, "flexible", **more)
        for place in (path, f"{path}/main.0"):
            cgroups.shares_are(node, place, shares)
            expect_equal(cgroups.quota(node, place), int(cpu[:-1]) * 100, f"quota of {place}")
            expect_equal(cgroups.memory(node, place), int(memory[:-2]) * MEBIBYTE, f"memory limit of {place}")
        status = container_status(after)
        expect_equal(status["allocatedResources"], more, "allocated resources")
        expect_equal(status["restartCount"], 0, "restarts")
        expect_equal(node.init_process(before["metadata"]["uid"]), process, "the process")
    path = "jsonpath={.status.containerStatuses[0].resources.limits.memory}"
    shown = world.kubectl(space)("get", "pod", "flexible", "-o", path)
    expect_equal(shown, "32Mi", "kubectl get")
    reasons = [reason for reason, _ in space.events("flexible")]
    expect("ResizeStarted" in reasons and "ResizeCompleted" in reasons, f"events: {reasons}")


@case("only cpu and memory can be resized, none can be taken back, and the class stays")
def bad_resizes(world, space):
    space.create(pod("fixed", guaranteed("100m", "32Mi")))
    space.wait_ready("fixed")
    for resources, problem in (
        ({"limits": {"ephemeral-storage": "1Gi"}}, "only cpu and memory resources are mutable"),
        ({"limits": {"cpu": None}}, "cannot be removed"),
        ({"requests": {"cpu": "50m"}}, "QOS"),
        ({"requests": {"cpu": "200m"}}, "must be less than or equal to cpu limit"),
    ):
        result = resize(world, space, "fixed", resources)
        expect(result.returncode != 0, f"{resources} should be refused")
        expect_contains(result.stderr, problem, f"refusal of {resources}")
    renamed = resize(world, space, "fixed", {"limits": {"cpu": "1"}}, container="unknown")
    expect(renamed.returncode != 0, "a container that is not there should be refused")
    # Through the pod itself nothing of it can be changed.
    patch = {"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "200m"}}}]}}
    world.kubectl(space).refused("patch", "pod", "fixed", "--patch", json.dumps(patch))


@case("a resize that never fits is infeasible, one that does not fit now is deferred and granted when there is room")
def waiting_resizes(world):
    node = world.new_node("crowded")
    with node.running():
        space = world.space(node)
        cores = int(node.api.get("/api/v1/nodes")["items"][0]["status"]["allocatable"]["cpu"])
        half = f"{cores * 500}m"
        for name in ("one", "two"):
            space.create(pod(name, idle(resources={"requests": {"cpu": half if name == "two" else "100m"}})))
            space.wait_ready(name)
        resized(world, space, "one", {"requests": {"cpu": str(cores + 1)}})

        def pending(reason):
            def found(item):
                return condition(item, "PodResizePending").get("reason") == reason

            return space.wait("one", f"PodResizePending {reason}", found)

        told = condition(pending("Infeasible"), "PodResizePending")
        expect_contains(told["message"], "Node didn't have enough capacity: cpu", "why it is infeasible")
        space.wait_event("one", "ResizeInfeasible")
        wanted = f"{cores * 500 + 100}m"
        resized(world, space, "one", {"requests": {"cpu": wanted}})
        item = pending("Deferred")
        expect_equal(container_status(item)["allocatedResources"], {"cpu": "100m"}, "allocated while it waits")
        space.wait_event("one", "ResizeDeferred")
        # An agent that starts anew remembers what was allocated, not what is asked for.
        node.kill()
        node.start()
        item = pending("Deferred")
        expect_equal(container_status(item)["allocatedResources"], {"cpu": "100m"}, "allocated after a restart")
        space.delete("two", grace=0)
        after = space.wait(
            "one",
            "granted",
            lambda item: container_status(item).get("allocatedResources", {}).get("cpu") == wanted
            and not condition(item, "PodResizePending"),
            15,
        )
        expect_equal(container_status(after)["restartCount"], 0, "restarts")
        shares = (cores * 500 + 100) * 1024 // 1000
        eventually("shares", lambda: cgroups.shares_are(node, cgroups.pod_path(after) + "/main.0", shares))
        space.clear()


@case("a memory limit below what is used is refused, told, and tried again")
def below_usage(world, space):
    node = space.node
    hold = "perl -e 'my $a = \"x\" x (40 << 20); $| = 1; print \"full\\n\"; sleep 100000'"
    space.create(pod("full", shell(hold, resources={"limits": amounts("200m", "128Mi")})))
    path = cgroups.pod_path(space.wait_ready("full"))
    eventually("the memory is used", lambda: "full" in space.log("full"), 10)
    less = amounts("200m", "24Mi")
    resized(world, space, "full", {"limits": less, "requests": less})
    item = space.wait("full", "told", lambda item: condition(item, "PodResizeInProgress").get("reason") == "Error")
    expect_contains(condition(item, "PodResizeInProgress")["message"], "below current usage", "why")
    expect_equal(cgroups.memory(node, f"{path}/main.0"), 128 * MEBIBYTE, "the limit that stays")
    expect_equal(container_status(item)["resources"]["limits"]["memory"], "128Mi", "what the status says is in force")
    more = amounts("200m", "96Mi")
    resized(world, space, "full", {"limits": more, "requests": more})
    after = has_resources(space, "full", **more)
    expect_equal(cgroups.memory(node, f"{path}/main.0"), 96 * MEBIBYTE, "the limit that fits")
    expect_equal(container_status(after)["restartCount"], 0, "restarts")


@case("a container whose policy asks for it is restarted in place to get other resources")
def restart_policy(world, space):
    node = space.node
    fields = {"resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]}
    space.create(pod("reborn", guaranteed("100m", "32Mi", **fields), restartPolicy="Always"))
    before = space.wait_ready("reborn")
    more = amounts("150m", "32Mi")
    resized(world, space, "reborn", {"limits": more, "requests": more})
    expect_equal(container_status(has_resources(space, "reborn", **more))["restartCount"], 0, "restarts for cpu")
    more = amounts("150m", "64Mi")
    resized(world, space, "reborn", {"limits": more, "requests": more})
    has_resources(space, "reborn", **more)
    after = space.wait_ready("reborn")
    expect_equal(container_status(after)["restartCount"], 1, "restarts for memory")
    expect_equal(after["status"]["podIP"], before["status"]["podIP"], "its address")
    path = cgroups.pod_path(after)
    for place in (path, f"{path}/main.1"):
        expect_equal(cgroups.memory(node, place), 64 * MEBIBYTE, f"memory limit of {place}")


@case("a resize that an agent began is finished by the next one, without a restart of the container")
def interrupted(world):
    node = world.new_node("interrupted")
    with node.running():
        space = world.space(node)
        space.create(pod("flexible", guaranteed("100m", "32Mi")))
        before = space.wait_ready("flexible")
        for round_, cpu in enumerate(("200m", "300m", "150m", "250m", "100m")):
            more = amounts(cpu, "32Mi")
            resized(world, space, "flexible", {"limits": more, "requests": more})
            time.sleep(0.01 * round_)
            node.kill()
            node.start()
            after = has_resources(space, "flexible", **more)
            path = cgroups.pod_path(after)
            for place in (path, f"{path}/main.0"):
                expect_equal(cgroups.quota(node, place), int(cpu[:-1]) * 100, f"quota of {place}")
        expect_equal(container_status(after)["restartCount"], 0, "restarts")
        identifiers = [container_status(item)["containerID"] for item in (before, after)]
        expect_equal(identifiers[1], identifiers[0], "the container")
        space.clear()


# Processors


def processors(node, pod_item, container="main.0"):
    """The processors a container may run on."""
    path = f"{cgroups.pod_path(pod_item)}/{container}"
    return cgroups.read(node, "cpuset", path, "cpuset.cpus", "cpuset.cpus")


@case("whole processors of a Guaranteed container are its own, also after the agent's restart; others share the rest")
def pinned(world):
    cgroups.carrier("cpuset")
    count = len(os.sched_getaffinity(0))
    if count < 2 or pathlib.Path("/sys/devices/system/cpu/online").read_text().strip() != f"0-{count - 1}":
        raise Skipped("needs two processors or more")
    everything = f"0-{count - 1}"
    rest = "0" if count == 2 else f"0,2-{count - 1}"
    node = world.new_node("pinning", more=["--cpu-manager-policy", "static", "--reserved-cpus", "0"])
    with node.running():
        space = world.space(node)
        space.create(pod("shared", idle()))
        shared = space.wait_ready("shared")
        expect_equal(processors(node, shared), everything, "processors of a pod that is alone")
        space.create(pod("own", guaranteed("1", "32Mi")))
        own = space.wait_ready("own")
        mine = processors(node, own)
        expect(mine.isdigit() and mine != "0", f"processors of the pinned container: {mine}")
        expect_equal(cgroups.quota(node, cgroups.pod_path(own)), cgroups.UNLIMITED, "its quota")
        if count == 2:
            expect_equal(processors(node, shared), rest, "processors of the other pod")
        process = node.init_process(own["metadata"]["uid"])
        expect_equal(os.sched_getaffinity(process), {int(mine)}, "where its process may run")
        node.kill()
        node.start()
        space.create(pod("late", idle()))
        late = space.wait_ready("late")
        expect_equal(processors(node, own), mine, "its processors after a restart of the agent")
        expect(mine not in expanded(processors(node, late)), "a new pod does not get them")
        space.delete("own", grace=0)
        space.wait_gone("own")
        for item in (shared, late):
            eventually("all processors", lambda item=item: processors(node, item) == everything)
        space.clear()


def expanded(text):
    """The numbers of a list such as 0-2,7, as texts."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(str(number) for number in range(int(first), int(last or first) + 1))
    return found
