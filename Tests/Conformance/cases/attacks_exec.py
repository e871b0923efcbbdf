"""Attacks on the moment in which a process enters a container, and on what it brings along."""

import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import tarfile
import time

from rig.api import APIFailure
from rig.archives import docker_archive, entry
from rig.canary import canary
from rig.case import case
from rig.expectation import PATIENCE, eventually, expect, expect_equal
from rig.pods import idle, mount, pod
from rig.probe import container, ended, imported, layer
from rig.races import ROUNDS
from rig.space import container_status, terminated

# A probe every second is the fastest exec there is: so many containers of two such probes in each of two pods.
CROWD = 12
# PT_INTERP of elf(5).
INTERPRETER = 3


def image(node, world, name, *more):
    """Imports an image of the probe's root with more in it, and returns its name."""
    reference = f"example.org/{name}:1"
    archive = docker_archive(world.directory / f"{name}.tar", reference, [*layer(world), *more])
    expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, f"import of {reference}")
    archive.unlink()
    return reference


def link(path, target):
    return entry(path, kind=tarfile.SYMTYPE, link=target)


def probing(arguments, **fields):
    """A container with three probes that run the command every second, whatever comes of it."""
    check = {"exec": {"command": arguments}, "periodSeconds": 1, "timeoutSeconds": 20, "failureThreshold": 1000000}
    return dict(fields, readinessProbe=check, livenessProbe=check, startupProbe=dict(check, failureThreshold=1))


@case("of 200 descriptors that the agent inherits none reaches a monitor or a container")
def inherited_descriptors(world):
    node = world.new_node("inherits")
    place = world.temporary("inherited")
    (place / "treasure").write_text("treasure\n")
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(place / "treasure", "rb")) for _ in range(200)]
        for file in files:
            os.set_inheritable(file.fileno(), True)
        # Not by way of a shell or Popen, which close what they do not know.
        launch = node.up_command
        pid = os.posix_spawn(
            launch()[0], launch(), os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(node.output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2)])
    node.process = Spawned(pid)
    node.wait_ready()
    space = world.space(node)
    imported(node, world)
    held = [path for path in links(pid) if path.endswith("/treasure")]
    expect_equal(len(held), 200, "descriptors of the agent's to lose")
    space.create(pod("holder", dict(container(["until", "/none", "facts"]), **probing(["/probe", "facts"]))))
    uid = space.wait_ready("holder")["metadata"]["uid"]
    watched = {pid for pid, _ in node.pod_processes(uid)} | set(node.monitors())
    expect(len(watched) >= 2, "a monitor and a container")
    for process in watched:
        expect(not any("treasure" in path for path in links(process)), f"process {process} holds the agent's files")
    node.stop_all()


class Spawned:
    """As much of Popen as a node needs, for a process made otherwise."""

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=15):
        eventually("the agent ends", lambda: self.poll() is not None, timeout)
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        os.kill(self.pid, 9)


def links(pid):
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


@case("no working directory leads out through a descriptor: /proc/self/fd/N is refused for every N, also by a link")
def working_directories(world, node, space):
    ways = (link(f"fd{number}", f"/proc/self/fd/{number}") for number in range(3, 30))
    reference = image(node, world, "workdirs", *ways)
    with canary(world, node, space.name):
        places = [f"/proc/self/fd/{number}" for number in range(3, 60)] + [f"/fd{number}" for number in range(3, 30)]
        places += ["/proc/self/fd/7/..", "/proc/thread-self/fd/8", "/proc/1/fd/9", "/proc/self/cwd/../.."]
        for batch in range(0, len(places), 30):
            name = f"out-{batch}"
            containers = [
                dict(container([], f"c{number}"), image=reference, workingDir=place,
                     command=["/bin/sh", "-c", "pwd; /bin/busybox stat -c %d:%i . / ..; ls -a"])
                for number, place in enumerate(places[batch : batch + 30])
            ]
            space.create(pod(name, *containers))

            def settled(item):
                statuses = (item or {}).get("status", {}).get("containerStatuses", [])
                states = [status.get("state", {}) for status in statuses]
                return len(states) == len(containers) and all(  # pylint: disable=cell-var-from-loop
                    "terminated" in state or state.get("waiting", {}).get("message") for state in states)

            item = space.wait(name, "every container ended or refused", settled, 40)
            for number, place in enumerate(places[batch : batch + 30]):
                state = terminated(item, f"c{number}")
                if state.get("exitCode") == 0:
                    # A directory of the container's own, which some of these are.
                    log = space.log(name, f"c{number}")
                    expect("unreachable" not in log and log.startswith("/"), f"{place}: {log}")
                    expect("Conformance" not in log and "vmlinuz" not in log, f"{place} shows the host: {log}")
            space.delete(name, grace=0)


TRACING = {"capabilities": {"add": ["SYS_PTRACE"]}}
# Who waits, with what it may: any container; one that may trace everybody of its user namespace, which ours are not of; and one
# that may trace everybody it sees, to whom what enters must have nothing to give.
WAITERS = {
    "plain": ({}, {}, ["grab"]),
    "tracer": (TRACING, {"hostUsers": False}, ["grab"]),
    "holder": (TRACING, {}, ["grab", "held"]),
}


@case(f"{ROUNDS} execs against those who wait for them: none has more than the container's before it is the container's")
def entering(world, node, space):
    """One process that does nothing else waits for what enters any container of its pod: they share their processes."""
    imported(node, world)
    with canary(world, node, space.name):
        crowd = [
            dict(container([], f"entered-{number}"), command=["/bin/sleep", "100000"], **probing(["/bin/busybox", "true"]))
            for number in range(CROWD)
        ]
        pods = {}
        for name, (security, spec, arguments) in WAITERS.items():
            item = pod(name, container(arguments, "grab", securityContext=security), *crowd, shareProcessNamespace=True, **spec)
            if name != "holder":
                space.create(item)
                pods[name] = name
                continue
            # Only the node's administrator may let a pod trace on the host.
            item["metadata"]["namespace"] = space.name
            (node.manifests / "holder.json").write_text(json.dumps(item))
            pods[name] = f"{name}-{node.name}"
        try:
            judge(space, pods)
        finally:
            (node.manifests / "holder.json").unlink()
            space.wait_gone(pods["holder"], 60)


def judge(space, pods):
    """Until there were enough, or the time is over: what the waiters say they got."""
    for name in pods.values():
        space.wait(name, "running", lambda item: container_status(item, "grab").get("state", {}).get("running"), 60)
    deadline = time.monotonic() + 60 * max(1, ROUNDS / 1000) * PATIENCE
    counts_ = {}
    while time.monotonic() < deadline and sum(seen for _, seen in counts_.values()) < ROUNDS:
        time.sleep(1)
        for name in pods.values():
            lines = [line for line in space.log(name, "grab").splitlines() if line.startswith("met ")]
            taken = [line for line in lines if "nothing" not in line]
            expect(not taken, f"{name}: of processes that enter: {taken[:3]}")
            counts_[name] = tuple(map(int, re.match(r"met (\d+) of (\d+):", lines[-1]).groups())) if lines else (0, 0)
    for name, (met, seen) in counts_.items():
        print(f"# {name}: {seen} processes entered, {met} of them met before they were the container's own", flush=True)
        expect(met > 0 or ROUNDS < 1000, f"{name} met none before it was the container's own: nothing was tested")


@case("the runtime's own program, run by its link from within, gives nobody a way to write it")
def own_program(world, node, space):
    reference = image(
        node, world, "self", link("bin/self", "/proc/self/exe"), entry("bin/script", b"#!/proc/self/exe\n"))
    with canary(world, node, space.name):
        commands = (["/proc/self/exe"], ["/bin/self"], ["/bin/script"], ["/proc/self/exe", "anchor"])
        for number, command in enumerate(commands):
            fields = dict(container([]), image=reference)
            # The first process opens whatever runs beside it while probes run the link.
            loop = "while :; do /probe overwrite found; done"
            attacker = dict(fields, command=["/bin/sh", "-c", loop], **probing(command))
            # A failed start would end the attacker.
            del attacker["startupProbe"]
            space.create(pod(f"self-{number}", attacker))
            space.create(pod(f"first-{number}", dict(fields, command=command)))
        for number in range(4):
            space.wait(f"self-{number}", "running", lambda item: container_status(item).get("state", {}).get("running"), 60)
        # The probes run each second: for how many of them is arbitrary.
        time.sleep(4 * PATIENCE)
        for number in range(4):
            lines = space.log(f"self-{number}").splitlines()
            bad = [line for line in lines if "swiftlet" in line]
            expect(not bad, f"{bad[:2]}")
            expect(any("can be changed" in line for line in lines), f"self-{number} finds no program at all: nothing was tested")


@case("no file of the image's is opened on the way into it: loader settings, name services, crash handlers")
def files_on_the_way(world, node, space):
    """Pipes: whoever opens one for reading waits for a writer that never comes."""
    pipes = [
        "etc/ld.so.preload", "etc/ld.so.cache", "etc/nsswitch.conf", "etc/localtime", "etc/host.conf",
        "usr/lib/x86_64-linux-gnu/libnss_files.so.2", "lib/x86_64-linux-gnu/libnss_files.so.2",
        "usr/lib/x86_64-linux-gnu/gconv/gconv-modules", "evil.so",
    ]
    marker = "#!/bin/sh\n/bin/busybox touch /volume/marker\n".encode()
    handlers = ["usr/bin/swift-backtrace", "usr/libexec/swift/linux/swift-backtrace",
                "opt/swift/usr/libexec/swift/linux/swift-backtrace", "usr/libexec/swift/swift-backtrace-static"]
    reference = image(
        node, world, "traps", *(entry(path, kind=tarfile.FIFOTYPE) for path in pipes),
        *(entry(path, marker) for path in handlers))
    environment = {
        "LD_PRELOAD": "/evil.so", "LD_AUDIT": "/evil.so", "GCONV_PATH": "/usr/lib", "SWIFT_ROOT": "/opt/swift",
        "SWIFT_BACKTRACE": "enable=yes,swift-backtrace=/usr/bin/swift-backtrace", "LOCPATH": "/", "TZDIR": "/etc"}
    main = dict(
        container(["until", "/volume/exec", "facts"]), image=reference, volumeMounts=[mount("volume", "/volume")],
        env=[{"name": name, "value": value} for name, value in environment.items()],
        readinessProbe={"exec": {"command": ["/probe", "facts", "/volume/exec"]}, "periodSeconds": 1})
    with canary(world, node, space.name):
        space.create(pod("trapped", main, volumes=[{"name": "volume", "emptyDir": {}}]))
        code, log = ended(space, "trapped", 15)
        expect_equal(code, 0, f"exit code; its log: {log[-300:]}")
        failing = dict(main, name="main", command=["/none"], readinessProbe=None)
        failing.pop("readinessProbe")
        space.create(pod("failing", failing, dict(idle("other"), image=reference, volumeMounts=main["volumeMounts"],
                                                  command=["/bin/sleep", "9"]),
                         volumes=[{"name": "volume", "emptyDir": {}}]))
        space.wait("failing", "an end", lambda item: terminated(item or {}) or container_status(item).get(
            "state", {}).get("waiting", {}).get("message"))
        expect(not any((node.root / "pods").glob("*/volumes/*/*/marker")), "a crash handler of the image's was run")
    program = (world.binaries / "swiftlet-monitor").read_bytes()
    expect(b"swift-backtrace" not in program, "the monitor knows a crash handler")
    expect(INTERPRETER not in segments(program), "the monitor has a dynamic linker")


def segments(program):
    """The types of a 64-bit ELF file's segments."""
    start, = struct.unpack_from("<Q", program, 32)
    size, number = struct.unpack_from("<HH", program, 54)
    return {struct.unpack_from("<I", program, start + index * size)[0] for index in range(number)}


@case("a pod on the host's network finds no socket of the runtime's that it could use")
def sockets(world, node, space):
    imported(node, world)
    with canary(world, node, space.name):
        space.create(pod("scanner", dict(container([]), command=["/bin/cat", "/proc/net/unix"]), hostNetwork=True))
        code, log = ended(space, "scanner")
        expect_equal(code, 0, "exit code")
        named = [line.split() for line in log.splitlines() if len(line.split()) == 8]
        abstract = [words[-1] for words in named if words[-1][0] == "@"]
        expect(not any("swiftlet" in name or "monitor" in name for name in abstract), f"abstract sockets: {abstract}")
        inodes = {found.group(1) for pid in [node.process.pid, *node.monitors()] for path in links(pid)
                  if (found := re.match(r"socket:\[(\d+)\]", path))}
        ours = [words[-1] for words in named if words[6] in inodes]
        expect(not [name for name in ours if name.startswith("@")], f"abstract sockets of ours: {ours}")
        for name in ours:
            path = pathlib.Path(name)
            if path.is_absolute() and path.exists():
                expect_equal(path.stat().st_mode & 0o777, 0o600, f"mode of {path}")
                expect_equal(path.parent.stat().st_mode & 0o077, 0, f"mode of {path.parent}")
        for port in (node.port, node.node_port):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as plain:
                plain.settimeout(5)
                plain.sendall(b"GET /pods HTTP/1.0\r\n\r\n")
                answer = plain.recv(4096)
                expect(b'"items"' not in answer, f"port {port} tells everybody: {answer[:100]!r}")


# Securitycontexts and annotations that must never end in a container with less than it asked for.
NEVER_RUN = {
    "an empty name": {"seccompProfile": {"type": "Localhost", "localhostProfile": ""}},
    "no name": {"seccompProfile": {"type": "Localhost"}},
    "a way up": {"seccompProfile": {"type": "Localhost", "localhostProfile": "../../../etc/passwd"}},
    "an absolute name": {"seccompProfile": {"type": "Localhost", "localhostProfile": "/etc/passwd"}},
    "an absent file": {"seccompProfile": {"type": "Localhost", "localhostProfile": "absent.json"}},
    "an unknown type": {"seccompProfile": {"type": "Anything"}},
    "an absent AppArmor profile": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "absent"}},
    "an unknown capability": {"capabilities": {"drop": ["NET_EVERYTHING"]}},
    "privileged without escalation": {"privileged": True, "allowPrivilegeEscalation": False},
    "unmasked without a user namespace": {"procMount": "Unmasked"},
    "a user that is root": {"runAsNonRoot": True, "runAsUser": 0},
    "an image's user that is root": {"runAsNonRoot": True},
}


@case("a profile, label or capability that does not exist ends in a refusal, never in a container without it")
def never_unconfined(world, node, space):
    imported(node, world)
    with canary(world, node, space.name):
        waiting = {}
        for number, (what, security) in enumerate(NEVER_RUN.items()):
            name = f"never-{number}"
            item = pod(name, dict(container([]), command=["/bin/sleep", "9"], securityContext=security))
            try:
                space.create(item)
                waiting[name] = what
            except APIFailure as failure:
                expect(failure.status in (400, 403, 422), f"{what}: {failure}")
        for name, what in waiting.items():
            item = space.wait(
                name, f"refused: {what}",
                lambda item: item and (item["status"].get("phase") == "Failed" or item["status"].get("reason")
                                       or container_status(item).get("state", {}).get("waiting", {}).get("message")
                                       or container_status(item).get("state", {}).get("running")))
            expect(not container_status(item).get("state", {}).get("running"), f"{what}: it runs")
            expect(terminated(item).get("exitCode") != 0, f"{what}: it ran")


@case("sysctls and annotations written to reach the host change nothing and are refused or ignored")
def settings(world, node, space):
    imported(node, world)
    sysctls = [
        {"name": "kernel.shm_rmid_forced", "value": "1+kernel.core_pattern=|/evil"},
        {"name": "kernel.core_pattern", "value": "|/evil"},
        {"name": "net.ipv4/../../kernel/core_pattern", "value": "x"},
        {"name": "kernel.shm_rmid_forced", "value": "1\nkernel.core_pattern=x"},
        {"name": "vm.swappiness", "value": "1"},
    ]
    with canary(world, node, space.name):
        for number, entry_ in enumerate(sysctls):
            try:
                space.create(pod(f"sysctl-{number}", container(["facts"]), securityContext={"sysctls": [entry_]}))
            except APIFailure as failure:
                expect(failure.status in (400, 403, 422), f"{entry_}: {failure}")
                continue
            item = space.wait(
                f"sysctl-{number}", "refused", lambda item: item and (
                    item["status"].get("phase") in ("Failed", "Succeeded")
                    or container_status(item).get("state", {}).get("waiting", {}).get("message")))
            expect(item["status"].get("phase") != "Succeeded", f"{entry_} was taken")
        try:
            space.create(
                pod("host-net", container(["facts"]), hostNetwork=True, securityContext={
                    "sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "1024 2048"}]}))
            item = space.wait(
                "host-net", "refused", lambda item: item and (
                    item["status"].get("phase") in ("Failed", "Succeeded")
                    or container_status(item).get("state", {}).get("waiting", {}).get("message")))
            expect(item["status"].get("phase") != "Succeeded", "a sysctl of the host's network was taken")
        except APIFailure as failure:
            expect(failure.status in (400, 403, 422), f"a sysctl of the host's network: {failure}")
        item = pod("annotated", dict(container([]), command=["/bin/busybox", "true"]))
        item["metadata"]["annotations"] = {
            "org.systemd.property.ExecStartPre": "['/bin/touch','/evil']", "run.oci.hooks.stderr": "/evil",
            "io.kubernetes.cri.untrusted-workload": "true", "cdi.k8s.io/evil": "vendor.com/device=all",
            "io.katacontainers.config.hypervisor.path": "/evil", "run.oci.handler": "wasm"}
        space.create(item)
        expect_equal(ended(space, "annotated")[0], 0, "exit code of a pod with annotations for others")
