"""The probe program: built once, put into an image, run in pods."""

import os
import pathlib
import shutil
import subprocess

from rig.archives import busybox_layer, docker_archive, entry
from rig.expectation import Failure, expect_equal
from rig.observation import Observation
from rig.pods import pod
from rig.space import terminated

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "probe"
IMAGE = "example.org/probe:1"


def program(world):
    """The path of the static binary. Where there is no compiler, SWIFTLET_CONFORMANCE_PROBE names one built elsewhere."""
    path = world.directory / "probe"
    if path.exists():
        return path
    given = os.environ.get("SWIFTLET_CONFORMANCE_PROBE")
    if given:
        shutil.copy2(given, path)
        return path
    compiler = next((name for name in ("musl-gcc", "cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        raise Failure("no C compiler for the probe: packaging/install-packages build")
    command = [
        compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-static", "-Wall", "-Wextra", "-o", str(path),
        *map(str, sorted(SOURCES.glob("*.c"))),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(f"the probe does not compile: {result.stderr[-2000:]}")
    return path


def layer(world):
    """A small root with a shell and the probe; everything that a container may have to mount on is there."""
    folders = ("proc", "sys", "dev", "tmp", "volume")
    passwd = b"root:x:0:0::/:/bin/sh\napp:x:12:34::/:/bin/sh\nmember:x:1500:1500::/:/bin/sh\n"
    groups = b"root:x:0:\napp:x:34:\nmember:x:1500:\nextra:x:50000:member\n"
    return [
        *(item for item in busybox_layer() if item[0].name != "etc/passwd"),
        entry("etc/passwd", passwd, 0o644),
        entry("etc/group", groups, 0o644),
        *((made(name), b"") for name in folders),
        entry("probe", program(world).read_bytes()),
    ]


def made(name):
    info, _ = entry(name, kind=b"5")
    info.mode = 0o1777 if name == "tmp" else 0o755
    return info


def imported(node, world):
    """The image's name, imported into the node when it is not there yet."""
    if IMAGE not in getattr(node, "imported", set()):
        archive = docker_archive(world.directory / f"probe-{node.name}.tar", IMAGE, layer(world))
        result = node.swiftlet("image", "import", str(archive))
        expect_equal(result.returncode, 0, f"image import: {result.stderr}")
        archive.unlink()
        node.imported = {IMAGE, *getattr(node, "imported", set())}
    return IMAGE


def container(arguments, name="main", **fields):
    """A container of the image that runs the probe so."""
    fixed = {"name": name, "image": IMAGE, "imagePullPolicy": "Never", "command": ["/probe", *arguments]}
    return dict(fixed, **fields)


def ended(space, name, seconds=30):
    """(exit code, log) of a pod's only container."""
    item = space.wait(
        name, "ended", lambda item: item and item.get("status", {}).get("phase") in ("Succeeded", "Failed"), seconds)
    if item["status"].get("reason"):
        # Refused by the node, or taken away by it: there may be no log.
        return None, f"{item['status']['reason']}: {item['status'].get('message')}"
    return terminated(item).get("exitCode"), space.log(name)


def observed(space, world, name, security=None, attempts=True, **spec):
    """(observation of a container's first process, observation of an exec in it) of a pod with these fields.

    The exec is a readiness probe, which writes what it sees to a volume; the first process waits for that and prints it.
    """
    imported(space.node, world)
    verb = "attempts" if attempts else "facts"
    main = container(
        ["until", "/volume/exec", verb], securityContext=security or {},
        volumeMounts=[{"name": "volume", "mountPath": "/volume"}],
        readinessProbe={
            "exec": {"command": ["/probe", "turn", "/volume/exec", verb]},
            "periodSeconds": 3600, "timeoutSeconds": 60,
        })
    spec.setdefault("volumes", [{"name": "volume", "emptyDir": {}}])
    space.create(pod(name, main, **spec))
    code, log = ended(space, name, 40)
    if code != 0:
        raise Failure(f"pod {name}: exit {code}: {log[-300:]}")
    parts = log.split("\n{")
    expect_equal(len(parts), 2, f"observations in {log[-300:]!r}")
    return Observation(parts[0]), Observation("{" + parts[1])
