"""Starts that must not succeed, and two that must."""

import socket
import subprocess
import time

from rig.case import case
from rig.expectation import Failure, expect, expect_contains, expect_equal
from rig.node import free_port
from rig.pods import idle, pod


def fails(command, *words, seconds=10):
    """The program ends by itself, not with 0, and says so in one line with the words; returns the time it took."""
    started = time.monotonic()
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"{' '.join(command[-2:])}: still runs after {seconds} s: {expired.stderr}") from None
    taken = time.monotonic() - started
    expect(result.returncode not in (0, -4, -5, -6, -11), f"exit {result.returncode}: {result.stderr[-800:]}")
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    expect_equal(len(errors), 1, f"error lines in {result.stderr[-1500:]!r}")
    for word in words:
        expect_contains(errors[0], word, "the error")
    return taken


@case("a second agent on the same directories is refused in under a second")
def second_agent(node):
    command = node.up_command()
    taken = fails(command, "in use by another swiftlet", str(node.process.pid))
    expect(taken < 1, f"it took {taken:.2f} s")
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


@case("a read-only root directory is one clear error")
def read_only_root(world):
    node = world.new_node("sealed")
    node.root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "conformance", str(node.root)], check=True)
    try:
        command = node.up_command()
        command[command.index("--node-port") + 1] = str(free_port())
        fails(command, str(node.root))
    finally:
        subprocess.run(["umount", str(node.root)], check=True)
        node.root.rmdir()
