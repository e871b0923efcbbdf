"""Images mounted as volumes: read-only, nothing in them can be run, and as sure to stay as a container's own image."""

from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import mount, pod, shell

LOOK = """
cat /whole/data/text; cat /part/text; cat /file
touch /whole/new 2>&1 | grep -o 'Read-only file system'
/whole/bin/busybox true 2>&1 | grep -o 'Permission denied'
echo looked; trap 'exit 0' TERM; while sleep 0.1; do :; done
"""


@case("an image volume is read-only and cannot be run from, whole or in parts, and its image stays while it is mounted")
def mounted(space, node, world):
    place, name = world.temporary(f"image-volumes-{space.name}"), "example.org/files:1"
    lower = [*busybox_layer(), entry("data/text", b"lower\n", 0o644), entry("data/gone", b"gone\n", 0o644)]
    upper = [entry("data/text", b"upper\n", 0o644), entry("data/.wh.gone")]
    archive = docker_archive(place / "files.tar", name, lower, upper)
    expect_equal(node.swiftlet("image", "import", "--no-pin", str(archive)).returncode, 0, "image import")
    volumes = [{"name": "files", "image": {"reference": name, "pullPolicy": "IfNotPresent"}}]
    mounts = [
        mount("files", "/whole"), mount("files", "/part", subPath="data"), mount("files", "/file", subPath="data/text"),
    ]
    space.create(pod("reader", shell(LOOK, volumeMounts=mounts), volumes=volumes))
    log = eventually("the log", lambda: "looked" in (text := space.log("reader")) and text, 20)
    expect_equal(
        log, "upper\nupper\nupper\nRead-only file system\nPermission denied\nlooked\n", "what the container sees")
    expect(name not in node.swiftlet("image", "prune").stdout, "an image that is mounted is pruned")
    refused = node.swiftlet("image", "rm", name)
    expect_contains(refused.stderr, "uses it", "image rm of a mounted image")
    absent = pod("absent", shell("true", volumeMounts=[mount("files", "/x", subPath="none")]), volumes=volumes)
    space.create(absent)
    state = space.wait_waiting("absent", "CreateContainerConfigError", 20)
    expect_contains(state["message"], 'subPath "none"', "the message without the path")
    space.delete("absent")
    # The image is kept for an agent that comes later as well.
    node.kill()
    node.start()
    expect(name not in node.swiftlet("image", "prune").stdout, "an image that is mounted is pruned after a restart")
    space.delete("reader")
    space.wait_gone("absent")
    space.wait_gone("reader")
    expect_contains(node.swiftlet("image", "prune").stdout, name, "image prune after the pod")


@case("an image volume whose image cannot be had is shown on the container: ErrImagePull, ErrImageNeverPull")
def failing(space):
    def user(name, image):
        volumes = [{"name": "files", "image": image}]
        space.create(pod(name, shell("true", volumeMounts=[mount("files", "/files")]), volumes=volumes))

    user("unreachable", {"reference": "127.0.0.1:1/team/files:1"})
    user("never", {"reference": "example.org/nowhere:1", "pullPolicy": "Never"})
    user("host", {"reference": "host:///"})
    state = space.wait_waiting("unreachable", ("ErrImagePull", "ImagePullBackOff"), 30)
    expect_contains(state["message"], "127.0.0.1:1", "the message of a registry that is not there")
    space.wait_waiting("never", "ErrImageNeverPull")
    expect_contains(space.wait_event("host", "FailedMount"), "hostPath", "the event of the host's root as a volume")
