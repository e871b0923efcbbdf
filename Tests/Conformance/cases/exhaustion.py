"""Pods that take all they can: the node answers, their neighbours live, and they end when they are told to."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import threading
import time

from rig.canary import canary, counts, is_alive, resident, steady_counts
from rig.case import case
from rig.expectation import PATIENCE, Failure, Skipped, eventually, expect, expect_contains, expect_equal
from rig.hanging import hanging
from rig.http import page
from rig.node import is_zombie
from rig.pods import config_map, idle, mount, pod, shell, web_server
from rig.probe import imported
from rig.races import ROUNDS
from rig.space import container_status, terminated

# KiB of a monitor under a flood of output.
MONITOR_LIMIT = 16 << 10


class Neighbour:
    """A pod that answers, and how fast it does so while somebody else misbehaves."""

    def __init__(self, space):
        space.create(pod("neighbour", web_server("alive")))
        self.address = space.wait_ready("neighbour")["status"]["podIP"]
        eventually("it answers", lambda: page(self.address, 8080) == "alive", 10)

    def slowest(self, requests=100):
        """Seconds that the slowest but one took."""
        taken = []
        for _ in range(requests):
            began = time.monotonic()
            expect_equal(page(self.address, 8080), "alive", "the neighbour's answer")
            taken.append(time.monotonic() - began)
        return sorted(taken)[-2]


def pids_limit(node, uid):
    """The lowest limit of processes on the way to the pod's containers, or None."""
    found = []
    for root in node.cgroups():
        for file in root.rglob("pids.max"):
            if uid in str(file) and (text := file.read_text().strip()) != "max":
                found.append(int(text))
    return min(found, default=None)


@case("a fork bomb fills its own pod only: node and neighbour answer, and it ends with its pod", alone=True)
def fork_bomb(world, node, space):
    neighbour = Neighbour(space)
    with canary(world, node, space.name):
        bomb = "perl -e 'while (1) { my $p = fork; next if $p; sleep 1 if !defined $p }'"
        space.create(pod("bomb", shell(bomb, resources={"limits": {"cpu": "500m"}})))
        uid = space.wait_ready("bomb")["metadata"]["uid"]
        limit = pids_limit(node, uid)
        if limit is None:
            raise Skipped("no pids controller on this host")
        expect(limit <= 4096, f"a pod may have {limit} processes")
        eventually("the bomb is at its limit", lambda: len(node.pod_processes(uid)) >= limit * 0.9, 60)
        for _ in range(3):
            expect(len(node.pod_processes(uid)) <= limit, "more processes than the limit")
            is_alive(node)
        expect(neighbour.slowest() < 2 * PATIENCE, "the neighbour is slow")
        began = time.monotonic()
        space.delete("bomb")
        space.wait_gone("bomb", 15)
        expect(time.monotonic() - began < 11 * PATIENCE, "its end took longer than its grace and 10 s")
        expect_equal(node.pod_processes(uid), set(), "processes left")


@case("programs that spin on every core leave room for node and neighbour", alone=True)
def spinning(world, node, space):
    neighbour = Neighbour(space)
    with canary(world, node, space.name):
        cores = os.cpu_count() or 1
        spin = "; ".join(["while :; do :; done &"] * cores * 2).replace("&;", "&") + " wait"
        space.create(pod("spinner", shell(spin)))
        space.wait_ready("spinner")
        deadline = time.monotonic() + 5 * PATIENCE
        while time.monotonic() < deadline:
            is_alive(node)
            expect(neighbour.slowest(20) < PATIENCE, "the neighbour is slow")
        space.delete("spinner")
        space.wait_gone("spinner", 12)


@case("a memory hog takes nobody with it: the container ends as OOMKilled, its pod's others, monitors and agent live")
def memory_hog(world, node, space):
    with canary(world, node, space.name):
        hog = {
            "name": "hog", "image": "host:///", "command": ["perl", "-e", "my @a; push @a, 'x' x (1 << 20) while 1"],
            "resources": {"limits": {"memory": "32Mi"}}}
        space.create(pod("mixed", idle(), hog))
        agent, monitors = node.process.pid, set(node.monitors())
        item = space.wait("mixed", "the hog's end", lambda item: terminated(item or {}, "hog"), 30)
        ended = terminated(item, "hog")
        expect_equal((ended["reason"], ended["exitCode"]), ("OOMKilled", 137), "end of the hog")
        expect("running" in container_status(space.pod("mixed"), "main")["state"], "its neighbour in the pod ended")
        expect_equal(node.process.pid, agent, "the agent")
        expect(monitors <= set(node.monitors()), "a monitor ended")


@case("every process of a container ends with the one that the kernel kills for memory")
def group_kill(node, space):
    script = "sleep 31536002 & perl -e 'my @a; push @a, \"x\" x (1 << 20) while 1'; sleep 31536003"
    space.create(pod("family", shell(script, resources={"limits": {"memory": "32Mi"}})))
    uid = space.pod("family")["metadata"]["uid"]
    item = space.wait("family", "an end, or the kernel's kill", lambda item: terminated(item or {}) or None, 15) \
        if pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists() else None
    if item is None:
        raise Skipped("cgroup v1 has no memory.oom.group")
    expect_equal(terminated(item)["reason"], "OOMKilled", "reason")
    expect_equal(node.pod_processes(uid), set(), "processes left")


@case("a flood of output costs neither memory nor the last line, and nobody else anything")
def log_flood(world, node, space):
    with canary(world, node, space.name):
        script = (
            "head -c 4000000 /dev/urandom; head -c 8000000 /dev/zero | tr '\\0' x; echo; "
            f"timeout {60 if ROUNDS > 1000 else 5} yes 'one more line of the flood'; echo the last line")
        before = set(node.monitors())
        space.create(pod("flood", shell(script)))
        eventually("its monitor", lambda: set(node.monitors()) - before, 10)
        monitor = (set(node.monitors()) - before).pop()
        highest = 0
        while terminated(space.pod("flood")) == {}:
            with contextlib.suppress(OSError):
                highest = max(highest, resident(monitor))
            is_alive(node)
            time.sleep(0.05)
        expect(0 < highest < MONITOR_LIMIT, f"the monitor used {highest} KiB")
        expect_equal(terminated(space.wait_phase("flood", "Succeeded"))["exitCode"], 0, "exit code")
        expect_contains(space.log("flood", tailLines=2), "the last line", "the log's end")


@case("a container that closes its output runs on")
def closed_output(space):
    space.create(pod("mute", shell("exec >&- 2>&- <&-; sleep 1; exit 7")))
    expect_equal(terminated(space.wait_phase("mute", "Failed"))["exitCode"], 7, "exit code")


@case("probes that print without end, hang, or leave children behind cost the node nothing that stays")
def noisy_probes(world, node, space):
    imported(node, world)
    with canary(world, node, space.name), steady_counts(node):
        noises = {
            "yes": "yes", "hang": "sleep 31536004", "orphans": "for i in 1 2 3 4 5; do sleep 31536005 & done; exit 0",
            "binary": "head -c 3000000 /dev/urandom; exit 1", "closed": "exec >&- 2>&-; sleep 31536006",
        }
        for name, noise in noises.items():
            check = {
                "exec": {"command": ["/bin/sh", "-c", noise]}, "periodSeconds": 1, "timeoutSeconds": 1,
                "failureThreshold": 1000}
            space.create(pod(name, idle(readinessProbe=check)))
        for name in noises:
            space.wait(name, "running", lambda item: container_status(item).get("state", {}).get("running"))
        deadline = time.monotonic() + 8 * PATIENCE
        while time.monotonic() < deadline:
            is_alive(node)
            time.sleep(0.2)
        for _, message in space.events("binary") + space.events("yes"):
            expect(len(message) < 20000, f"an event of {len(message)} bytes")
        for name in noises:
            space.delete(name, grace=0)
        for name in noises:
            space.wait_gone(name)


@case(f"{ROUNDS} pods come and go in crowds, and the agent is as it was before")
def churn(world, node, space):
    def crowd(number, size):
        names = [f"churn-{number}-{index}" for index in range(size)]
        for name in names:
            space.create(pod(name, {"name": "main", "image": "host:///", "command": ["/bin/true"]}, hostNetwork=True))
        for name in names:
            space.wait_phase(name, "Succeeded", 30)
        for name in names:
            space.delete(name, grace=0)
        for name in names:
            space.wait_gone(name)

    with canary(world, node, space.name):
        crowd(0, 20)
        with steady_counts(node):
            before, began, number = resident(node.process.pid), time.monotonic(), 0
            while 20 * number < ROUNDS and time.monotonic() - began < 30 * PATIENCE:
                number += 1
                crowd(number, 20)
            print(f"# {20 * number} pods in {time.monotonic() - began:.1f} s", flush=True)
        grown = resident(node.process.pid) - before
        expect(grown < 32 << 10, f"the agent grew by {grown} KiB over {20 * number} pods")
        zombies = [entry.name for entry in pathlib.Path("/proc").iterdir()
                   if entry.name.isdigit() and is_child(entry, node.process.pid) and is_zombie(entry)]
        expect_equal(zombies, [], "zombies of the agent's")


def is_child(place, parent):
    try:
        return int((place / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
    except (OSError, ValueError):
        return False


@case("a container that no signal reaches keeps its own pod only, and goes when the kernel lets it")
def beyond_signals(world, node, space):
    place = world.temporary(f"hang-{space.name}")
    with canary(world, node, space.name):
        with hanging(place):
            space.create(
                pod("deaf", shell("echo here; ls /h/x", volumeMounts=[mount("h", "/h")]),
                    volumes=[{"name": "h", "hostPath": {"path": str(place)}}]))
            uid = space.wait_ready("deaf")["metadata"]["uid"]
            eventually("it looks into the directory", lambda: "here" in space.log("deaf"), 10)
            space.delete("deaf")
            eventually("it waits in the kernel, deaf", lambda: "D" in states(node, uid), 10)
            began = time.monotonic()
            space.create(pod("other", idle()))
            space.wait_ready("other", 10)
            space.delete("other")
            space.wait_gone("other", 10)
            # Longer than the grace and the kill: it must be shown as it is, not as gone.
            eventually("its grace is over", lambda: time.monotonic() - began > 4, 10)
            expect(space.pod("deaf")["metadata"].get("deletionTimestamp"), "the pod is in deletion")
            expect(node.pod_processes(uid), "the processes are gone: nothing was tested")
            is_alive(node)
        space.wait_gone("deaf", 40)
        expect_equal(node.pod_processes(uid), set(), "processes left")


def states(node, uid):
    """The kernel's letters for what the pod's processes do."""
    found = set()
    for pid, _ in node.pod_processes(uid):
        with contextlib.suppress(OSError):
            found.add(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0])
    return found


@case("requests in crowds are served or refused, and the agent's descriptors and threads come back")
def crowds_of_requests(world, node, space):
    space.create(pod("talker", shell("while :; do echo tick; sleep 0.05; done")))
    space.wait_ready("talker")
    problems = []

    def follow():
        try:
            node.api.request("GET", space.path("pods", "talker/log", {"tailLines": "5"}))
        except (OSError, Failure) as error:
            problems.append(str(error))

    with canary(world, node, space.name), steady_counts(node):
        for _ in range(10):
            crowd = [threading.Thread(target=follow) for _ in range(50)]
            for one in crowd:
                one.start()
            for one in crowd:
                one.join()
        is_alive(node)
        expect(len(problems) < 50, f"{len(problems)} of 500 requests failed: {problems[:2]}")
        expect(counts(node)[1] < 400, f"threads and descriptors: {counts(node)}")


@case("hundreds of clients that send a byte now and then, or never read, hold up nobody, and what they took comes back")
def slow_clients(world, node, space):
    space.create(pod("talker", shell("while :; do head -c 20000 /dev/zero | tr '\\0' x; echo; sleep 0.05; done")))
    space.wait_ready("talker")
    with canary(world, node, space.name), steady_counts(node), contextlib.ExitStack() as stack:
        slow = []
        for number in range(300):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", (node.port, node.node_port)[number % 2]), 5))
            # The beginning of a TLS record, never to be finished.
            client.sendall(b"\x16\x03\x01\x02\x00")
            slow.append(client)
        path = space.path("pods", "talker/log", {"follow": "true"})
        for _ in range(5):
            # Followers of a log that never ends, who read nothing of it.
            client = stack.enter_context(
                node.api.context.wrap_socket(
                    socket.create_connection(("127.0.0.1", node.port), 5), server_hostname="localhost"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for _ in range(5):
            for client in slow:
                # Some may have been told to go already, which is as good.
                with contextlib.suppress(OSError):
                    client.sendall(b"\x01")
            is_alive(node)
        space.create(pod("other", idle()))
        space.wait_ready("other", 20)
        space.delete("other", grace=0)
        space.delete("talker", grace=0)
        space.wait_gone("talker")


@case("an agent without free descriptors harms no container, and goes on when it has some again")
def no_descriptors(world):
    node = world.new_node("starved").start()
    space = world.space(node)
    with canary(world, node, "starved"):
        space.create(pod("old", idle()))
        uid = space.wait_ready("old")["metadata"]["uid"]
        before = node.settled_processes(uid)
        soft, hard = resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE)
        item = pod("new", idle())
        item["metadata"]["namespace"] = space.name
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (counts(node)[0] + 2, hard))
        try:
            # Through a file, as nothing may be able to connect.
            (node.manifests / "new.json").write_text(json.dumps(item))
            for _ in range(20):
                with contextlib.suppress(OSError, Failure):
                    node.api.request("GET", "/readyz", timeout=3)
            # The runtime library of Swift traps when it may open nothing at the moment at which it wants to count its threads: about
            # once in ten times. Its service starts the agent anew then.
            ended = node.process.poll()
            expect(ended in (None, -signal.SIGILL), f"the agent ended with {ended}")
        finally:
            if node.process.poll() is None:
                resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
            else:
                node.start()
        space.wait_ready(f"new-{node.name}", 60)
        expect_equal(node.pod_processes(uid), before, "processes of the pod that was there")
        expect_equal(container_status(space.pod("old"))["restartCount"], 0, "its restarts")
    node.stop_all()


@contextlib.contextmanager
def held_in_memory(pid, limit):
    """A process in a cgroup of its own that gets no more than these bytes; back where it was, if it still is, afterwards."""
    root = pathlib.Path("/sys/fs/cgroup")
    first = root / "memory" if (root / "memory").is_dir() else root
    name = f"swiftlet-held-{os.getpid()}-{pid}"
    place = first / name
    place.mkdir()
    try:
        (place / ("memory.limit_in_bytes" if first != root else "memory.max")).write_text(str(limit))
        before = next(
            line.split(":", 2) for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()
            if line.split(":")[1] == ("memory" if first != root else ""))
        (place / "cgroup.procs").write_text(str(pid))
        try:
            yield
        finally:
            for left in (place / "cgroup.procs").read_text().split():
                (first / before[2].lstrip("/") / "cgroup.procs").write_text(left)
    finally:
        eventually("nothing is left in its cgroup", lambda: (place / "cgroup.procs").read_text() == "")
        place.rmdir()


def private_memory(pid):
    """Bytes that are a process's own."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Anonymous:"))


@case("an agent that gets no more memory harms no container, and goes on when it has some again")
def little_memory(world):
    node = world.new_node("held").start()
    space = world.space(node)
    with canary(world, node, "held"):
        space.create(pod("old", idle()))
        uid = space.wait_ready("old")["metadata"]["uid"]
        before = node.settled_processes(uid)
        # Its monitors stay where they are: only the agent is short of memory.
        with held_in_memory(node.process.pid, private_memory(node.process.pid) + (1 << 20)):
            for number in range(10):
                item = pod(f"new-{number}", idle())
                item["metadata"]["namespace"] = space.name
                (node.manifests / f"new-{number}.json").write_text(json.dumps(item))
            for _ in range(20):
                if node.process.poll() is not None:
                    break
                with contextlib.suppress(OSError, Failure):
                    node.api.request("GET", "/readyz", timeout=3)
            # Either it manages, or the kernel ends it, and its service starts it anew.
            expect(node.process.poll() in (None, -signal.SIGKILL), f"the agent ended with {node.process.poll()}")
            expect_equal(node.pod_processes(uid), before, "processes of the pod that was there")
        if node.process.poll() is not None:
            node.start()
        for number in range(10):
            space.wait_ready(f"new-{number}-{node.name}", 60)
        expect_equal(node.pod_processes(uid), before, "processes of the pod that was there")
        expect_equal(container_status(space.pod("old"))["restartCount"], 0, "its restarts")
    node.stop_all()


@case("watchers that never read cost the node no memory that grows, and others nothing")
def deaf_watchers(world, node, space):
    watchers, changes = (1000, 10_000) if ROUNDS > 1000 else (50, 1500)
    with canary(world, node, space.name), contextlib.ExitStack() as stack:
        space.create(config_map("ticker", tick="0"))
        path = space.path("configmaps", query={"watch": "true"})
        for _ in range(watchers):
            client = stack.enter_context(
                node.api.context.wrap_socket(
                    socket.create_connection(("127.0.0.1", node.port), 20), server_hostname="localhost"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for number in range(changes):
            node.api.request(
                "PATCH", space.path("configmaps", "ticker"), {"data": {"tick": f"{number} " + "x" * 1000}},
                "application/merge-patch+json")
        is_alive(node)
        stored = node.api.get(space.path("configmaps", "ticker"))["data"]["tick"]
        expect_equal(stored.split()[0], str(changes - 1), "the last change")
