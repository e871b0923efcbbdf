"""Disks that are full, sealed or failing: running pods go on, the user is told, and it all ends with the cause."""

import json
import re
import shutil
import subprocess

from rig.archives import busybox_layer, docker_archive
from rig.case import case
from rig.disk import small_disk
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import config_map, idle, mount, pod, shell
from rig.refusal import fails
from rig.space import condition, container_status

# What a full disk means for pods that stay on it: eviction has cases of its own.
CALM = ("--eviction-hard", "memory.available<1Mi")
COUNTER = "trap 'exit 0' TERM; n=0; while :; do n=$((n+1)); echo $n > /count/n; echo line-$n; sleep 0.1; done"


def counting(space, name, place, script=COUNTER):
    """Creates a pod that counts in a file of the host, and returns a function that tells how far it is."""
    place.mkdir()
    space.create(
        pod(
            name,
            shell(script, volumeMounts=[mount("count", "/count")]),
            volumes=[{"name": "count", "hostPath": {"path": str(place)}}],
        )
    )
    space.wait_ready(name)

    def text():
        # The shell empties the file before it writes.
        return (place / "n").exists() and (place / "n").read_text().strip()

    return lambda: int(eventually(f"{name} has counted", text, 5, 0.005))


def last_line(log):
    """The number of the last line of a counting pod's log."""
    return max((int(number) for number in re.findall(r"^line-(\d+) ", log, re.M)), default=0)


def goes_on(count, what):
    """The pod counts further from now on."""
    start = count()
    eventually(f"{what}: the pod counts on", lambda: count() > start + 2, 10)


def untouched(space, name, before):
    """It is the container of before, and it never restarted."""
    status = container_status(space.pod(name))
    expect_equal(
        (status["containerID"], status["restartCount"]),
        (container_status(before)["containerID"], 0),
        f"container and restarts of {name}",
    )


def node_condition(space, kind):
    conditions = space.api.get(f"/api/v1/nodes/{space.node.name}")["status"]["conditions"]
    return next((item for item in conditions if item["type"] == kind), {})


@case("on a full disk kubectl is told, what was stored stays, pods go on, and all is well once there is space")
def full_root(world):
    node = world.new_node("full", more=CALM)
    with small_disk(node.root, 64) as disk, node.running():
        space = world.space(node)
        clients = [world.kubectl(space, program) for program in world.programs]
        count = counting(space, "steady", node.directory / "count")
        before = space.pod("steady")
        clients[0]("create", "-f", "-", given=config_map("before", text="stored"))
        disk.fill()
        for kubectl in clients:
            error = kubectl.refused("create", "-f", "-", given=config_map("large", text="y" * 200_000))
            expect_contains(error, "no space left on the disk of", "the error")
            expect_contains(error, str(node.root), "the error")
            expect_equal(kubectl("get", "configmap", "before", "-o", "jsonpath={.data.text}"), "stored", "its text")
            missing = kubectl.refused("get", "configmap", "large")
            expect_contains(missing, "not found", "get of what was refused")
        # What frees space is taken all the same.
        clients[0]("create", "-f", "-", given=config_map("small", text="z"))
        clients[1]("delete", "configmap", "small")
        goes_on(count, "full disk")
        expect_contains(node.swiftlet("ps").stdout, "steady", "swiftlet ps")
        # Ended at the worst time, the node still comes back, with what was stored and with its pods.
        node.kill()
        node.start()
        expect_equal(clients[1]("get", "configmap", "before", "-o", "jsonpath={.data.text}"), "stored", "its text")
        goes_on(count, "full disk, new agent")
        disk.free()
        clients[1]("create", "-f", "-", given=config_map("large", text="y" * 200_000))
        space.create(pod("later", idle()))
        space.wait_ready("later", 40)
        untouched(space, "steady", before)
        node.kill()
        node.start()
        expect_equal(len(space.api.get(space.path("configmaps", "large"))["data"]["text"]), 200_000, "its length")


@case("ext4 is told that pods and containers have nothing to do with each other, so that it looks for no files beside those gone")
def marked_directories(world):
    node = world.new_node("marked", more=CALM)
    with small_disk(node.root, 64), node.running():
        places = [str(node.root / name) for name in ("pods", "containers")]
        result = subprocess.run(["lsattr", "-d", *places], capture_output=True, text=True, check=True)
        for line in result.stdout.splitlines():
            expect_contains(line.split()[0], "T", f"chattr(1)'s flags of {line.split()[1]}")


@case("a pod that fills the disk can be deleted, which frees it")
def hog(world):
    node = world.new_node("hog", more=CALM)
    with small_disk(node.root, 64), node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        count = counting(space, "steady", node.directory / "count")
        before = space.pod("steady")
        filler = "dd if=/dev/zero of=/fill/all bs=65536; dd if=/dev/zero of=/fill/rest bs=512; echo full; sleep 100000"
        space.create(
            pod(
                "hog",
                shell(filler, volumeMounts=[mount("fill", "/fill")]),
                volumes=[{"name": "fill", "emptyDir": {}}],
            )
        )
        eventually("the disk is full", lambda: "\nfull" in space.log("hog"), 40)
        expect_contains(space.log("hog"), "No space left on device", "what the pod itself saw")
        goes_on(count, "full disk")
        kubectl("delete", "pod", "hog", seconds=60)
        kubectl("create", "-f", "-", given=config_map("large", text="y" * 200_000))
        space.create(pod("later", idle()))
        space.wait_ready("later", 40)
        untouched(space, "steady", before)


@case("a pod that finds the disk full says so in an event, and starts once there is space")
def full_for_pod(world):
    node = world.new_node("tight", more=CALM)
    with small_disk(node.root, 64) as disk, node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        count = counting(space, "steady", node.directory / "count")
        before = space.pod("steady")
        disk.fill()
        space.create(pod("unlucky", idle()))
        eventually(
            "describe names the reason", lambda: "o space left" in kubectl("describe", "pod", "unlucky"), 20, 0.5
        )
        expect_equal(space.pod("unlucky")["status"]["phase"], "Pending", "its phase")
        goes_on(count, "full disk")
        disk.free()
        space.wait_ready("unlucky", 40)
        untouched(space, "steady", before)


@case("a disk without inodes is told by the pod, and forgotten when there are some")
def out_of_inodes(world):
    node = world.new_node("inodes", more=CALM)
    with small_disk(node.root, 64, "-N", "512") as disk, node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        count = counting(space, "steady", node.directory / "count")
        before = space.pod("steady")
        disk.fill_inodes()
        space.create(pod("unlucky", idle()))
        eventually(
            "describe names the reason", lambda: "o space left" in kubectl("describe", "pod", "unlucky"), 20, 0.5
        )
        goes_on(count, "no inodes")
        disk.free()
        space.wait_ready("unlucky", 40)
        untouched(space, "steady", before)


@case("an import on a full disk is refused in one line, leaves nothing, and works once there is space")
def full_import(world):
    node = world.new_node("import", more=CALM)
    archive = docker_archive(world.temporary("full") / "box.tar", "example.org/full:1", busybox_layer())
    with small_disk(node.root, 64) as disk, node.running():
        before = node.swiftlet("image", "ls").stdout
        disk.fill()
        result = node.swiftlet("image", "import", str(archive))
        expect(result.returncode not in (0, -6, -11), f"exit of the import: {result.returncode}")
        expect_equal(len(result.stderr.strip().splitlines()), 1, f"lines of the error: {result.stderr}")
        expect_contains(result.stderr, "o space left", "the error")
        expect_equal(node.swiftlet("image", "ls").stdout, before, "image ls")
        disk.free()
        free = shutil.disk_usage(node.root).free
        for _ in range(2):
            result = node.swiftlet("image", "import", str(archive))
            expect_equal(result.returncode, 0, f"import with space: {result.stderr}")
            expect_equal(node.swiftlet("image", "rm", "example.org/full:1").returncode, 0, "image rm")
        eventually("what it took is free again", lambda: shutil.disk_usage(node.root).free > free - (1 << 20), 10)


@case("full logs block no container; new lines and new pods come once there is space")
def full_logs(world):
    node = world.new_node("logs", more=CALM)
    chatty = "l=$(head -c 4000 /dev/zero | tr '\\0' x); " + COUNTER.replace("echo line-$n", "echo line-$n $l")
    with small_disk(node.logs, 16) as disk, node.running():
        space = world.space(node)
        count = counting(space, "chatty", node.directory / "count", chatty.replace("sleep 0.1", "sleep 0.02"))
        before = space.pod("chatty")
        eventually("its log", lambda: "line-3 " in space.log("chatty"))
        disk.fill()
        for _ in range(3):
            goes_on(count, "full logs")
        expect_contains(space.log("chatty"), "line-1 ", "the log of a full disk")
        space.create(pod("quiet", shell("echo heard; exec sleep 100000")))
        state = space.wait(
            "quiet",
            "running or told why not",
            lambda item: "running" in container_status(item).get("state", {})
            or "o space left" in container_status(item).get("state", {}).get("waiting", {}).get("message", ""),
        )
        disk.free()
        if "running" not in container_status(state)["state"]:
            space.wait_ready("quiet", 40)
            eventually("its log", lambda: "heard" in space.log("quiet"))
        start = count()
        eventually("new lines", lambda: last_line(space.log("chatty", tailLines="3")) > start, 20, 0.2)
        # What a full disk cut off is nobody's line, and spoils no other.
        broken = [line[:60] for line in space.log("chatty").splitlines() if not re.fullmatch(r"line-\d+ x{4000}", line)]
        expect(len(broken) <= 1, f"{len(broken)} broken lines, such as {broken[:3]}")
        untouched(space, "chatty", before)


@case("a root that becomes read-only is told by node and pod, running pods go on, and it is forgotten afterwards")
def sealed_root(world):
    node = world.new_node("seal", more=CALM)
    with small_disk(node.root, 64) as disk, node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        count = counting(space, "steady", node.directory / "count")
        before = space.pod("steady")
        with disk.sealed():
            space.create(pod("unlucky", idle()))
            eventually(
                "describe names the reason",
                lambda: "ead-only file system" in kubectl("describe", "pod", "unlucky"),
                20,
                0.5,
            )
            told = eventually(
                "the node tells",
                lambda: (found := node_condition(space, "Ready")).get("status") != "True" and found,
                25,
                0.5,
            )
            expect_contains(told["message"], f"{node.root} is mounted read-only", "the condition's message")
            goes_on(count, "sealed root")
            expect_equal(condition(space.pod("steady"), "Ready"), "True", "Ready of the running pod")
            expect(json.loads(node.swiftlet("ps", "-o", "json").stdout), "swiftlet ps lists pods")
        space.wait_ready("unlucky", 40)
        eventually("the node is Ready", lambda: node_condition(space, "Ready")["status"] == "True", 25, 0.5)
        untouched(space, "steady", before)


@case("when its disk fails, running pods go on, kubectl is told, stop ends all, and after the repair nothing is lost")
def failing_root(world):
    node = world.new_node("failing", more=CALM)
    with small_disk(node.root, 64) as disk:
        with node.running():
            space = world.space(node)
            kubectl = world.kubectl(space)
            count = counting(space, "steady", node.directory / "count")
            kubectl("create", "-f", "-", given=config_map("before", text="stored"))
            disk.fail()
            error = kubectl.refused("create", "-f", "-", given=config_map("after", text="lost"))
            expect_contains(error, f"cannot write to {node.root}", "the error")
            goes_on(count, "failed disk")
            expect_contains(kubectl("get", "configmap", "before", "-o", "jsonpath={.data.text}"), "stored", "its text")
            expect_contains(node.swiftlet("ps").stdout, "steady", "swiftlet ps")
        expect_equal(node.pod_processes(), set(), "processes after stop --all")
        fails(node.up_command(), str(node.root), "Read-only file system", "mount it read-write")
        disk.repair()
        with node.running():
            kubectl = world.kubectl(space)
            expect_equal(kubectl("get", "configmap", "before", "-o", "jsonpath={.data.text}"), "stored", "its text")
            expect_contains(kubectl.refused("get", "configmap", "after"), "not found", "get of what was refused")
            space.create(pod("later", idle()))
            space.wait_ready("later")
