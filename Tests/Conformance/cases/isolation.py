"""A container gets the isolation that its pod asks for, at start, exec and restart: seen from within."""

import json

from rig.case import case
from rig.expectation import Failure, expect, expect_equal
from rig.observation import Observation, differences
from rig.pods import pod
from rig.postures import POSTURES, UNFILTERED, USER_NAMESPACE, Posture
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
    problems = judge(space, world, POSTURES)
    expect(not problems, "\n".join(problems))


def judge(space, world, postures_):
    """Every difference between what the containers of such pods see and the tables, one line each."""
    problems = []
    for number, posture in enumerate(postures_):
        try:
            first, second = observed(
                space, world, f"posture-{number}", posture.container, **posture.spec,
                **({"securityContext": posture.pod} if posture.pod else {}))
        except Failure as failure:
            problems.append(f"{posture.name}: {failure}")
            continue
        table = {**posture.table, **posture.stricter}
        for who, seen in (("first process", first), ("exec", second)):
            problems += [f"{posture.name}, {who}: {line}" for line in differences(table, seen.facts(), posture.without)]
        problems += [f"{posture.name}, exec is not as the first process: {line}" for line in unequal(first, second)]
    return problems


@case("in a user namespace root has its capabilities for its own, and is an unprivileged range of the host's users")
def user_namespace(space, world):
    problems = judge(space, world, [USER_NAMESPACE])
    maps = [observed(space, world, f"mapped-{number}", attempts=False, hostUsers=False)[0] for number in range(2)]
    ranges = []
    for seen in maps:
        for kind in ("uid_map", "gid_map"):
            inside, outside, length = map(int, seen.raw["files"][f"/proc/self/{kind}"].split())
            expect_equal((inside, length % 65536), (0, 0), f"{kind}: first number inside, and length modulo 65536")
            expect(outside >= 65536 and outside % 65536 == 0, f"{kind}: the host's {outside}")
        ranges.append((outside, outside + length))
    first, second = sorted(ranges)
    expect(first[1] <= second[0], f"two pods share users: {ranges}")
    expect(not problems, "\n".join(problems))


# One call is refused with an error that no other reason has: EXDEV is 18.
PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    "syscalls": [{"names": ["chown", "fchown", "fchownat", "lchown"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}],
}


@case("a seccomp profile of the node's is in force as it is written, in every process of the container")
def local_profile(node, space, world):
    place = node.root / "seccomp" / "profiles"
    place.mkdir(parents=True, exist_ok=True)
    (place / "no-chown.json").write_text(json.dumps(PROFILE))
    expected = {**UNFILTERED, "seccomp": 2, "try chown": "EXDEV"}
    security = {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/no-chown.json"}}
    problems = judge(space, world, [Posture("Localhost", security, expected=expected)])
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
