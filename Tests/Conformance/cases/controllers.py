"""Hosts that lack a cgroup controller: pods run, and what is not enforced is said wherever one looks."""

import pathlib

from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod

LIMITS = {"cpu": "500m", "memory": "64Mi"}
# The limit of a pod that each controller would enforce, as the pod's event says it.
ENFORCED = {"memory": "memory limit", "cpu": "CPU limit", "pids": "process limit"}


def without(controller):
    """Words that run a program where the host has no such controller.

    A mount namespace of its own lacks the hierarchy of cgroup v1; the host keeps it, and a process that is in no cgroup
    of it but the root's is limited by none.
    """
    place = pathlib.Path("/sys/fs/cgroup") / controller
    kind = next(
        (line.split(" - ")[1].split() for line in mounts() if line.split()[4] == str(place)), ("nothing", "", "")
    )
    if kind[0] != "cgroup" or controller not in kind[2].split(","):
        raise Skipped(f"{place} is no hierarchy of cgroup v1 that could be taken away from a node")
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", f'umount {place} && exec "$@"', "sh")


def mounts():
    return pathlib.Path("/proc/self/mountinfo").read_text().splitlines()


def missing_controller(world, controller):
    node = world.new_node(f"no-{controller}", within=without(controller))
    with node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        found = node.check()
        expect_contains(found.stdout, f"The {controller} controller is missing", "swiftlet check")
        expect_equal(found.returncode, 0, "exit of swiftlet check: a warning is no failure")
        condition = eventually(
            "the node's condition",
            lambda: next(
                (
                    item
                    for item in space.api.get(f"/api/v1/nodes/{node.name}")["status"]["conditions"]
                    if item["type"] == "swiftlet.dev/ResourcesEnforced"
                ),
                None,
            ),
        )
        expect_equal(condition["status"], "False", "ResourcesEnforced")
        expect_contains(condition["message"], f"{controller} controller is missing", "the condition's message")
        expect_contains(kubectl("describe", "node", node.name), f"{controller} controller is missing", "describe node")
        space.create(pod("limited", idle(resources={"limits": LIMITS})))
        uid = space.wait_ready("limited")["metadata"]["uid"]
        eventually(
            "the pod's event",
            lambda: any(
                reason == "ResourceNotEnforced"
                and f"{ENFORCED[controller]} is not enforced" in text
                and f"the {controller} controller" in text
                for reason, text in space.events("limited")
            ),
        )
        expect_contains(kubectl("describe", "pod", "limited"), f"{ENFORCED[controller]} is not enforced", "describe")
        told = {text for reason, text in space.events("limited") if reason == "ResourceNotEnforced"}
        others = [text for text in told if f"the {controller} controller" not in text]
        expect(not others, f"said of controllers that the host has: {others}")
        # What the host has is enforced all the same.
        for other in ENFORCED.keys() - {controller}:
            expect(
                list(pathlib.Path(f"/sys/fs/cgroup/{other}/swiftlet-{node.identity}").glob(f"**/*{uid}*/main.0")),
                f"the container has no cgroup with {other}",
            )
        expect(
            not pathlib.Path(f"/sys/fs/cgroup/{controller}/swiftlet-{node.identity}").exists(),
            f"the node made a cgroup with {controller}, which it should not see",
        )
        space.delete("limited", grace=0)
        space.wait_gone("limited")


@case("without the memory controller pods run, and check, node and pod say that the limit is not enforced")
def no_memory(world):
    missing_controller(world, "memory")


@case("without the cpu controller pods run, and check, node and pod say that the limit is not enforced")
def no_cpu(world):
    missing_controller(world, "cpu")


@case("without the pids controller pods run, and check, node and pod say that the limit is not enforced")
def no_pids(world):
    missing_controller(world, "pids")
