"""The node protects itself from its pods: logs with a limit, limits of local storage, eviction under pressure."""

import contextlib
import gzip
import os
import time

from rig.case import case
from rig.disk import small_disk
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.pods import idle, mount, pod, shell
from rig.space import condition, container_status

MIB = 1 << 20
# Eviction only where a case asks for it: the host's own disk and memory are nobody's business here.
CALM = ("--eviction-hard", "memory.available<1Mi")
QUICK = ("--eviction-pressure-transition-period", "0s")


def log_files(node, space, name):
    """The files of the first container's log, by name."""
    uid = space.pod(name)["metadata"]["uid"]
    return {file.name: file for file in (node.logs / "pods" / f"{space.name}_{name}_{uid}" / "main").iterdir()}


def size(files):
    """Bytes of files that may go at any moment."""
    total = 0
    for file in files.values():
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            pass
    return total


def node_condition(space, kind):
    conditions = space.api.get(f"/api/v1/nodes/{space.node.name}")["status"]["conditions"]
    return next(item for item in conditions if item["type"] == kind)


def passed(space, kind, before):
    """Whether a condition has been True since, and is no longer: nobody need have seen it."""
    now = node_condition(space, kind)
    return now["status"] == "False" and now["lastTransitionTime"] != before["lastTransitionTime"]


def taints(space):
    return {item["key"] for item in space.api.get(f"/api/v1/nodes/{space.node.name}")["spec"].get("taints", [])}


def memory_available():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))


def evicted(space, name, seconds=60):
    """The pod, once it was evicted as Kubernetes evicts one."""
    found = space.wait_phase(name, "Failed", seconds)
    expect_equal(found["status"].get("reason"), "Evicted", f"reason of {name}")
    target = next(item for item in found["status"]["conditions"] if item["type"] == "DisruptionTarget")
    expect_equal((target["status"], target["reason"]), ("True", "TerminationByKubelet"), "its DisruptionTarget")
    expect_equal(target["message"], found["status"]["message"], "the condition's message")
    expect_equal(space.wait_event(name, "Evicted").strip(), found["status"]["message"].strip(), "its event")
    return found


@case("a flood of output never takes more than its files may, also while the agent is dead; the last line is kept")
def flood(world):
    node = world.new_node(
        "flood", more=(*CALM, "--container-log-max-size", "1Mi", "--container-log-max-files", "3")
    )
    with node.running():
        space = world.space(node)
        line = "x" * 200
        # What the end cuts off is a line of its own.
        script = f"timeout 6 yes {line}; echo; echo the last words"
        space.create(pod("flood", shell(script)))
        space.wait_ready("flood")
        files = log_files(node, space, "flood")
        node.kill()
        largest, names, deadline = 0, set(), time.monotonic() + 4
        while time.monotonic() < deadline:
            files = log_files_of(files)
            largest = max(largest, size(files))
            names |= set(files)
            expect(len([name for name in files if name != "0.log.next"]) <= 4, f"files: {sorted(files)}")
            time.sleep(0.02)
        expect(largest <= 3 * MIB + (64 << 10), f"the log took {largest} bytes")
        expect(len(names) > 10, f"it was rotated: {sorted(names)[:5]}")
        node.start()
        space.wait_phase("flood", "Succeeded", 30)
        log = space.log("flood", tailLines="2")
        expect_equal(log.splitlines()[-1], "the last words", "the last line")
        whole = space.log("flood").splitlines()
        expect(MIB < sum(len(text) + 1 for text in whole) <= 3 * MIB, f"{len(whole)} lines are left")
        expect_equal(set(whole[:-2]), {line}, "the lines before the cut")


def log_files_of(files):
    """The same directory, looked at again."""
    directory = next(iter(files.values())).parent
    return {file.name: file for file in directory.iterdir()}


@case("kubectl logs -f over many rotations and compressions shows every line once, and logs shows what is kept")
def follow(world):
    node = world.new_node(
        "follow", more=(*CALM, "--container-log-max-size", "20Ki", "--container-log-max-files", "1000")
    )
    with node.running():
        space = world.space(node)
        count = 20000
        script = f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line-$i; [ $((i % 500)) -ne 0 ] || sleep 0.3; done"
        space.create(pod("count", shell(script)))
        space.wait("count", "started", lambda item: "running" in container_status(item).get("state", {}))
        kubectl = world.kubectl(space)
        expected = [f"line-{number}" for number in range(1, count + 1)]
        with contextlib.ExitStack() as stack:
            followers = [
                stack.enter_context(Follower(world.kubectl(space, program).follow("logs", "-f", "count")))
                for program in world.programs
            ]
            for follower in followers:
                lines = follower.rest(90)
                expect_equal(lines[:3] + lines[-3:], expected[:3] + expected[-3:], "first and last lines")
                expect(lines == expected, f"{len(lines)} lines instead of {count}")
        space.wait_phase("count", "Succeeded")
        compressed = lambda: [name for name in log_files(node, space, "count") if name.endswith(".gz")]
        eventually("old files are compressed", lambda: len(compressed()) > 20, 40, 0.5)
        name = compressed()[0]
        with gzip.open(log_files(node, space, "count")[name], "rt") as file:
            expect_contains(file.read(), " stdout F line-", "a compressed file")
        whole = kubectl("logs", "count").splitlines()
        expect(whole == expected, f"logs: {len(whole)} lines instead of {count}")
        tail = kubectl("logs", "count", "--tail", "5000").splitlines()
        expect(tail == expected[-5000:], f"a tail of {len(tail)} lines")


@case("a container that restarts for ever does not fill the disk with the logs of its past")
def restarts(world):
    node = world.new_node("restarts", more=CALM)
    with node.running():
        space = world.space(node)
        script = "echo attempt; [ -e /data/n ] || touch /data/n; exit 1"
        volumes = [{"name": "data", "emptyDir": {}}]
        space.create(
            pod("again", shell(script, volumeMounts=[mount("data", "/data")]), volumes=volumes, restartPolicy="Always")
        )
        space.wait("again", "three restarts", lambda item: container_status(item).get("restartCount", 0) >= 3, 60)
        eventually("old logs are gone", lambda: "0.log" not in log_files(node, space, "again"), 5)
        files = log_files(node, space, "again")
        expect(len(files) <= 2, f"logs of {sorted(files)}")
        expect_equal(space.log("again", previous="true").strip(), "attempt", "the log of the instance before")


@case("an emptyDir beyond its size, and storage beyond its limit, end their pods with the words of Kubernetes")
def storage(world):
    node = world.new_node("storage", more=CALM)
    with node.running():
        space = world.space(node)
        fill = "dd if=/dev/zero of={} bs=1M count=8 2>/dev/null; sleep 100000"
        limits = {"resources": {"limits": {"ephemeral-storage": "4Mi"}}}
        space.create(
            pod(
                "volume",
                shell(fill.format("/data/f"), volumeMounts=[mount("data", "/data")]),
                volumes=[{"name": "data", "emptyDir": {"sizeLimit": "4Mi"}}],
            )
        )
        space.create(pod("layer", shell(fill.format("/var/tmp/f"), **limits)))
        space.create(
            pod(
                "one",
                shell(fill.format("/var/tmp/f"), **limits),
                idle("two", resources={"limits": {"ephemeral-storage": "1Gi"}}),
            )
        )
        space.create(pod("hosts", shell(fill.format("/etc/hosts"), **limits)))
        space.create(pod("words", shell(fill.format("/dev/termination-log"), **limits)))
        space.create(pod("log", shell("head -c 8388608 /dev/zero | tr '\\0' '\\n'; sleep 100000", **limits)))
        space.create(
            pod(
                "modest",
                shell("dd if=/dev/zero of=/data/f bs=1M count=2; sleep 100000", volumeMounts=[mount("data", "/data")], **limits),
                volumes=[{"name": "data", "emptyDir": {"sizeLimit": "3Mi"}}],
            )
        )
        pod_words = "Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. "
        expected = {
            "volume": 'Usage of EmptyDir volume "data" exceeds the limit "4Mi". ',
            "layer": pod_words,
            "one": 'Container main exceeded its local ephemeral storage limit "4Mi". ',
            "hosts": pod_words,
            "words": pod_words,
            "log": pod_words,
        }
        for name, words in expected.items():
            expect_equal(evicted(space, name)["status"]["message"], words, f"message of {name}")
        expect_equal(space.pod("modest")["status"]["phase"], "Running", "the pod within its limits")
        # What an evicted pod had stored is given back though the pod is still there.
        uid = space.pod("volume")["metadata"]["uid"]
        expect(not (node.root / "pods" / uid / "volumes").exists(), "the volume is gone")
        layers = sum(file.stat().st_size for file in (node.root / "containers").glob("*/upper/var/tmp/f"))
        expect_equal(layers, 0, "bytes of the layers")


@case("memory pressure: the pod that uses more than it asked for goes, a critical one stays, and newcomers are turned away")
def memory(world):
    if not os.environ.get("SWIFTLET_CONFORMANCE_MEMORY_PRESSURE"):
        raise Skipped("needs a machine of which nobody else takes or gives 250 MiB of memory meanwhile")
    threshold = memory_available() - 250 * MIB
    more = ("--eviction-hard", f"memory.available<{threshold}", "--eviction-pressure-transition-period", "8s")
    node = world.new_node("memory", more=more)
    with node.running():
        space = world.space(node)
        space.create(pod("precious", idle(), priorityClassName="system-node-critical"))
        space.wait_ready("precious")
        hog = "my $x = ''; $x .= 'x' x (1 << 20) for 1 .. 380; sleep 100000"
        space.create(
            pod(
                "hog",
                {"name": "main", "image": "host:///", "command": ["perl", "-e", hog],
                 "resources": {"requests": {"memory": "32Mi"}, "limits": {"memory": "480Mi"}}},
            )
        )
        found = evicted(space, "hog", 60)
        words = found["status"]["message"]
        expect_contains(words, "The node was low on resource: memory. Threshold quantity: ", "its message")
        expect_contains(words, "Container main was using ", "its message")
        expect_contains(words, "request is 32Mi, has larger consumption of memory. ", "its message")
        eventually("the node tells", lambda: node_condition(space, "MemoryPressure")["status"] == "True", 15, 0.2)
        eventually("its taint", lambda: "node.kubernetes.io/memory-pressure" in taints(space), 10, 0.2)
        # Past the scheduler, as a daemon or a static pod would come.
        space.create(pod("newcomer", idle(), nodeName=node.name))
        refused = space.wait_phase("newcomer", "Failed")
        expect_equal(refused["status"].get("reason"), "Evicted", "its reason")
        expect_contains(refused["status"]["message"], "The node had condition: [MemoryPressure].", "its message")
        expect_equal(space.pod("precious")["status"]["phase"], "Running", "phase of the critical pod")
        eventually("the condition ends", lambda: node_condition(space, "MemoryPressure")["status"] == "False", 60, 0.5)
        eventually("so does its taint", lambda: "node.kubernetes.io/memory-pressure" not in taints(space), 15, 0.2)
        space.create(pod("later", idle()))
        space.wait_ready("later")


@case("a critical pod for which there is no room has it made by the pod that costs least, also over kill -9 of the agent")
def preemption(world):
    node = world.new_node("preemption", more=CALM)
    with node.running():
        space = world.space(node)
        total = space.api.get(f"/api/v1/nodes/{node.name}")["status"]["allocatable"]["cpu"]
        total = int(total[:-1]) if total.endswith("m") else int(total) * 1000

        def asking(milli):
            return {"requests": {"cpu": f"{milli}m"}}

        # Deaf to the signal, so that it takes its grace to end.
        deaf = shell("trap '' TERM; while :; do sleep 1; done", resources=asking(300))
        space.create(pod("large", idle(resources=asking(total - 500))))
        space.create(pod("small", deaf, terminationGracePeriodSeconds=4))
        space.create(pod("precious", idle(), priorityClassName="system-node-critical"))
        for name in ("large", "small", "precious"):
            space.wait_ready(name)
        # 200 of them are free.
        space.create(pod("plain", idle(resources=asking(400)), nodeName=node.name))
        expect_equal(space.wait_phase("plain", "Failed")["status"]["reason"], "OutOfcpu", "one that is not critical")
        space.create(pod("critical", idle(resources=asking(400)), priorityClassName="system-node-critical", nodeName=node.name))
        expect_equal(
            space.wait_event("small", "Preempting").strip(), "Preempted in order to admit critical pod", "its event"
        )
        status, text = node.local("/metrics")
        expect_equal(status, 200, "metrics")
        expect_contains(text, 'kubelet_preemptions{preemption_signal="cpu"} 1\n', "metrics")
        # What was decided is kept: the next agent does not start the pod again.
        node.kill()
        node.start()
        found = space.wait_phase("small", "Failed", 30)
        expect_equal(found["status"]["reason"], "Preempting", "reason of the pod that went")
        expect_equal(found["status"]["message"], "Preempted in order to admit critical pod", "its message")
        target = next(item for item in found["status"]["conditions"] if item["type"] == "DisruptionTarget")
        expect_equal((target["status"], target["reason"]), ("True", "TerminationByKubelet"), "its DisruptionTarget")
        expect_equal(
            target["message"], "Pod was preempted by Kubelet to accommodate a critical pod.", "the condition's message"
        )
        space.wait_ready("critical")
        for name in ("large", "precious"):
            expect_equal(space.pod(name)["status"]["phase"], "Running", f"phase of {name}")
        # Not even all the others make room for this one.
        space.create(pod("giant", idle(resources=asking(total * 2)), priorityClassName="system-node-critical", nodeName=node.name))
        refused = space.wait_phase("giant", "Failed")["status"]
        expect_equal(refused["reason"], "UnexpectedAdmissionError", "why it was refused")
        expect_contains(refused["message"], "no set of running pods found to reclaim resources: [(res: cpu", "message")
        expect_equal(space.pod("large")["status"]["phase"], "Running", "phase of the largest")


@case("disk pressure: who fills the disk is evicted, which frees it; the condition comes, is held and goes")
def disk(world):
    more = ("--eviction-hard", "nodefs.available<20%,nodefs.inodesFree<5%", *QUICK)
    node = world.new_node("pressure", more=more)
    with small_disk(node.root, 128), node.running():
        space = world.space(node)
        calm = node_condition(space, "DiskPressure")
        space.create(pod("steady", idle()))
        space.create(pod("precious", idle(), priorityClassName="system-node-critical"))
        for name in ("steady", "precious"):
            space.wait_ready(name)
        fill = "dd if=/dev/zero of=/fill/all bs=65536; sleep 100000"
        space.create(
            pod(
                "hog",
                shell(fill, volumeMounts=[mount("fill", "/fill")]),
                volumes=[{"name": "fill", "emptyDir": {}}],
            )
        )
        found = evicted(space, "hog", 60)
        expect_contains(
            found["status"]["message"], "The node was low on resource: ephemeral-storage. Threshold quantity: ", "words"
        )
        eventually("the node was under pressure and is well", lambda: passed(space, "DiskPressure", calm), 40, 0.5)
        expect_equal(space.pod("steady")["status"]["phase"], "Running", "phase of the pod that stores nothing")
        eventually("no taint is left", lambda: not taints(space), 15, 0.2)
        space.create(pod("later", idle()))
        space.wait_ready("later", 40)
        expect_equal(condition(space.pod("precious"), "Ready"), "True", "the pod that must stay")


@case("a disk that is full of what is no pod's: the node tells and turns pods away, and takes them again afterwards")
def foreign(world):
    more = ("--eviction-hard", "nodefs.available<20%", *QUICK)
    node = world.new_node("foreign", more=more)
    with small_disk(node.root, 128) as disk_, node.running():
        space = world.space(node)
        space.create(pod("precious", idle(), priorityClassName="system-node-critical"))
        space.wait_ready("precious")
        with open(node.root / ".ballast", "wb") as file:
            file.write(b"\1" * (90 * MIB))
        eventually("the node tells", lambda: node_condition(space, "DiskPressure")["status"] == "True", 30, 0.2)
        expect_contains(node_condition(space, "DiskPressure")["message"], "nodefs.available<20%", "its message")
        eventually("its taint", lambda: "node.kubernetes.io/disk-pressure" in taints(space), 10, 0.2)
        space.create(pod("newcomer", idle(), nodeName=node.name))
        refused = space.wait_phase("newcomer", "Failed")
        expect_equal(refused["status"].get("reason"), "Evicted", "its reason")
        expect_contains(refused["status"]["message"], "The node had condition: [DiskPressure].", "its message")
        expect_equal(space.pod("precious")["status"]["phase"], "Running", "the critical pod")
        disk_.free()
        eventually("the node is well", lambda: node_condition(space, "DiskPressure")["status"] == "False", 30, 0.5)
        eventually("no taint is left", lambda: not taints(space), 15, 0.2)
        space.create(pod("later", idle()))
        space.wait_ready("later", 40)


@case("inode pressure: who takes every inode with empty files is evicted, which gives them back; the others never notice")
def inodes(world):
    more = ("--eviction-hard", "nodefs.inodesFree<20%", *QUICK)
    node = world.new_node("inodes-pressure", more=more)
    with small_disk(node.root, 64, "-N", "4096"), node.running():
        space = world.space(node)
        calm = node_condition(space, "DiskPressure")
        space.create(pod("steady", idle()))
        before = space.wait_ready("steady")
        # Nothing in them: the bytes of the disk are no reason to evict anybody.
        fill = "my $i = 0; while (open my $f, '>', '/fill/' . $i++) {} sleep 100000"
        space.create(
            pod(
                "hog",
                {"name": "main", "image": "host:///", "command": ["perl", "-e", fill],
                 "volumeMounts": [mount("fill", "/fill")]},
                volumes=[{"name": "fill", "emptyDir": {}}],
            )
        )
        found = evicted(space, "hog", 60)
        expect_contains(found["status"]["message"], "The node was low on resource: inodes. Threshold quantity: ", "words")
        eventually("the node was under pressure and is well", lambda: passed(space, "DiskPressure", calm), 40, 0.5)
        eventually("no taint is left", lambda: not taints(space), 15, 0.2)
        after = container_status(space.pod("steady"))
        expect_equal(
            (after["containerID"], after["restartCount"]), (container_status(before)["containerID"], 0),
            "the pod beside it: container and restarts")
        space.create(pod("later", idle()))
        space.wait_ready("later", 40)


def processes_available():
    """What may still be started on the host, as `pid.available` counts: tasks, threads included."""
    with open("/proc/loadavg", encoding="ascii") as file:
        tasks = int(file.read().split()[3].split("/")[1])
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
        most = int(file.read())
    with open("/proc/sys/kernel/threads-max", encoding="ascii") as file:
        return min(most, int(file.read())) - tasks


@case("process pressure: who starts thousands of processes is evicted, and the node tells and turns newcomers away", alone=True)
def processes(world):
    # Others on the host start and end some hundreds of processes meanwhile.
    threshold = processes_available() - 1500
    more = ("--eviction-hard", f"pid.available<{threshold}", "--eviction-pressure-transition-period", "3s")
    node = world.new_node("processes", more=more)
    with node.running():
        space = world.space(node)
        space.create(pod("steady", idle()))
        space.create(pod("precious", idle(), priorityClassName="system-node-critical"))
        for name in ("steady", "precious"):
            space.wait_ready(name)
        crowd = "my $n = 0; while ($n++ < 3000) { my $p = fork; if (defined $p && !$p) { sleep 100000; exit } } sleep 100000"
        space.create(pod("crowd", {"name": "main", "image": "host:///", "command": ["perl", "-e", crowd]}))
        found = evicted(space, "crowd", 60)
        expect_contains(found["status"]["message"], "The node was low on resource: pids. Threshold quantity: ", "words")
        eventually("the node tells", lambda: node_condition(space, "PIDPressure")["status"] == "True", 15, 0.2)
        space.create(pod("newcomer", idle(), nodeName=node.name))
        refused = space.wait_phase("newcomer", "Failed")
        expect_contains(refused["status"]["message"], "The node had condition: [PIDPressure].", "its message")
        eventually("the condition ends", lambda: node_condition(space, "PIDPressure")["status"] == "False", 60, 0.5)
        for name in ("steady", "precious"):
            expect_equal(container_status(space.pod(name))["restartCount"], 0, f"restarts of {name}")
            expect_equal(space.pod(name)["status"]["phase"], "Running", f"phase of {name}")


@case("settings that make no sense are refused in one line that names them")
def settings(world):
    node = world.new_node("unsound")
    for flags, words in (
        (("--eviction-hard", "memory<100Mi"), "--eviction-hard memory: unknown signal"),
        (("--eviction-soft", "memory.available<100Mi"), "--eviction-soft memory.available: needs a time"),
        (("--container-log-max-files", "1"), "--container-log-max-files 1: must be at least 2"),
        (("--container-log-max-size", "ten"), "--container-log-max-size ten: not a size"),
        (("--eviction-pressure-transition-period", "5"), "--eviction-pressure-transition-period 5: not a duration"),
    ):
        node.more = list(flags)
        node.launch()
        expect(node.process.wait(timeout=20) != 0, f"{flags} was taken")
        expect_contains(node.output.read_text(), words, f"the error for {flags}")
    node.is_ended = True
