"""Images nobody needs are removed when the disk fills; what pods need, and what is pinned, stays."""

import os

from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.disk import small_disk
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import pod

STAY = "trap 'exit 0' TERM; while sleep 0.1; do :; done"


@case("a disk that fills loses the images nobody needs, the one used longest ago first; a crashed pod's image and pins stay")
def collection(world):
    place = world.temporary("collection")

    def archive(name, mebibytes):
        noise = [entry("noise", os.urandom(mebibytes << 20), 0o644)]
        return docker_archive(
            place / f"{name}.tar", f"example.org/{name}:1", [*busybox_layer(), *noise], Cmd=["/bin/sh", "-c", STAY])

    more = (
        "--image-gc-high-threshold", "70", "--image-gc-low-threshold", "60", "--minimum-image-ttl-duration", "0s",
        "--eviction-hard", "memory.available<1Mi",
    )
    node = world.new_node("collection", more=more)
    with small_disk(node.root, 128), node.running():
        space = world.space(node)

        def take(name, mebibytes, *flags):
            result = node.swiftlet("image", "import", *flags, str(archive(name, mebibytes)))
            expect_equal(result.returncode, 0, f"image import {name}: {result.stderr}")

        def listed():
            return {line.split("/")[1].split(":")[0] for line in node.swiftlet("image", "ls").stdout.splitlines()[1:]}

        take("pinned", 12)
        take("crashing", 12, "--no-pin")
        space.create(
            pod(
                "crashing",
                {"name": "main", "image": "example.org/crashing:1", "imagePullPolicy": "Never", "args": ["-c", "exit 1"],
                 "command": ["/bin/sh"]},
                restartPolicy="Always",
            )
        )
        take("first", 12, "--no-pin")
        take("second", 12, "--no-pin")
        # Used after the second one came: so that goes first.
        space.create(pod("user", {"name": "main", "image": "example.org/first:1", "imagePullPolicy": "Never"}))
        space.wait_ready("user")
        expect_equal(node.swiftlet("image", "gc").returncode, 0, "image gc below the threshold")
        table = node.swiftlet("image", "ls").stdout
        expect(any("first:1" in line and "in use" in line for line in table.splitlines()), f"image ls: {table}")
        space.delete("user")
        space.wait_gone("user")
        expect_equal(listed(), {"pinned", "crashing", "first", "second"}, "images below the threshold")
        # Killed, it still knows which of them was used last.
        node.kill()
        node.start()
        take("third", 40)
        eventually("the image used longest ago is gone", lambda: "second" not in listed(), 20, 0.2)
        expect({"pinned", "crashing", "third"} <= listed(), f"images above the threshold: {listed()}")
        take("fourth", 12)
        eventually("the next one is gone", lambda: "first" not in listed(), 20, 0.2)
        expect_equal(listed(), {"pinned", "crashing", "third", "fourth"}, "images that stay")
        failed = node.swiftlet("image", "gc")
        expect_equal(failed.returncode != 0, "Failed to garbage collect" in failed.stderr, f"image gc: {failed.stderr}")
        eventually(
            "the crashing pod starts again",
            lambda: space.pod("crashing")["status"]["containerStatuses"][0]["restartCount"] >= 1, 30, 0.2,
        )
        space.delete("crashing")
        space.wait_gone("crashing")
        expect_equal(node.swiftlet("image", "unpin", "example.org/third:1").returncode, 0, "image unpin")
        # The disk is fuller than it should be: asked or not, the node removes what is pinned no more.
        node.swiftlet("image", "gc")
        expect("third" not in listed(), f"images after gc: {listed()}")
        # Far below the threshold nothing goes by itself.
        take("fifth", 1, "--no-pin")
        pruned = node.swiftlet("image", "prune")
        expect_contains(pruned.stdout, "example.org/fifth:1", "image prune")
        expect_equal(listed(), {"pinned", "fourth"}, "images after prune")
