"""Attacks by what is in a volume, and by the paths that name it."""

import base64
import contextlib
import os
import pathlib
import subprocess

from rig.api import APIFailure
from rig.canary import canary
from rig.case import case
from rig.disk import command, unmount
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import config_map, idle, mount, pod, secret, shell
from rig.probe import container, imported
from rig.races import ROUNDS, starts
from rig.space import container_status, terminated


def refused(space, item, *words):
    """The API refuses the pod, or its container is never started; the message has the words."""
    name = item["metadata"]["name"]
    try:
        space.create(item)
    except APIFailure as failure:
        expect(failure.status in (400, 403, 422), f"{name}: {failure}")
        return

    def told(found):
        status = (found or {}).get("status", {})
        waits = container_status(found).get("state", {}).get("waiting", {})
        return waits.get("message") or status.get("phase") == "Failed" and status.get("message")

    found = space.wait(name, "refused", lambda item: told(item) or terminated(item or {}), 30)
    expect(terminated(found).get("exitCode") != 0, f"{name} ran")
    for word in words:
        expect_contains(str(told(found)), word, "the message")


@case("a subPath that leads out of its volume is refused: by dots, from the root, by a link, by an expression")
def sub_paths(world, node, space):
    with canary(world, node, space.name) as bird:
        place = world.temporary(f"subpath-{space.name}")
        (place / "link").symlink_to("/")
        (place / "far").symlink_to(bird.place)
        (place / "chain").symlink_to("link")
        (place / "inside").mkdir()
        (place / "inside/up").symlink_to("../..")
        volumes = [{"name": "v", "hostPath": {"path": str(place)}}]
        paths = ["..", "/etc", "a/../../b", "inside/../..", "link", "far", "far/folder", "chain/etc", "inside/up"]
        for number, path in enumerate(paths):
            script = f"test -e /v{bird.place} -o -e /v/secret -o -e /v/folder -o -e /v/passwd && exit 0; exit 5"
            main = shell(script, volumeMounts=[mount("v", "/v", subPath=path)])
            refused(space, pod(f"sub-{number}", main, volumes=volumes))
        expression = shell(
            "exit 0", env=[{"name": "WAY", "value": "../../../etc"}],
            volumeMounts=[mount("v", "/v", subPathExpr="$(WAY)")])
        refused(space, pod("expression", expression, volumes=volumes))
        expect_equal(sorted(os.listdir(place)), ["chain", "far", "inside", "link"], "what is in the volume")


@case(f"{ROUNDS} starts with a subPath that a racer swaps with a link to the host: what is mounted is the volume's")
def sub_path_race(world, node, space):
    imported(node, world)
    with canary(world, node, space.name) as bird:
        place = world.temporary(f"subrace-{space.name}")
        (place / "target").mkdir()
        (place / "target/mark").touch()
        (place / "out").symlink_to(bird.place)
        volumes = [{"name": "v", "hostPath": {"path": str(place)}}]
        space.create(
            pod("racer", container(["swap", "/v/target", "/v/out"], volumeMounts=[mount("v", "/v")]), volumes=volumes))
        space.wait_ready("racer")
        script = "test -e /s/secret && exit 9; test -e /s/mark || exit 8; exit 0"
        victim = dict(
            container([]), command=["/bin/sh", "-c", script], volumeMounts=[mount("v", "/s", subPath="target")])
        done, troubles = starts(space, "victim", victim, ROUNDS, volumes=volumes)
        found = [line for line in troubles if line.split()[0] in ("8", "9")]
        expect(not found, f"{len(found)} of {done} starts were led astray: {found[:3]}")
        print(f"# {done} starts, {len(troubles)} of them refused", flush=True)
        space.delete("racer", grace=0)
        space.wait_gone("racer")


MARKER = "c0ffee-marker-of-a-secret-5f3a9d17b2"


@case("a secret's bytes are in no file of the node once its pods are gone, also after the agent was killed")
def secrets_on_disk(world):
    node = world.new_node("secrets").start()
    space = world.space(node)
    space.create(secret("login", password=f"the first {MARKER}"))
    script = "cat /s/password >/dev/null; kill -SEGV $$"
    pods = 100 if ROUNDS > 1000 else 20
    for number in range(pods):
        space.create(
            pod(f"user-{number}",
                shell("sleep 100000", volumeMounts=[mount("s", "/s")],
                      env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}])
                if number else shell(script, volumeMounts=[mount("s", "/s")]),
                volumes=[{"name": "s", "secret": {"secretName": "login"}}]))
    for number in range(1, pods):
        space.wait_ready(f"user-{number}", 40 + pods)
    uid = space.pod("user-1")["metadata"]["uid"]
    node.api.request(
        "PATCH", space.path("secrets", "login"), {"stringData": {"password": MARKER}}, "application/merge-patch+json")
    file = node.root / "pods" / uid / "volumes/kubernetes.io~secret/s/password"
    eventually("the new bytes are in the volume", lambda: file.read_text() == MARKER, 60)
    kinds = {line.split(" - ")[1].split()[0] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
             if uid in line and "secret" in line}
    expect_equal(kinds, {"tmpfs"}, "file systems of the secret's volume")
    node.kill()
    node.start()
    node.stop_all()
    found = subprocess.run(
        ["grep", "-rlaF", "--exclude-dir=credentials", "-e", MARKER, "-e", base64.b64encode(MARKER.encode()).decode(),
         str(node.directory)],
        capture_output=True, text=True, check=False)
    files = found.stdout.splitlines()
    expect(not files, f"the secret is in {files}")


@case("a volume that holds links, mounts and thousands of files is removed without touching the host")
def teardown(world, node, space):
    with canary(world, node, space.name) as bird:
        script = (
            f"cd /v; ln -s {bird.place} link; ln -s {bird.place}/secret file; ln -s / root; mkfifo pipe; "
            "i=0; while [ $i -lt 2000 ]; do : >f$i; i=$((i+1)); done; d=.; "
            "while [ $i -lt 2060 ]; do d=$d/d; mkdir $d; i=$((i+1)); done; mkdir nest; chmod 0 nest; touch done; "
            "sleep 100000")
        space.create(
            pod("messy", shell(script, volumeMounts=[mount("v", "/v")]), volumes=[{"name": "v", "emptyDir": {}}]))
        uid = space.wait_ready("messy")["metadata"]["uid"]
        volume = node.root / "pods" / uid / "volumes/kubernetes.io~empty-dir/v"
        eventually("the volume is full", (volume / "done").exists)
        command(["mount", "--bind", str(bird.place / "folder"), str(volume / "nest")])
        try:
            space.delete("messy", grace=0)
            space.wait_gone("messy", 30)
            expect_equal((bird.place / "folder/inner").read_text(), "deep\n", "the file behind a mount")
        finally:
            if os.path.ismount(volume / "nest"):
                unmount(volume / "nest")
        eventually("the volume goes when nothing is mounted in it any more", lambda: not volume.exists(), 90)


@case("a file that cannot be deleted is told and tried again, and the pod is gone when it can")
def unchangeable(node, space):
    space.create(
        pod("stuck", shell("touch /v/rock; sleep 100000", volumeMounts=[mount("v", "/v")]),
            volumes=[{"name": "v", "emptyDir": {}}]))
    uid = space.wait_ready("stuck")["metadata"]["uid"]
    volume = node.root / "pods" / uid / "volumes/kubernetes.io~empty-dir/v"
    eventually("the file", (volume / "rock").exists)
    command(["chattr", "+i", str(volume / "rock")])
    try:
        space.delete("stuck", grace=0)
        eventually("nothing of it runs", lambda: not node.pod_processes(uid))
        expect((volume / "rock").exists(), "the file was deleted although it cannot be")
    finally:
        with contextlib.suppress(FileNotFoundError):
            command(["chattr", "-i", str(volume / "rock")])
    space.wait_gone("stuck", 90)
    eventually("the volume is gone", lambda: not volume.exists(), 90)


@case("fsGroup changes what is the volume's own and follows no link, also after the agent was killed")
def ownership(world):
    node = world.new_node("fsgroup").start()
    space = world.space(node)
    with canary(world, node, space.name) as bird:
        script = f"ln -s {bird.place} /v/link; ln -s {bird.place}/secret /v/file; touch /v/own; id -G; sleep 100000"
        space.create(
            pod("owner", shell(script, volumeMounts=[mount("v", "/v")]), restartPolicy="Always",
                securityContext={"fsGroup": 4242}, volumes=[{"name": "v", "emptyDir": {}}]))
        uid = space.wait_ready("owner")["metadata"]["uid"]
        volume = node.root / "pods" / uid / "volumes/kubernetes.io~empty-dir/v"
        eventually("its file", (volume / "own").exists)
        expect_equal((volume / "own").stat().st_gid, 4242, "group of a file in the volume")
        node.kill()
        node.start()
        space.wait_ready("owner")
        expect_equal((bird.place / "secret").stat().st_gid, 0, "group of the host's file")
    node.stop_all()


@case("keys that are no file names, and volumes that are none, are refused")
def keys(space):
    for key in ("../x", "a/b", "..", ".", "..data", "x" * 254, ""):
        try:
            space.create(config_map("bad", **{key: "value"}))
        except APIFailure as failure:
            expect_equal(failure.status, 422, f"key {key!r}: {failure}")
            continue
        # As a key it may be all right; as a path in a volume it is not.
        expect(key in ("..data",), f"the key {key!r} was taken")
        space.delete("bad", plural="configmaps")
    space.create(config_map("good", key="value"))
    for number, path in enumerate(("../x", "/x", "a/../../x", "..", "..data/x", "")):
        items = [{"name": "v", "configMap": {"name": "good", "items": [{"key": "key", "path": path}]}}]
        refused(space, pod(f"item-{number}", idle(volumeMounts=[mount("v", "/v")]), volumes=items))
    for number, source in enumerate(({"gitRepo": {"repository": "file:///etc"}}, {"flexVolume": {"driver": "x/y"}})):
        volume = dict(name="v", **source)
        main = shell("ls /v; exit 0", volumeMounts=[mount("v", "/v")])
        refused(space, pod(f"source-{number}", main, volumes=[volume]))


@case("a container's last words are read inside its root only, and no more than 4096 bytes of them")
def last_words(world, node, space):
    with canary(world, node, space.name) as bird:
        tricks = {
            "link": f"rm /last; ln -s {bird.place}/secret /last", "pipe": "rm /last; mkfifo /last",
            "device": "rm /last; ln -s /dev/zero /last", "large": "head -c 100000 /dev/zero | tr '\\0' x >/last",
        }
        for name, trick in tricks.items():
            space.create(pod(name, shell(f"{trick}; exit 3", terminationMessagePath="/last")))
        space.create(pod("up", shell("exit 3", terminationMessagePath=f"/../../../../{str(bird.place)[1:]}/planted")))
        for name in (*tricks, "up"):
            item = space.wait(
                name, "ended", lambda item: item and (item["status"].get("phase") == "Failed"
                                                      or container_status(item).get("state", {}).get("waiting")))
            message = terminated(item).get("message", "")
            expect("the host's own" not in message, f"{name}: {message}")
            expect(len(message) <= 4096, f"{name}: {len(message)} bytes")
