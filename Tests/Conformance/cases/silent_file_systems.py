"""File systems whose server, driver or disk is gone: whoever touches them sleeps in the kernel, deaf to every signal. No part of a
node may be that one."""

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.hanging import hanging
from rig.pods import idle, mount, pod

# More than the node has threads for such things.
CROWD = 12


def user(name, path, **fields):
    """A pod that has a directory of the host's, and never looks into it."""
    container = idle(volumeMounts=[mount("h", "/h", **fields)])
    return pod(name, container, volumes=[{"name": "h", "hostPath": {"path": str(path)}}])


def figures(node):
    """What the node tells of its use, by both ways."""
    proxy = f"/api/v1/nodes/{node.name}/proxy"
    summary = node.api.get(f"{proxy}/stats/summary")
    expect(summary["node"]["cpu"], "no figures of the node")
    return {item["podRef"]["name"] for item in summary["pods"]}


def mounts_below(node):
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return [line for line in table if f" {node.root}/pods/" in line and " - fuse " in line]


@case("a file system that falls silent holds up its own pods' start only: other pods, every end, and the node go on")
def silent(world):
    node = world.new_node("silent").start()
    space = world.space(node)
    place = world.temporary("silent")
    with hanging(place) as system:
        space.create(user("holder", place))
        # A mount of it below the pod's own directory.
        space.create(user("part", place, subPath="."))
        space.create(pod("other", idle()))
        for name in ("holder", "part", "other"):
            uid = space.wait_ready(name)["metadata"]["uid"]
        expect(mounts_below(node), "the part is not mounted: nothing was tested")
        system.fall_silent()
        for number in range(CROWD):
            space.create(user(f"late-{number}", place / str(number)))
        space.create(user("late", place))
        expect_contains(space.wait_event("late", "FailedMount"), f"{place} does not answer", "why it waits")
        space.create(pod("more", idle()))
        space.wait_ready("more")
        expect("other" in figures(node), "the other pod has no figures")
        for name in ("holder", "part", "late-0"):
            space.delete(name)
            space.wait_gone(name)
        eventually("its mount goes", lambda: not mounts_below(node))
        # A pod that is there when the agent comes back.
        began = node.settled_processes(uid)
        node.kill()
        node.start()
        space.create(pod("again", idle()))
        space.wait_ready("again")
        expect_equal(node.pod_processes(uid), began, "the other pod's processes")
        expect_equal(node.terminate(), 0, "how the agent ends")
        node.start()
        system.come_back()
        space.wait_ready("late", 60)
        system.fall_silent()
        node.stop_all()
        expect(not node.pod_processes(), "processes of pods are left")
        node.is_ended = True


@case("a node whose pods lie on silent file systems comes back, and ends, with kill -9 at any time")
def silent_deaths(world):
    node = world.new_node("mute").start()
    space = world.space(node)
    place = world.temporary("mute")
    with hanging(place) as system:
        space.create(user("part", place, subPath="."))
        space.wait_ready("part")
        system.fall_silent()
        space.create(user("late", place))
        space.wait_event("late", "FailedMount")
        node.kill()
        node.start()
        space.create(pod("other", idle()))
        space.wait_ready("other")
        space.delete("part", grace=0)
        node.kill()
        # Its end is no orderly one.
        node.process = None
        node.stop_all()
        expect(not mounts_below(node), "mounts are left")
        expect(not node.pod_processes(), "processes of pods are left")
        node.is_ended = True
