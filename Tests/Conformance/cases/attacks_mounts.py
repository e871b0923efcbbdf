"""Root file systems and mounts that were made to lead the runtime astray."""

import subprocess
import tarfile

from rig.archives import busybox_layer, docker_archive, entry
from rig.canary import canary
from rig.case import case
from rig.disk import command, unmount
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import mount, pod, shell
from rig.probe import container, ended, imported
from rig.races import ROUNDS, starts
from rig.space import container_status, terminated


def refused_to_start(space, name, seconds=20):
    """Waits until the first container is said not to have been started, and returns what is said about it."""

    def found(item):
        status = container_status(item)
        return status.get("state", {}).get("waiting", {}).get("message") or terminated(item or {}).get("message")

    item = space.wait(name, "a message about a container that does not start", found, seconds)
    expect(not container_status(item).get("state", {}).get("running"), f"{name} runs")
    expect(terminated(item).get("exitCode") != 0, f"{name} ran")
    return found(item)


@case("a directory of the image's that is a link where the runtime mounts is refused, and nothing is made on the host")
def links_for_mount_points(world, node, space):
    with canary(world, node, space.name) as bird:
        for path in ("proc", "sys", "dev"):
            name, image = f"link-{path}", f"example.org/link-{path}:1"
            target = f"{bird.place}/made-{path}"
            layers = [item for item in busybox_layer() if item[0].name != path]
            layers.append(entry(path, kind=tarfile.SYMTYPE, link=target))
            archive = docker_archive(world.directory / f"{name}.tar", image, layers)
            expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, f"import of {image}")
            archive.unlink()
            space.create(
                pod(name, {"name": "main", "image": image, "imagePullPolicy": "Never", "command": ["/bin/sleep", "9"]}))
            message = refused_to_start(space, name)
            expect_contains(message, f"/{path}", "the message")


@case("a hosts file that is a link in the image is mounted inside the root, or refused")
def link_for_hosts(world, node, space):
    with canary(world, node, space.name) as bird:
        for number, target in enumerate((f"{bird.place}/secret", f"{bird.place}/made", "/proc/1/root/etc/made")):
            image = f"example.org/hosts-{number}:1"
            layers = [*busybox_layer(), entry("etc/hosts", kind=tarfile.SYMTYPE, link=target)]
            archive = docker_archive(world.directory / f"hosts-{number}.tar", image, layers)
            expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, f"import of {image}")
            archive.unlink()
            name = f"hosts-{number}"
            space.create(
                pod(name, {
                    "name": "main", "image": image, "imagePullPolicy": "Never",
                    "command": ["/bin/cat", "/etc/hosts"]}))
            item = space.wait(
                name, "ended or refused",
                lambda item: item and (item["status"].get("phase") in ("Succeeded", "Failed")
                                       or container_status(item).get("state", {}).get("waiting", {}).get("message")))
            if item["status"]["phase"] == "Succeeded":
                expect_contains(space.log(name), "127.0.0.1", "its hosts file")
                expect("the host's own" not in space.log(name), "the log shows the host's file")


@case("a volume over /proc, /sys or a part of them is refused, or what is masked stays so")
def volumes_over_kernel_files(world, node, space):
    imported(node, world)
    with canary(world, node, space.name):
        for number, path in enumerate(("/proc", "/proc/self/attr", "/proc/sys", "/proc/sys/kernel", "/sys")):
            name = f"over-{number}"
            script = (
                "for f in /proc/timer_list /proc/keys /proc/interrupts; do if test -e $f; then "
                "test -c $f || { echo $f is bare; exit 9; }; fi; done; "
                "echo x >/proc/sys/kernel/core_pattern && echo written")
            space.create(
                pod(name, dict(container([]), command=["/bin/sh", "-c", script], volumeMounts=[mount("v", path)]),
                    volumes=[{"name": "v", "emptyDir": {}}]))
            item = space.wait(
                name, "ended or refused",
                lambda item: item and (item["status"].get("phase") in ("Succeeded", "Failed")
                                       or container_status(item).get("state", {}).get("waiting", {}).get("message")))
            expect(terminated(item).get("exitCode") != 9, f"{path}: {item['status']}")
            space.delete(name, grace=0)


@case(f"{ROUNDS} starts against racers that swap mount points and device files: never anything of the host's")
def races(world, node, space):
    """Volume "trap" is shared with racers. Each start mounts volumes below it and masks files over it."""
    imported(node, world)
    with canary(world, node, space.name) as bird:
        place = world.temporary(f"trap-{space.name}")
        for name in ("target", "deep"):
            (place / name).mkdir()
        (place / "out").symlink_to("/")
        (place / "up").symlink_to("../" * 30)
        (place / "null").touch()
        (place / "pattern").symlink_to("/proc/sys/kernel/core_pattern")
        (place / "secret").symlink_to(bird.place)
        trap = [{"name": "trap", "hostPath": {"path": str(place)}}, {"name": "inner", "emptyDir": {}}]
        names = ("target", "out", "deep", "up", "null", "pattern")
        racer = container(["swap", *(f"/trap/{name}" for name in names)], volumeMounts=[mount("trap", "/trap")])
        space.create(pod("racers", racer, volumes=trap))
        space.wait_ready("racers")
        # The host's root is told by what only it has: the run's directory.
        script = (
            f"test -e /trap/target{bird.place} -o -e /trap/deep{bird.place} && exit 9; "
            "for f in /proc/timer_list /proc/keys /proc/interrupts; do test ! -e $f -o -c $f || exit 8; done; "
            f"if cat {bird.place}/secret 2>/dev/null; then exit 7; fi; "
            "if echo x 2>/dev/null >/proc/sys/kernel/core_pattern; then exit 6; fi; exit 0")
        victim = dict(
            container([]), command=["/bin/sh", "-c", script],
            volumeMounts=[
                mount("trap", "/trap"), mount("inner", "/trap/target/inner"), mount("inner", "/trap/deep/inner"),
            ])
        done, troubles = starts(space, "victim", victim, ROUNDS, volumes=trap)
        found = [line for line in troubles if line.split()[0] in ("6", "7", "8", "9")]
        expect(not found, f"{len(found)} of {done} starts saw the host: {found[:3]}")
        print(f"# {done} starts, {len(troubles)} of them refused", flush=True)
        space.delete("racers", grace=0)
        space.wait_gone("racers")


@case("what a container with CAP_SYS_ADMIN mounts never shows on the host")
def many_mounts(world, node, space):
    imported(node, world)
    with canary(world, node, space.name):
        script = (
            "set -e; exec 2>&1; for i in $(/bin/busybox seq 100); do /bin/busybox mkdir /volume/$i; "
            "/bin/busybox mount -t tmpfs attack /volume/$i; done; /bin/busybox grep -c '^attack /volume' /proc/mounts")
        space.create(
            pod("mounter",
                dict(container([]), command=["/bin/sh", "-c", script], volumeMounts=[mount("v", "/volume")],
                     securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
                volumes=[{"name": "v", "emptyDir": {}}]))
        expect_equal(ended(space, "mounter"), (0, "100\n"), "exit code and mounts inside")
        text = subprocess.run(
            ["grep", "-c", "tmpfs attack", "/proc/self/mountinfo"], capture_output=True, text=True, check=False)
        expect_equal(text.stdout.strip(), "0", "mounts of the container's on the host")


@case("a read-only hostPath is read-only in what is mounted below it, too")
def nested_read_only(world, node, space):
    imported(node, world)
    place = world.temporary(f"nested-{space.name}")
    (place / "inner").mkdir()
    command(["mount", "-t", "tmpfs", "conformance", str(place / "inner")])
    try:
        script = "touch /host/a && exit 9; touch /host/inner/a && exit 8; exit 0"
        space.create(
            pod("reader",
                dict(container([]), command=["/bin/sh", "-c", script],
                     volumeMounts=[mount("host", "/host", readOnly=True)]),
                volumes=[{"name": "host", "hostPath": {"path": str(place)}}]))
        space.wait_phase("reader", "Succeeded")
        expect(not (place / "inner/a").exists() and not (place / "a").exists(), "a file was written")
        space.delete("reader")
        space.wait_gone("reader")
    finally:
        unmount(place / "inner")


@case("a shell on the host's own root sees only what a pod may: no writes through, no set-user-ID from outside")
def host_root_is_private(world, node, space):
    with canary(world, node, space.name) as bird:
        script = (
            f"echo changed >{bird.place}/secret 2>/dev/null; rm -rf {bird.place} 2>/dev/null; "
            "touch /usr/bin/probe-planted; echo planted >>/etc/passwd; chmod 4777 /bin/sh; echo done")
        space.create(pod("vandal", shell(script)))
        expect_contains(space.finished_log("vandal"), "done", "the log")
