"""Limits are in force, and breaking one is told."""

from rig.case import case
from rig.expectation import Skipped, expect, expect_equal
from rig.pods import idle, pod
from rig.space import terminated


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


@case("limits of cpu and memory are in the container's cgroup files")
def limits(space):
    space.create(pod("small", idle(resources={"limits": {"cpu": "250m", "memory": "48Mi"}})))
    uid = space.wait_ready("small")["metadata"]["uid"]
    found = {}
    for root in space.node.cgroups():
        for kind, names in {
            "memory": ("memory.max", "memory.limit_in_bytes"),
            "cpu": ("cpu.max", "cpu.cfs_quota_us"),
        }.items():
            for name in names:
                for file in root.rglob(name):
                    if uid in str(file):
                        found.setdefault(kind, set()).add(file.read_text().strip())
    if not found:
        raise Skipped("no memory or cpu controller on this host")
    expect(str(48 << 20) in found.get("memory", ()), f"memory limits: {found}")
    expect({"25000", "25000 100000"} & found.get("cpu", set()), f"cpu limits: {found}")
