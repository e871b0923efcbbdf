"""The tables that judge this runtime, held against runtimes that others rely on: a wrong table fails here."""

from rig.case import case
from rig.expectation import expect
from rig.observation import differences
from rig.postures import POSTURES
from rig.reference import Reference

# Not their business, or not derived from the pod: our own limits and masks, and names of the reference's own.
APART = {"hostname", "core limit"}
# crun runs without cgroups here, so nothing keeps it from devices.
WITHOUT_CGROUPS = {"try open-disk", "try open-memory-device", "try write-cgroup"}


def judge(reference):
    problems = []
    for posture in POSTURES:
        if not posture.has_reference:
            continue
        first, second = reference.observed(posture)
        without = {*APART, *posture.without, *(() if reference.has_cgroups else WITHOUT_CGROUPS)}
        for who, seen in (("first process", first), ("exec", second)):
            for line in differences(posture.table, seen.facts(), without):
                problems.append(f"{posture.name}, {who}: {line}")
    expect(not problems, "\n".join(problems))


@case("runc, configured as a pod is, satisfies the same tables at start and exec")
def runc(world):
    judge(Reference("runc", world))


@case("crun, configured as a pod is, satisfies the same tables at start and exec")
def crun(world):
    judge(Reference("crun", world))
