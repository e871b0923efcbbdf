"""Imported images, good and hostile."""

import tarfile

from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import pod


@case("an imported image runs a pod with its settings, is listed, and is not removed while in use")
def imported(space, node, world):
    place, name = world.temporary(f"images-{space.name}"), "example.org/box:1.0"
    whiteout = [entry("etc/.wh.secret"), entry("hello", b"from the second layer\n", 0o644)]
    base = [*busybox_layer(), entry("etc/secret", b"gone\n", 0o644)]
    archive = docker_archive(
        place / "box.tar",
        name,
        base,
        whiteout,
        Entrypoint=["/bin/sh", "-c"],
        Cmd=["exit 9"],
        User="app",
        WorkingDir="/etc",
    )
    result = node.swiftlet("image", "import", str(archive))
    expect_equal(result.returncode, 0, f"image import: {result.stderr}")
    expect_contains(node.swiftlet("image", "ls").stdout, "example.org/box", "image ls")
    space.create(
        pod(
            "box",
            {
                "name": "main",
                "image": name,
                "imagePullPolicy": "Never",
                "args": [
                    "cat /hello; echo $FROM; id -u; id -g; pwd; ls /etc; while sleep 0.1; do :; done"
                ],
            },
        )
    )
    space.wait_ready("box")
    expected = "from the second layer\nimage\n12\n34\n/etc\n"
    log = eventually("the log", lambda: (text := space.log("box")).count("\n") >= 6 and text)
    expect_contains(log, expected, "the log")
    expect("secret" not in log, f"the whiteout hides the file: {log}")
    refused = node.swiftlet("image", "rm", name)
    expect(refused.returncode != 0, "an image in use is removed")
    expect_contains(refused.stderr, "a container uses it", "image rm")
    space.delete("box")
    space.wait_gone("box")
    removed = eventually("removal after the pod", lambda: node.swiftlet("image", "rm", name).returncode == 0, 10, 0.2)
    expect(removed and "example.org/box" not in node.swiftlet("image", "ls").stdout, "image ls after rm")


def refused(node, archive, *words):
    """The import fails with one line that has the words, and nothing is listed."""
    before = listed(node)
    result = node.swiftlet("image", "import", str(archive))
    expect(result.returncode != 0, f"{archive.name} is imported")
    lines = result.stderr.strip().splitlines()
    expect_equal(len(lines), 1, f"lines of the error: {result.stderr}")
    for word in words:
        expect_contains(lines[0], word, f"error for {archive.name}")
    expect_equal(listed(node), before, f"image ls after {archive.name}")


def listed(node):
    """The name, id and size of every image; not when it was last used, which a second changes."""
    return [line.split()[:3] for line in node.swiftlet("image", "ls").stdout.splitlines()]


@case("a truncated, empty or absent archive is refused in one line")
def truncated(node, world):
    place = world.temporary("truncated")
    whole = docker_archive(place / "whole.tar", "example.org/t:1", busybox_layer()).read_bytes()
    for name, data in {
        "cut.tar": whole[: len(whole) // 2],
        "empty.tar": b"",
        "noise.tar": b"not an archive\n" * 100,
    }.items():
        (place / name).write_bytes(data)
        refused(node, place / name, name)
    refused(node, place / "absent.tar", "absent.tar")


@case("an archive never writes outside its root: .., absolute paths, symbolic and hard links")
def hostile(node, world, space):
    place = world.temporary("hostile")
    target = place / "outside"
    target.mkdir()
    inside = target / "written"
    up = "../" * 40
    layers = {
        "dots": [entry(f"{up}{str(inside)[1:]}", b"x")],
        "absolute": [entry(str(inside), b"x")],
        "symlink": [entry("way", kind=tarfile.SYMTYPE, link=str(target)), entry("way/written", b"x")],
        "dots-symlink": [entry("way", kind=tarfile.SYMTYPE, link=up + str(target)[1:]), entry("way/written", b"x")],
    }
    (target / "victim").write_text("safe\n")
    layers["hardlink"] = [
        entry("link", kind=tarfile.LNKTYPE, link=f"{up}{str(target)[1:]}/victim"),
        entry("link", b"overwritten\n"),
    ]
    for name, layer in layers.items():
        archive = docker_archive(place / f"{name}.tar", f"example.org/{name}:1", layer)
        result = node.swiftlet("image", "import", str(archive))
        expect(not inside.exists(), f"{name}: the archive wrote {inside}")
        expect_equal((target / "victim").read_text(), "safe\n", f"{name}: the host's file")
        if result.returncode == 0:
            node.swiftlet("image", "rm", f"example.org/{name}:1")
        else:
            expect_equal(len(result.stderr.strip().splitlines()), 1, f"{name}: lines of the error: {result.stderr}")
    expect(node.swiftlet("image", "ls").returncode == 0 and space.api.get("/readyz"), "the node is well")
