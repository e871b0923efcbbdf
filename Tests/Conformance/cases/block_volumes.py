"""Claims of mode Block: containers get the device itself, and no more of it than their claim says."""

import contextlib
import subprocess

from cases.claims import claim, stored, stored_volume, volume
from rig.case import case
from rig.expectation import Skipped, eventually, expect_contains, expect_equal
from rig.pods import pod, shell

WRITE = """
[ -b /dev/raw ] && echo device; grep -q ' /dev/raw ' /proc/self/mountinfo || echo unmounted
printf written | dd of=/dev/raw bs=512 conv=notrunc,sync 2>/dev/null && sync && echo wrote
"""
READ = """
dd if=/disks/data/one bs=7 count=1 2>/dev/null; echo
( : >>/disks/data/one ) 2>/dev/null || echo refused
mknod /other b 7 255 && ( : </other ) 2>&1 | grep -o 'not permitted'
"""


@contextlib.contextmanager
def loop_device(place):
    """A block device that is a file of a megabyte."""
    image = place / "disk.img"
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    try:
        made = subprocess.run(
            ["losetup", "--find", "--show", str(image)], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skipped(f"no loop device can be had: {getattr(error, 'stderr', error)}") from None
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=False, timeout=60)


def user(name, script, path, **source):
    container = shell(script, volumeDevices=[{"name": "disk", "devicePath": path}])
    return pod(name, container, volumes=[{"name": "disk", "persistentVolumeClaim": {"claimName": "disk", **source}}])


@case("a claim of mode Block is the device itself: raw, at its path, read-only when the claim is, and no other device is")
def block(space, world):
    with loop_device(world.temporary(f"block-{space.name}")) as device:
        name = f"block-{space.name}"
        space.api.request("POST", "/api/v1/persistentvolumes", volume(name, local={"path": device}, volumeMode="Block"))
        space.create(claim("disk", storageClassName=name, volumeMode="Block"))
        eventually("the claim is bound", lambda: stored(space, "disk")["status"]["phase"] == "Bound", 10)
        space.create(user("writer", WRITE, "/dev/raw"))
        expect_equal(space.finished_log("writer"), "device\nunmounted\nwrote\n", "the writer's log")
        space.create(user("reader", READ, "/disks/data/one", readOnly=True))
        expect_equal(space.finished_log("reader"), "written\nrefused\nnot permitted\n", "the reader's log")
        wrong = pod(
            "wrong", shell("true", volumeMounts=[{"name": "disk", "mountPath": "/disk"}]),
            volumes=[{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}])
        space.create(wrong)
        expect_contains(space.wait_event("wrong", "FailedMount"), "has volumeMode Block", "why a mount of it waits")
        for name_of_pod in ("writer", "reader", "wrong"):
            space.delete(name_of_pod, grace=0)
            space.wait_gone(name_of_pod)
        space.delete("disk", plural="persistentvolumeclaims")
        space.api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
        eventually("the volume goes", lambda: stored_volume(space, name) is None, 10)
