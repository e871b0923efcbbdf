"""`swiftlet image verify`: damage on the disk is found, repaired from the registry, or kept from being used."""

import os

from cases.registry import archive, running, says, setting
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal


@case("a flipped bit in a layer is found and repaired from the registry; without it the image is pulled by the next start")
def repair(world):
    with setting(world, "verify") as (place, registry, node, space):
        image = registry.push(archive(place, "whole", "whole"), "team/whole:1")
        expect_equal(node.swiftlet("image", "pull", image).returncode, 0, "image pull")

        def verified():
            result = node.swiftlet("image", "verify", image)
            return result.returncode == 0 and ": ok (" in result.stdout

        eventually("the image is verified", verified, 20, 0.3)

        def flip():
            path = next(node.root.glob("images/layers/[0-9a-f]*/diff/hello"))
            before = path.stat()
            with open(path, "r+b") as file:
                file.write(b"W")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            return path

        path = flip()
        result = node.swiftlet("image", "verify")
        expect_equal(result.returncode, 0, f"image verify: {result.stdout}{result.stderr}")
        expect_contains(result.stdout, ": repaired (", "image verify")
        expect_equal(path.read_text(), "whole\n", "the repaired file")
        running(space, "first", image, "IfNotPresent")
        says(space, "first", "whole")
        eventually("the image is verified again", verified, 20, 0.3)
        flip()
        registry.stop()
        result = node.swiftlet("image", "verify", image)
        expect_equal(result.returncode, 1, "image verify without the registry")
        expect_contains(result.stdout, "not repaired", "image verify without the registry")
        expect_contains(node.swiftlet("image", "ls").stdout, "damaged", "image ls")
        running(space, "second", image, "IfNotPresent")
        space.wait_waiting("second", ("ErrImagePull", "ImagePullBackOff"), 30)
        registry.start()
        says(space, "second", "whole")
        expect("first" in space.log("first") or space.pod("first")["status"]["phase"] == "Running", "the pod before")
