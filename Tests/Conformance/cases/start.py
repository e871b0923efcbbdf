"""Starts that must not succeed, and two that must."""

import contextlib
import shutil
import socket
import subprocess

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import idle, pod
from rig.refusal import fails


@case("a second agent on the same directories is refused at once: it does not wait for the first")
def second_agent(node):
    command = node.up_command()
    taken = fails(command, "in use by another swiftlet", str(node.process.pid))
    # A busy machine takes a second to start the program.
    expect(taken < 5, f"it took {taken:.2f} s")
    command[command.index("--root") + 1] += "-other"
    fails(command, "in use by another swiftlet")
    expect(node.is_ready(), "the first node is not ready")


@case("a port that is taken is one clear error")
def port_taken(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        node = world.new_node("taken")
        command = node.up_command()
        command[command.index("--listen") + 1] = f"127.0.0.1:{port}"
        fails(command, str(port))
        command = node.up_command()
        command[command.index("--node-port") + 1] = str(port)
        fails(command, str(port))


@case("a flag that cannot be used is one clear error that names it")
def bad_flags(world):
    node = world.new_node("flags")
    for flag, value in {
        "--listen": "nowhere",
        "--pod-cidr": "10.1.2.3.4/24",
        "--node-name": "Not_A_Name",
        "--root": "relative",
        "--node-port": "70000",
    }.items():
        command = node.up_command()
        command[command.index(flag) + 1] = value
        fails(command, flag)
    expect(not node.root.exists() or not any(node.root.iterdir()), "a refused start leaves files")


@case("an apply file that is broken or absent is one clear error")
def bad_apply(world):
    node = world.new_node("apply")
    broken = node.directory / "broken.yaml"
    broken.write_text("kind: Pod\n  name: [\n")
    fails([*node.up_command(), "--apply", str(broken)], "broken.yaml")
    fails([*node.up_command(), "--apply", str(node.directory / "absent.yaml")], "absent.yaml")


@case("two nodes run side by side, each with its own pods")
def two_nodes(world, node, space):
    other = world.new_node("second").start()
    there = world.space(other)
    space.create(pod("mine", idle()))
    there.create(pod("other", idle()))
    first, second = space.wait_ready("mine"), there.wait_ready("other")
    expect_equal((first["spec"]["nodeName"], second["spec"]["nodeName"]), (node.name, other.name), "nodes of the pods")
    expect(first["status"]["podIP"] != second["status"]["podIP"], "addresses of two nodes are the same")
    expect_contains(other.swiftlet("ps").stdout, "other", "swiftlet ps of the second node")
    expect("mine" not in other.swiftlet("ps").stdout, "the second node lists a pod of the first")
    other.stop_all()
    expect_equal(node.swiftlet("ps").returncode, 0, "swiftlet ps of the first node")
    expect_equal(space.pod("mine")["status"]["containerStatuses"][0]["restartCount"], 0, "restarts on the first node")
    expect(node.pod_processes(first["metadata"]["uid"]), "the first node's pod ended with the second node")


@case("a directory that is read-only is one clear error with its way out")
def read_only(world):
    node = world.new_node("sealed")
    for flag, place in {"--root": node.root, "--run": node.run, "--log-dir": node.logs}.items():
        with tmpfs(place, "ro"):
            fails(node.up_command(), str(place), "Read-only file system", "mount it read-write", flag)


@case("a root on a full disk is one clear error with its way out")
def full_root(world):
    node = world.new_node("no-room")
    with tmpfs(node.root, "size=64k"):
        with open(node.root / "ballast", "wb", buffering=0) as ballast:
            with contextlib.suppress(OSError):
                while ballast.write(b"x" * 4096):
                    pass
        fails(node.up_command(), str(node.root), "o space left")


@contextlib.contextmanager
def tmpfs(place, options):
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "conformance", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
        shutil.rmtree(place)
