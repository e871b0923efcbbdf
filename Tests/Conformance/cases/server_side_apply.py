"""Server-side apply: who owns which field, with a real kubectl."""

import json

from rig.case import case
from rig.expectation import Failure, expect, expect_contains, expect_equal


def deployment(image="host:///", replicas=None, **labels):
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {"name": "main", "image": image, "command": ["sleep", "1000"], "ports": [{"containerPort": 80}]}
                ],
                "terminationGracePeriodSeconds": 0,
            },
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels}, "spec": spec,
    }


def apply(kubectl, given, *more):
    return kubectl("apply", "--server-side", "-f", "-", *more, given=given)


def stored(kubectl):
    return json.loads(kubectl("get", "deployment", "web", "-o", "json", "--show-managed-fields"))


@case("kubectl apply --server-side creates, owns, takes away what it no longer names, and conflicts with others")
def owners(kubectl):
    if not kubectl.is_new:
        return
    expect_contains(apply(kubectl, deployment(replicas=0, tier="front", old="yes")), "serverside-applied", "the first")
    entry = stored(kubectl)["metadata"]["managedFields"][0]
    expect_equal((entry["manager"], entry["operation"]), ("kubectl", "Apply"), "who owns it")
    ports = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']["f:ports"]
    expect(list(ports) == ['k:{"containerPort":80,"protocol":"TCP"}'], f"the port by its keys: {ports}")
    version = stored(kubectl)["metadata"]["resourceVersion"]
    apply(kubectl, deployment(replicas=0, tier="front", old="yes"))

    apply(kubectl, deployment(replicas=0, tier="front"))
    labels = stored(kubectl)["metadata"]["labels"]
    expect_equal(labels, {"tier": "front"}, "labels after one is no longer applied")
    expect(stored(kubectl)["metadata"]["resourceVersion"] != version, "that was a change")

    kubectl("label", "deployment", "web", "tier=back", "--overwrite", "--field-manager=labeller")
    said = kubectl.refused("apply", "--server-side", "-f", "-", given=deployment(replicas=0, tier="front"))
    expect_contains(said, 'conflict with "labeller" using apps/v1', "who is in the way")
    expect_contains(said, ".metadata.labels.tier", "and where")
    apply(kubectl, deployment(replicas=0, tier="front"), "--force-conflicts")
    expect_equal(stored(kubectl)["metadata"]["labels"], {"tier": "front"}, "labels after the forced one")
    managers = [item["manager"] for item in stored(kubectl)["metadata"]["managedFields"] if item["operation"] != "Apply"]
    expect("labeller" not in managers, f"who lost all is gone: {managers}")

    # Two that own different things of one object.
    apply(kubectl, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"by": "b"}}},
          "--field-manager=second")
    apply(kubectl, deployment(replicas=0, tier="front"))
    expect_equal(stored(kubectl)["metadata"]["labels"], {"tier": "front", "by": "b"}, "labels of both")


def wanted(item):
    """What people have written; the controller goes on writing how far it is."""
    metadata = item["metadata"]
    return metadata["uid"], metadata["generation"], metadata["labels"], item["spec"]


@case("a dry run and kubectl diff --server-side show what an apply would do, and do nothing")
def dry(kubectl):
    if not kubectl.is_new:
        return
    apply(kubectl, deployment(replicas=0, tier="front"))
    before = wanted(stored(kubectl))
    shown = json.loads(apply(kubectl, deployment(replicas=0, tier="back"), "--dry-run=server", "-o", "json"))
    expect_equal(shown["metadata"]["labels"], {"tier": "back"}, "what the dry run shows")
    same = kubectl.run("diff", "--server-side", "-f", "-", given=deployment(replicas=0, tier="front"))
    expect_equal(same.returncode, 0, f"diff of the same: {same.stdout} {same.stderr}")
    other = kubectl.run("diff", "--server-side", "-f", "-", given=deployment(replicas=0, tier="back"))
    if other.returncode != 1 or "+    tier: back" not in other.stdout:
        raise Failure(f"diff of another: exit {other.returncode}: {other.stdout} {other.stderr}")
    expect_equal(wanted(stored(kubectl)), before, "what is stored after all that")


@case("what was applied without the server is taken over without a conflict, and what was created is not")
def taken_over(kubectl):
    if not kubectl.is_new:
        return
    kubectl("apply", "-f", "-", given=deployment(replicas=0, tier="front"))
    apply(kubectl, deployment(replicas=0, tier="back"))
    expect_equal(stored(kubectl)["metadata"]["labels"], {"tier": "back"}, "labels")
    kubectl("delete", "deployment", "web")
    kubectl("create", "-f", "-", given=deployment(replicas=0, tier="front"))
    said = kubectl.refused("apply", "--server-side", "-f", "-", given=deployment(replicas=0, tier="back"))
    expect_contains(said, "before-first-apply", "whose it was")
