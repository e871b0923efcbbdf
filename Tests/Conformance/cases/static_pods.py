"""Pods from files in the manifest directory."""

import json
import os

from rig.case import case
from rig.expectation import eventually, expect, expect_equal
from rig.pods import pod, shell


def write(path, item):
    """As editors do: a new file that replaces the old one."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(item))
    os.replace(new, path)


@case("a manifest file starts a pod, an edit replaces it, and removing the file ends it")
def manifest(space, node):
    item = pod("from-file", shell("echo first; trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    name, file = f"from-file-{node.name}", node.manifests / "from-file.yaml"
    try:
        write(file, item)
        first = space.wait_ready(name)
        expect("kubernetes.io/config.mirror" in first["metadata"]["annotations"], "the mirror's annotation")
        eventually("its log", lambda: "first" in space.log(name))
        item["spec"]["containers"][0]["command"][2] = "echo second; trap 'exit 0' TERM; sleep 100000 & wait"
        write(file, item)
        second = space.wait(
            name, "replaced", lambda found: found and found["metadata"]["uid"] != first["metadata"]["uid"]
        )
        space.wait_ready(name)
        eventually("its log", lambda: "second" in space.log(name))
        expect(
            second["metadata"]["annotations"] != first["metadata"]["annotations"], "the configuration's hash changed"
        )
    finally:
        file.unlink(missing_ok=True)
    space.wait_gone(name)
    eventually(
        "its processes end",
        lambda: not [
            pid for pid, _ in node.pod_processes() if b"echo second" in open(f"/proc/{pid}/cmdline", "rb").read()
        ],
    )


@case("deleting a manifest pod through the API does not end it")
def mirror_deletion(space, node):
    item = pod("lasting", shell("trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    name, file = f"lasting-{node.name}", node.manifests / "lasting.yaml"
    try:
        write(file, item)
        first = space.wait_ready(name)
        started = first["status"]["containerStatuses"][0]["containerID"]
        space.delete(name, grace=0)
        again = space.wait(
            name,
            "mirrored again",
            lambda found: found
            and (
                found["metadata"]["uid"] != first["metadata"]["uid"]
                and found.get("status", {}).get("containerStatuses")
            ),
        )
        expect_equal(again["status"]["containerStatuses"][0]["containerID"], started, "the container")
    finally:
        file.unlink(missing_ok=True)
    space.wait_gone(name)


@case("a broken manifest harms no other")
def broken_manifest(space, node):
    item = pod("sound", shell("trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    broken, sound = node.manifests / "broken.yaml", node.manifests / "sound.yaml"
    try:
        broken.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: [\n")
        write(sound, item)
        space.wait_ready(f"sound-{node.name}")
        eventually("the node names the file", lambda: "broken.yaml" in node.output.read_text(), 10)
    finally:
        broken.unlink(missing_ok=True)
        sound.unlink(missing_ok=True)
    space.wait_gone(f"sound-{node.name}")
