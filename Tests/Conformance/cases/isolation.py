"""A container gets the isolation that its pod asks for, at start, exec and restart: seen from within."""

from rig.case import case
from rig.expectation import expect, expect_equal
from rig.observation import Observation, differences
from rig.pods import pod
from rig.postures import POSTURES
from rig.probe import container, imported, observed


def unequal(first, second):
    """One line for each fact in which two processes of one container differ."""
    one, other = first.identity(), second.identity()
    return [
        f"{name}: {one.get(name)!r} and {other.get(name)!r}"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


@case("each security setting gives a container exactly the credentials, mounts, devices and refusals that it should")
def postures(space, world):
    problems = []
    for number, posture in enumerate(POSTURES):
        first, second = observed(
            space, world, f"posture-{number}", posture.container, **posture.spec,
            **({"securityContext": posture.pod} if posture.pod else {}))
        table = {**posture.table, **posture.stricter}
        for who, seen in (("first process", first), ("exec", second)):
            problems += [f"{posture.name}, {who}: {line}" for line in differences(table, seen.facts())]
        problems += [f"{posture.name}, exec is not as the first process: {line}" for line in unequal(first, second)]
    expect(not problems, "\n".join(problems))


@case("a restarted container is as it was: credentials, limits, what is hidden, read-only and refused")
def restarted(space, world):
    imported(space.node, world)
    security = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "runAsUser": 1000}
    script = "n=$(ls /volume | wc -l); /probe attempts /volume/$n; test $n = 0 && exit 3; cat /volume/0 /volume/1"
    space.create(
        pod(
            "again",
            dict(
                container([]), command=["/bin/sh", "-c", script], securityContext=security,
                volumeMounts=[{"name": "volume", "mountPath": "/volume"}]),
            restartPolicy="OnFailure", volumes=[{"name": "volume", "emptyDir": {}}]))
    first, second = space.finished_log("again", seconds=60).split("\n{")
    # A new instance has namespaces of its own in the same sandbox, and a cgroup of its own.
    apart = ("namespace mnt", "namespace pid", "namespace pid_for_children", "namespace cgroup", "mounts")
    lines = unequal(Observation(first), Observation("{" + second))
    lines = [line for line in lines if not line.startswith(apart)]
    expect(not lines, "\n".join(lines))


@case("what is seen is the pod's: its name, its sandbox's namespaces, its own processes only")
def surroundings(space, world):
    first, second = observed(space, world, "seen", attempts=False)
    expect_equal(first.raw["hostname"], "seen", "hostname")
    expect_equal(first.raw["pid"], 1, "the first process's number")
    expect(set(first.raw["processes"]) <= {1, 2, 3}, f"processes seen: {first.raw['processes']}")
    expect_equal(second.raw["ppid"], 0, "an exec's parent is outside")
    names = sorted(line.split(":")[0].strip() for line in first.raw["interfaces"][2:])
    expect_equal(names, ["eth0", "lo"], "interfaces")
