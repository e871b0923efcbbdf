"""Namespaces, kernel parameters and mounts that pods share among their containers or with the host."""

import contextlib
import os
import pathlib
import signal
import subprocess

from rig.api import APIFailure
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.node import start_time
from rig.pods import idle, mount, pod, shell
from rig.space import container_status


# Everything but kernel parameters beyond the safe ones.
SAFE_ONLY = """
rules:
- trusted: true
  allow: {unsafeSysctls: []}
"""


def namespaces(*names):
    return {name: os.readlink(f"/proc/self/ns/{name}") for name in names}


def inside(log):
    """`name target` lines as a mapping."""
    return dict(line.split(" ", 1) for line in log.splitlines() if " " in line)


LINKS = "for n in cgroup ipc mnt net pid user uts; do echo $n $(readlink /proc/self/ns/$n); done"


@case("by default nothing of the host's is shared; hostPID, hostIPC and hostNetwork share what they name")
def host_namespaces(space, node):
    agent = node.process.pid
    for name, spec, shared in (
        ("none", {}, ()),
        ("pids", {"hostPID": True}, ("pid",)),
        ("ipcs", {"hostIPC": True}, ("ipc",)),
        ("nets", {"hostNetwork": True}, ("net", "uts")),
        ("all", {"hostPID": True, "hostIPC": True, "hostNetwork": True}, ("pid", "ipc", "net", "uts")),
    ):
        script = f"{LINKS}; echo agent $(cat /proc/{agent}/comm 2>/dev/null); echo shm $(stat -c %d:%i /dev/shm)"
        space.create(pod(name, shell(script), **spec))
        seen = inside(space.finished_log(name))
        host = namespaces("cgroup", "ipc", "mnt", "net", "pid", "uts")
        for kind, target in host.items():
            expect_equal(seen[kind] == target, kind in shared, f"{name}: the {kind} namespace is the host's")
        expect_equal(seen.get("agent", "").strip() == "swiftlet", "pid" in shared, f"{name}: the node's process is seen")
        own = os.stat("/dev/shm")
        same = seen["shm"] == f"{own.st_dev}:{own.st_ino}"
        expect_equal(same, "ipc" in shared, f"{name}: /dev/shm is the host's")
        space.delete(name, grace=0)
        space.wait_gone(name)
    expect(os.path.ismount("/dev/shm") or os.path.isdir("/dev/shm"), "the host's /dev/shm is still there")


@case("with the host's PID namespace a container's end ends everything it started")
def host_pid_end(space, node):
    script = "setsid sleep 98765 & setsid sleep 98766 & sleep 0.2; exit 0"
    space.create(pod("left", shell(script), hostPID=True))
    space.wait_phase("left", "Succeeded")
    found = [
        entry.name
        for entry in pathlib.Path("/proc").iterdir()
        if entry.name.isdigit() and b"sleep\x009876" in command(entry)
    ]
    expect_equal(found, [], "processes that outlived the container")
    made = space.create(pod("stopped", idle(), shell("setsid sleep 98767 & wait", "other"), hostPID=True))
    uid = made["metadata"]["uid"]
    space.wait_ready("stopped")
    eventually("its processes", lambda: len(node.pod_processes(uid)) >= 3)
    space.delete("stopped")
    space.wait_gone("stopped")
    expect_equal(node.pod_processes(uid), set(), "processes of the pod")


def command(place):
    try:
        return (place / "cmdline").read_bytes()
    except OSError:
        return b""


def shared(name, **spec):
    first = shell("trap 'exit 0' TERM; echo $$ > /dev/shm/first; sleep 45671 & wait", "first")
    # Its own command line, and those of its helpers, must not be what it looks for.
    look = (
        "seen() { for p in /proc/[0-9]*; do [ \"$(tr '\\0' ' ' < $p/cmdline)\" = 'sleep 45671 ' ] && return; done 2>/dev/null; false; }; "
        "until seen && [ -s /dev/shm/first ]; do sleep 0.05; done; echo seen yes; "
        "echo one $(tr '\\0' ' ' < /proc/1/cmdline); echo self $$; echo first $(cat /dev/shm/first); "
        f"{LINKS}; trap 'exit 0' TERM; sleep 100000 & wait"
    )
    return pod(name, first, shell(look, "second"), shareProcessNamespace=True, **spec)


def holder(node, uid):
    """The first process of a pod's shared namespace, as the host counts."""
    for pid, _ in node.pod_processes(uid):
        if command(pathlib.Path(f"/proc/{pid}")).startswith(b"/pause\0"):
            return pid
    return None


@case("containers that share their processes see each other; the namespace outlives the node's process")
def shared_processes(world):
    node = world.new_node("sharing").start()
    space = world.space(node)
    made = space.create(shared("both"))
    uid = made["metadata"]["uid"]
    space.wait_ready("both")
    log = eventually("what the second sees", lambda: ("uts " in space.log("both", "second")) and space.log("both", "second"))
    seen = inside(log)
    expect_equal(seen["one"].strip(), "/pause", "the first process")
    expect_equal(seen.get("seen"), "yes", "the second sees the first's process")
    expect(seen["self"] != "1" and seen["first"] != "1", f"no container is the first process: {seen}")
    expect(seen["pid"] != namespaces("pid")["pid"], "the namespace is not the host's")
    pause = holder(node, uid)
    status = pathlib.Path(f"/proc/{pause}/status").read_text()
    for line in ("Uid:\t65535", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        expect_contains(status, line, "privileges of the process that holds the namespace")
    # Its /proc is there for the containers to get.
    expect_equal(sorted(os.listdir(f"/proc/{pause}/root")), ["pause", "proc"], "its root")
    began = start_time(pause)
    statuses = space.pod("both")["status"]["containerStatuses"]
    expect_equal(len(statuses), 2, "container statuses: the holder is no container")
    node.kill()
    node.start()
    space.wait_ready("both")
    expect_equal((holder(node, uid), start_time(pause)), (pause, began), "the holder after the agent's death")
    after = space.pod("both")["status"]["containerStatuses"]
    expect_equal([item["containerID"] for item in after], [item["containerID"] for item in statuses], "containers")
    space.delete("both")
    space.wait_gone("both")
    expect_equal(node.pod_processes(uid), set(), "processes of the pod")
    node.stop_all()
    node.is_ended = True


@case("when the holder of a shared process namespace dies, the pod's containers start anew in a new one")
def lost_namespace(space, node):
    made = space.create(shared("phoenix", restartPolicy="Always"))
    uid = made["metadata"]["uid"]
    before = space.wait_ready("phoenix")["status"]["podIP"]
    expect(before, "the pod has an address")
    old = holder(node, uid)
    os.kill(old, signal.SIGKILL)

    def restarted(item):
        statuses = (item or {}).get("status", {}).get("containerStatuses", [])
        return len(statuses) == 2 and all(s["restartCount"] >= 1 and s["ready"] for s in statuses)

    space.wait("phoenix", "both containers again", restarted, 40)
    new = holder(node, uid)
    expect(new and new != old, f"a new holder: {old} then {new}")
    ended = container_status(space.pod("phoenix"), "first")["lastState"]["terminated"]
    expect_equal(ended["exitCode"], 137, "exit code of a container that went down with it")


@case("a debugging container looks into a pod that shares its processes")
def debugging(space):
    space.create(pod("target", idle("app"), shareProcessNamespace=True))
    space.wait_ready("target")
    debugger = dict(shell("tr '\\0' ' ' < /proc/1/cmdline; echo; sleep 100000", "debugger"), targetContainerName="app")
    patch = {"spec": {"ephemeralContainers": [debugger]}}
    space.api.request(
        "PATCH",
        space.path("pods", "target/ephemeralcontainers"),
        patch,
        content_type="application/strategic-merge-patch+json",
    )

    def is_running(item):
        statuses = (item or {}).get("status", {}).get("ephemeralContainerStatuses", [])
        return statuses and "running" in statuses[0].get("state", {})

    space.wait("target", "the debugger runs", is_running)
    eventually("what the debugger sees", lambda: "/pause" in (space.log("target", "debugger") or ""))


@case("safe kernel parameters are the pod's own, unsafe ones and those of the host are refused")
def sysctls(world):
    node = world.new_node("sysctls", policy=SAFE_ONLY)
    with node.running():
        ask_for_sysctls(world.space(node))


def ask_for_sysctls(space):
    def asking(name, parameters, **spec):
        files = " ".join(parameter.replace(".", "/") for parameter in parameters)
        return pod(
            name,
            shell(f"cd /proc/sys; cat {files}; /bin/sh -c 'exec 2>/dev/null; echo 9 > net/core/somaxconn' || echo kept"),
            securityContext={"sysctls": [{"name": key, "value": value} for key, value in parameters.items()]},
            **spec,
        )

    host = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    safe = {
        "net.ipv4.ip_local_port_range": "40000 50000",
        "kernel.shm_rmid_forced": "1",
        "net.ipv4.tcp_syncookies": "0",
        "net/ipv4/ip_unprivileged_port_start": "99",
    }
    space.create(asking("safe", safe))
    log = space.finished_log("safe")
    expect_equal(log.split(), ["40000", "50000", "1", "0", "99", "kept"], "values in the pod")
    expect_equal(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(), host, "the host's value")
    for name, parameters, spec in (
        ("unsafe", {"net.core.somaxconn": "9"}, {}),
        ("global", {"vm.swappiness": "9"}, {}),
        ("host-net", {"net.ipv4.tcp_syncookies": "0"}, {"hostNetwork": True}),
        ("host-ipc", {"kernel.shm_rmid_forced": "1"}, {"hostIPC": True}),
    ):
        space.create(asking(name, parameters, **spec))
        status = space.wait_phase(name, "Failed")["status"]
        expect_equal(status.get("reason"), "SysctlForbidden", f"reason of {name}")
        expect_contains(status.get("message", ""), next(iter(parameters)), f"message of {name}")
    # CVE-2022-0811: a value, or a name, that smuggles in another parameter.
    core = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    for number, value in enumerate(("1+kernel.core_pattern=|/bin/x", "1\nkernel.core_pattern=x", "1;2")):
        space.create(asking(f"smuggled-{number}", {"kernel.shm_rmid_forced": value}))
        status = space.wait_phase(f"smuggled-{number}", "Failed")["status"]
        expect_equal(status.get("reason"), "SysctlForbidden", f"reason of the value {value!r}")
    space.create(asking("senseless", {"kernel.shm_rmid_forced": "many"}))
    expect_contains(space.wait_event("senseless", "FailedCreatePodSandBox"), "kernel.shm_rmid_forced", "the event")
    try:
        space.create(asking("name", {"kernel.shm_rmid_forced=1+kernel.core_pattern": "|/bin/x"}))
        raise AssertionError("a name with an equals sign is taken")
    except APIFailure as failure:
        expect_equal(failure.status, 422, "the API's answer to an odd name")
    expect_equal(pathlib.Path("/proc/sys/kernel/core_pattern").read_text(), core, "kernel.core_pattern")


@case("unsafe kernel parameters are allowed by name or prefix, and none of the whole host's can be")
def unsafe_sysctls(world):
    more = ("--allowed-unsafe-sysctls", "kernel.msg*,net.core.somaxconn")
    node = world.new_node("unsafe", policy=SAFE_ONLY, more=more)
    with node.running():
        space = world.space(node)
        asked = [{"name": "net.core.somaxconn", "value": "9"}, {"name": "kernel.msgmax", "value": "4096"}]
        script = "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax"
        space.create(pod("allowed", shell(script), securityContext={"sysctls": asked}))
        expect_equal(space.finished_log("allowed").split(), ["9", "4096"], "values in the pod")
        refused = [{"name": "net.core.rmem_max", "value": "9"}]
        space.create(pod("other", shell("true"), securityContext={"sysctls": refused}))
        expect_equal(space.wait_phase("other", "Failed")["status"]["reason"], "SysctlForbidden", "reason")
        space.clear()
    result = subprocess.run(
        node.up_command("--allowed-unsafe-sysctls", "vm.*"), capture_output=True, text=True, timeout=30, check=False
    )
    expect(result.returncode != 0, "a parameter of the whole host can be allowed")
    expect_contains(result.stderr, "--allowed-unsafe-sysctls vm.*", "the message")


@case("without privileges a pod may use low ports and pings in its own network")
def network_defaults(space):
    files = "/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range"
    space.create(pod("low", shell(f"cat {files}", securityContext={"runAsUser": 1000})))
    expect_equal(space.finished_log("low").split(), ["0", "0", "2147483647"], "defaults of a network of its own")


@case("the host name is the whole name when the pod asks for it, and too long a one keeps the pod from starting")
def fully_qualified(space):
    asked = {"subdomain": "db", "setHostnameAsFQDN": True}
    space.create(pod("web", shell("hostname; cat /proc/sys/kernel/hostname; echo $HOSTNAME"), **asked))
    name = f"web.db.{space.name}.svc.cluster.local"
    expect_equal(space.finished_log("web").split(), [name] * 3, "host names")
    space.create(pod("plain", shell("hostname"), subdomain="db"))
    expect_equal(space.finished_log("plain"), "plain\n", "the host name without the wish")
    space.create(pod("w" * 50, shell("true"), **asked))
    message = space.wait_event("w" * 50, "FailedCreatePodSandBox")
    expect_contains(message, "is too long (64 characters is the max", "the event")
    space.create(pod("named", shell("hostname"), hostnameOverride="other.example"))
    expect_equal(space.finished_log("named"), "other.example\n", "an override")


@contextlib.contextmanager
def shared_mount(place):
    """A file system of its own whose mounts travel, gone afterwards with all that is on it."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "swiftlet-test", place], check=True)
    try:
        subprocess.run(["mount", "--make-shared", place], check=True)
        yield place
    finally:
        for _ in range(10):
            points = [p for p in mount_points() if p == str(place) or p.startswith(f"{place}/")]
            if not points:
                break
            subprocess.run(["umount", "--lazy", points[-1]], check=False)


def mount_points():
    return [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]


@case("mounts travel as a container's volume mount says: not at all, inwards, or both ways")
def propagation(space, world):
    with shared_mount(world.temporary(f"propagation-{space.name}") / "m") as place:
        (place / "in").mkdir()
        (place / "out").mkdir()
        volume = {"name": "v", "hostPath": {"path": str(place)}}

        def container(name, mode, script, **fields):
            wait = "while [ ! -e /v/in/word ]; do [ -e /v/stop ] && break; sleep 0.05; done; "
            look = "[ -e /v/in/word ] && cat /v/in/word || echo nothing; sleep 100000"
            return shell(script + wait + look, name, volumeMounts=[mount("v", "/v", mountPropagation=mode)], **fields)

        outwards = "mount -t tmpfs x /v/out && echo secret > /v/out/word; "
        space.create(
            pod(
                "travel",
                container("none", "None", ""),
                container("inwards", "HostToContainer", ""),
                container("both", "Bidirectional", outwards, securityContext={"privileged": True}),
                volumes=[volume],
            )
        )
        space.wait_ready("travel")
        eventually("the container's mount on the host", lambda: str(place / "out") in mount_points())
        word = place / "out/word"
        eventually("what the container wrote there", lambda: word.exists() and word.read_text() == "secret\n")
        subprocess.run(["mount", "-t", "tmpfs", "swiftlet-test", place / "in"], check=True)
        (place / "in/word").write_text("hello\n")
        for name in ("inwards", "both"):
            eventually(f"the host's mount in {name}", lambda name=name: space.log("travel", name) == "hello\n")
        (place / "stop").touch()
        eventually("none sees no mount", lambda: space.log("travel", "none") == "nothing\n")
        space.delete("travel", grace=0)
        space.wait_gone("travel")
        expect(str(place / "in") in mount_points(), "the end of the pod took the host's mount away")


@case("a container without privileges gets no mount that travels outwards, a private place none that travels at all")
def no_propagation(space, world):
    place = world.temporary(f"private-{space.name}") / "m"
    with shared_mount(place):
        subprocess.run(["mount", "--make-private", place], check=True)
        volume = {"name": "v", "hostPath": {"path": str(place)}}
        modes = [mount("v", "/v", mountPropagation="Bidirectional")]
        try:
            space.create(pod("cheat", shell("true", volumeMounts=modes), volumes=[volume]))
            raise AssertionError("Bidirectional is taken without privileges")
        except APIFailure as failure:
            expect_equal(failure.status, 422, "the API's answer")
        container = shell("true", volumeMounts=modes, securityContext={"privileged": True})
        space.create(pod("lonely", container, volumes=[volume]))
        message = space.wait_waiting("lonely", "CreateContainerError")["message"]
        expect_contains(message, "mount --make-shared", "the message")
        space.delete("lonely", grace=0)
        space.wait_gone("lonely")


@case("a read-only mount is so with everything below it, unless the pod wants only the top so")
def recursive_read_only(space, world):
    with shared_mount(world.temporary(f"read-only-{space.name}") / "m") as place:
        (place / "below").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "swiftlet-test", place / "below"], check=True)
        modes = {"unset": {}, "enabled": "Enabled", "possible": "IfPossible", "disabled": "Disabled"}
        mounts = [
            mount("v", f"/{name}", readOnly=True, **({"recursiveReadOnly": mode} if mode else {}))
            for name, mode in modes.items()
        ]
        tries = " ".join(f"/{name}/x /{name}/below/x" for name in modes)
        script = f'for f in {tries}; do /bin/sh -c ": > $f" 2>/dev/null && echo $f; done; sleep 100000'
        volumes = [{"name": "v", "hostPath": {"path": str(place)}}]
        space.create(pod("ro", shell(script, volumeMounts=mounts), volumes=volumes))
        space.wait_ready("ro")
        eventually("what could be written", lambda: space.log("ro") == "/disabled/below/x\n")
        told = {
            item["mountPath"]: item.get("recursiveReadOnly")
            for item in container_status(space.pod("ro")).get("volumeMounts", [])
        }
        expected = {"/unset": "Enabled", "/enabled": "Enabled", "/possible": "Enabled", "/disabled": "Disabled"}
        expect_equal({path: told.get(path) for path in expected}, expected, "status.volumeMounts")
        space.delete("ro", grace=0)
        space.wait_gone("ro")
        features = space.api.get("/api/v1/nodes")["items"][0]["status"]["runtimeHandlers"][0]["features"]
        expect(features.get("recursiveReadOnlyMounts") is True, f"the node says so: {features}")
