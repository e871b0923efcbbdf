"""Quotas, limits and disruption budgets, with real clients."""

import json

from rig.case import case
from rig.expectation import eventually, expect_contains, expect_equal
from rig.pods import idle, pod


@case("a quota with a limit range bounds a namespace, and kubectl describe says what is used")
def bounded(kubectl, space):
    kubectl("create", "quota", "q", "--hard=pods=1,requests.cpu=1")
    limits = {
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "10m"}, "max": {"cpu": "2"}}]},
    }
    kubectl("create", "-f", "-", given=limits)
    space.create(pod("first", idle()))
    said = kubectl.refused("create", "-f", "-", given=pod("second", idle()))
    expect_contains(said, "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1", "the refusal")
    expect_contains(kubectl("describe", "quota", "q"), "10m", "what is used of the CPU")
    expect_contains(kubectl("get", "quota"), "pods: 1/1", "the table")
    expect_contains(kubectl("describe", "limits", "l"), "Container", "describe limits")
    expect_contains(kubectl("get", "pc"), "system-node-critical", "the priority classes")
    kubectl("delete", "pod", "first")
    eventually("the place is free again", lambda: "pods: 0/1" in kubectl("get", "quota"), 10)


@case("kubectl drain waits for a disruption budget and goes on when it allows")
def drained(world):
    node = world.new_node("drained")
    with node.running():
        space = world.space(node)
        kubectl = world.kubectl(space)
        space.create(pod("web", idle()))
        space.wait_ready("web")
        kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=1")
        row = kubectl("get", "pdb", "web", "--no-headers").split()
        expect_equal(row[:4], ["web", "1", "N/A", "0"], "the table")
        drain = ("drain", node.name, "--force", "--timeout=6s", "--ignore-daemonsets")
        said = kubectl.refused(*drain)
        expect_contains(said, "would violate the pod's disruption budget", "drain with the budget")
        kubectl("patch", "pdb", "web", "--type=merge", "-p", json.dumps({"spec": {"minAvailable": 0}}))
        kubectl("drain", node.name, "--force", "--timeout=60s", "--ignore-daemonsets")
        space.wait_gone("web")
