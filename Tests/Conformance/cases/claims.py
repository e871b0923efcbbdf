"""Persistent volume claims of the API: bound, made on the node, taken back, and shared as they allow."""

import pathlib

from rig.api import APIFailure
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, mount, pod, shell

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def claim(name, **spec):
    fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": dict(fields, **spec),
    }


def volume(name, **spec):
    fields = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": name}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": dict(fields, **spec)}


def user(name, claimed, script, **spec):
    return pod(
        name,
        shell(script, volumeMounts=[mount("data", "/data")]),
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claimed}}],
        **spec,
    )


def stored(space, name):
    try:
        return space.api.get(space.path("persistentvolumeclaims", name))
    except APIFailure as failure:
        if failure.status == 404:
            return None
        raise


def stored_volume(space, name):
    try:
        return space.api.get(f"/api/v1/persistentvolumes/{name}")
    except APIFailure as failure:
        if failure.status == 404:
            return None
        raise


def directory(space, volume_name):
    return pathlib.Path(space.node.root) / "volumes/.provisioned" / volume_name


@case("a claim of the default class gets a directory with its first pod, keeps files for the next, and goes with them")
def provisioned(space):
    space.create(claim("data"))
    made = eventually("the default class", lambda: stored(space, "data")["spec"].get("storageClassName"), 10)
    expect_equal(made, "swiftlet-local", "the class")
    expect_equal(stored(space, "data")["status"]["phase"], "Pending", "the claim before its first pod")
    space.create(user("first", "data", "echo kept >/data/file; ln -s /etc /data/link; echo done"))
    expect_equal(space.finished_log("first"), "done\n", "the first pod's log")
    bound = stored(space, "data")
    expect_equal(bound["status"]["phase"], "Bound", "the claim with a pod")
    name = bound["spec"]["volumeName"]
    expect_equal((directory(space, name) / "file").read_text(), "kept\n", "the file on the host")
    space.delete("first", grace=0)
    space.create(user("second", "data", "cat /data/file"))
    expect_equal(space.finished_log("second"), "kept\n", "the second pod's log")
    space.delete("second", grace=0)
    space.wait_gone("second")
    space.delete("data", plural="persistentvolumeclaims")
    eventually("the claim goes", lambda: stored(space, "data") is None, 10)
    eventually("the volume goes", lambda: stored_volume(space, name) is None, 10)
    expect(not directory(space, name).exists(), "the volume's directory is gone")
    expect(pathlib.Path("/etc/passwd").exists(), "what a link led to is there")


@case("a claim in use is deleted only when its pod has ended, and under Retain its files stay")
def protected(space):
    retained = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"keep-{space.name}"},
        "provisioner": "swiftlet.dev/local",
        "reclaimPolicy": "Retain",
    }
    space.api.request("POST", CLASSES, retained)
    space.create(claim("data", storageClassName=retained["metadata"]["name"]))
    # Immediate is the default: no pod is needed.
    name = eventually("the volume", lambda: stored(space, "data")["spec"].get("volumeName"), 10)
    space.create(user("holder", "data", "echo kept >/data/file; trap 'exit 0' TERM; sleep 100000 & wait"))
    space.wait_ready("holder")
    eventually("the file", lambda: (directory(space, name) / "file").exists(), 10)
    space.delete("data", plural="persistentvolumeclaims")
    expect(stored(space, "data")["metadata"].get("deletionTimestamp"), "the claim is marked")
    space.create(user("late", "data", "true"))
    said = space.wait_event("late", "FailedScheduling")
    expect_contains(said, 'persistentvolumeclaim "data" is being deleted', "why a new pod waits")
    expect(stored(space, "data") is not None, "the claim stays while a pod uses it")
    space.delete("late", grace=0)
    space.delete("holder")
    space.wait_gone("holder")
    eventually("the claim goes", lambda: stored(space, "data") is None, 10)
    eventually("Released", lambda: stored_volume(space, name)["status"]["phase"] == "Released", 10)
    expect_equal((directory(space, name) / "file").read_text(), "kept\n", "the file on the host")
    space.api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
    eventually("the volume goes", lambda: stored_volume(space, name) is None, 10)
    expect(directory(space, name).exists(), "the retained files stay")
    space.api.request("DELETE", f"{CLASSES}/{retained['metadata']['name']}")


@case("claims are bound to hostPath and local volumes; elsewhere, unbound or taken ones keep their pods waiting")
def bound(space, world):
    place = world.temporary(f"claims-{space.name}")
    (place / "disk").mkdir()
    names = {kind: f"{kind}-{space.name}" for kind in ("host", "local", "far")}
    here = {"hostPath": {"path": str(place / "made"), "type": "DirectoryOrCreate"}}
    on = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": [space.node.name]}]}]}}
    off = {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["elsewhere"]}]}]}}
    local = {"local": {"path": str(place / "disk")}}
    for name, source in (("host", here), ("local", dict(local, nodeAffinity=on)), ("far", dict(local, nodeAffinity=off))):
        space.api.request("POST", "/api/v1/persistentvolumes", volume(names[name], **source))
        mode = ["ReadWriteOncePod"] if name == "local" else ["ReadWriteOnce"]
        if name == "local":
            space.api.request(
                "PATCH", f"/api/v1/persistentvolumes/{names[name]}", {"spec": {"accessModes": mode}},
                content_type="application/merge-patch+json",
            )
        space.create(claim(name, storageClassName=names[name], accessModes=mode))
        eventually(f"claim {name} is bound", lambda: stored(space, name)["status"]["phase"] == "Bound", 10)
    space.create(user("one", "host", "echo one >/data/file"))
    space.wait_phase("one", "Succeeded")
    expect_equal((place / "made/file").read_text(), "one\n", "the hostPath volume's file")
    space.create(user("holder", "local", "echo two >/data/file; trap 'exit 0' TERM; sleep 100000 & wait"))
    space.wait_ready("holder")
    space.create(user("taken", "local", "true"))
    said = space.wait_event("taken", "FailedScheduling")
    expect_contains(said, "ReadWriteOncePod access mode", "why the second pod waits")
    space.create(user("far", "far", "true"))
    said = space.wait_event("far", "FailedScheduling")
    expect_contains(said, "node(s) didn't match PersistentVolume's node affinity", "why the far pod waits")
    # Sent past the scheduler, the node itself refuses.
    space.create(user("pushed", "far", "true", nodeName=space.node.name))
    expect_contains(space.wait_event("pushed", "FailedMount"), "not on this node", "why the pushed pod waits")
    space.create(user("lost", "nothing", "true"))
    said = space.wait_event("lost", "FailedScheduling")
    expect_contains(said, 'persistentvolumeclaim "nothing" not found', "why the lost pod waits")
    space.delete("holder")
    space.wait_phase("taken", "Succeeded")
    expect_equal((place / "disk/file").read_text(), "two\n", "the local volume's file")
    for item in space.api.get(space.path("pods"))["items"]:
        space.delete(item["metadata"]["name"], grace=0)
    for name in names:
        space.delete(name, plural="persistentvolumeclaims")
    for name in names.values():
        space.api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
        eventually(f"volume {name} goes", lambda: stored_volume(space, name) is None, 10)
    expect((place / "made/file").exists() and (place / "disk/file").exists(), "what was not made here stays")


@case("a pod's own claim is made for it and goes with it")
def ephemeral(space):
    template = {"spec": claim("unused")["spec"]}
    space.create(
        pod(
            "own",
            idle(volumeMounts=[mount("scratch", "/data")]),
            volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}],
        )
    )
    space.wait_ready("own")
    made = stored(space, "own-scratch")
    expect_equal(made["metadata"]["ownerReferences"][0]["name"], "own", "the claim's owner")
    name = made["spec"]["volumeName"]
    expect(directory(space, name).is_dir(), "the directory is there")
    space.delete("own")
    space.wait_gone("own")
    eventually("the claim goes", lambda: stored(space, "own-scratch") is None, 10)
    eventually("the directory goes", lambda: not directory(space, name).exists(), 10)
    eventually("the volume goes", lambda: stored_volume(space, name) is None, 10)


@case("kill -9 of the agent while claims come and go leaves nothing of them")
def killed(world):
    node = world.new_node("claim-kills").start()
    space = world.space(node)
    for turn in range(4):
        space.create(claim(f"c{turn}"))
        space.create(user(f"p{turn}", f"c{turn}", "mkdir -p /data/a/b/c; echo x >/data/a/b/c/f"))
    node.kill()
    node.start()
    for turn in range(4):
        space.wait_phase(f"p{turn}", "Succeeded")
        space.delete(f"p{turn}", grace=0)
        space.delete(f"c{turn}", plural="persistentvolumeclaims")
    node.kill()
    node.start()
    for turn in range(4):
        eventually(f"claim c{turn} goes", lambda: stored(space, f"c{turn}") is None, 20)
    place = pathlib.Path(node.root) / "volumes/.provisioned"
    eventually("every directory goes", lambda: not list(place.iterdir()), 20)
    eventually("every volume goes", lambda: not space.api.get("/api/v1/persistentvolumes")["items"], 20)
