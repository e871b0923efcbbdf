"""What a container cannot do: system calls by its seccomp profile, devices by its cgroup, AppArmor as far as the host has it."""

import contextlib
import json
import os

from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell
from rig.space import container_status

# Numbers of x86_64: whatever else a program is written in, the kernel answers these.
CALLS = """
require POSIX;
sub call { my $name = shift; $! = 0; my $r = syscall(shift, @_); print "$name ", ($r < 0 ? 0 + $! : 0), "\\n" }
"""
EPERM, EAFNOSUPPORT, ENOSYS = 1, 97, 38
REFUSED = {
    "mount": (165, EPERM), "umount2": (166, EPERM), "unshare": (272, EPERM), "setns": (308, EPERM),
    "bpf": (321, EPERM), "keyctl": (250, EPERM), "add_key": (248, EPERM), "perf_event_open": (298, EPERM),
    "userfaultfd": (323, EPERM), "io_uring_setup": (425, EPERM), "kexec_load": (246, EPERM),
    "open_by_handle_at": (304, EPERM), "init_module": (175, EPERM), "clone3": (435, ENOSYS),
    "of_the_future": (4000, ENOSYS), "of_x32": (0x40000000, ENOSYS),
}


def perl(program, **fields):
    return {"name": "main", "image": "host:///", "command": ["perl", "-e", CALLS + program], **fields}


def machine_is_x86():
    if os.uname().machine != "x86_64":
        raise Skipped("the numbers are those of x86_64")


def answers(log):
    return {name: int(code) for name, code in (line.split() for line in log.splitlines())}


@contextlib.contextmanager
def profile(node, name, document):
    place = node.root / "seccomp" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(document if isinstance(document, str) else json.dumps(document))
    try:
        yield place
    finally:
        place.unlink(missing_ok=True)


def confined(name, **fields):
    return {"seccompProfile": {"type": "Localhost", "localhostProfile": name}, **fields}


DENYING_MKDIR = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}],
}
MAKE = "mkdir /tmp/made 2>&1; rmdir /tmp/made 2>/dev/null;"


@case("the default profile refuses what could harm the host, with the tabled error")
def default_profile(space):
    machine_is_x86()
    program = "".join(f'call("{name}", {number}, 0, 0, 0, 0, 0);' for name, (number, _) in REFUSED.items())
    for family, number in {"alg": 38, "vsock": 40, "alg_high": (1 << 32) | 38, "unix": 1}.items():
        program += f'call("{family}", 41, {number}, 2, 0);'
    program += 'call("clone_newuser", 56, 0x10000011, 0, 0, 0, 0);'
    space.create(pod("default", perl(program)))
    expected = {name: code for name, (_, code) in REFUSED.items()}
    expected |= {"alg": EAFNOSUPPORT, "vsock": EAFNOSUPPORT, "alg_high": EAFNOSUPPORT, "unix": 0, "clone_newuser": EPERM}
    expect_equal(answers(space.finished_log("default")), expected, "errors of the calls")


@case("every process of a container runs under a filter, unless the pod says Unconfined")
def filtered(space):
    for name, kind, mode in (("plain", "RuntimeDefault", "2"), ("bare", "Unconfined", "0")):
        item = pod(name, shell("grep ^Seccomp: /proc/1/status; grep ^Seccomp: /proc/self/status"),
                   securityContext={"seccompProfile": {"type": kind}})
        space.create(item)
        log = space.finished_log(name)
        expect_equal([line.split()[1] for line in log.splitlines()], [mode, mode], f"Seccomp of a {kind} container")


@case("a Localhost profile holds at start, at restart and for commands")
def localhost(node, space):
    with profile(node, "profiles/no-mkdir.json", DENYING_MKDIR):
        script = MAKE + "grep ^Seccomp: /proc/self/status; sleep 1; exit 1"
        item = pod("twice", shell(script), restartPolicy="Always", securityContext=confined("profiles/no-mkdir.json"))
        space.create(item)
        space.wait("twice", "restarted", lambda pod: container_status(pod).get("restartCount", 0) >= 1, 30)

        def whole_log(previous):
            text = space.log("twice", previous=previous)
            return text if "Seccomp:" in text else None

        for previous in ("true", "false"):
            log = eventually("its log", lambda query=previous: whole_log(query), 10)
            expect_contains(log, "File descriptor in bad state", f"error 77 (previous: {previous})")
            expect("Seccomp:\t2" in log, f"no filter: {log!r}")
        probe = {"exec": {"command": ["/bin/sh", "-c", "mkdir /tmp/made 2>&1 | grep -q 'bad state'"]},
                 "periodSeconds": 1}
        watched = idle(readinessProbe=probe, securityContext=confined("profiles/no-mkdir.json"))
        # The container's own profile counts before the pod's.
        space.create(pod("watched", watched, securityContext={"seccompProfile": {"type": "Unconfined"}}))
        space.wait_ready("watched", 30)


BAD = {
    "missing.json": (None, "there is no such file"),
    "bad.json": ("{", "not JSON"),
    "action.json": ({"defaultAction": "SCMP_ACT_MAYBE"}, "defaultAction"),
    "operation.json": (
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "IS"}]}]},
        "syscalls[0].args[0].op",
    ),
}


@case("a profile that is missing or bad refuses the container, naming file and field")
def bad_profiles(node, space):
    with contextlib.ExitStack() as stack:
        for name, (document, words) in BAD.items():
            if document is not None:
                stack.enter_context(profile(node, name, document))
        outside = node.root / "seccomp" / "outside.json"
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.symlink_to("../../elsewhere")
        stack.callback(outside.unlink)
        for name, words in [*((name, words) for name, (_, words) in BAD.items()), ("outside.json", "leads out of")]:
            title = name.split(".")[0]
            space.create(pod(title, idle(), securityContext=confined(name)))
            found = space.wait_waiting(title, ("CreateContainerError", "CreateContainerConfigError"))
            for word in (name, words):
                expect_contains(found["message"], word, f"message of {name}")
            expect(not container_status(space.pod(title)).get("containerID"), f"{name}: a container was started")


@case("a path out of the profiles' directory is refused by the API")
def traversal(kubectl, space):
    for name in ("../../etc/passwd", "/etc/passwd", ""):
        error = kubectl.refused("create", "--validate=false", "-f", "-",
                                given=pod("up", idle(), securityContext=confined(name)))
        expect_contains(error, "localhostProfile", f"the error for {name!r}")


@case("a profile that goes away refuses the restart, not the container that runs")
def profile_goes(node, space):
    with profile(node, "leaves.json", DENYING_MKDIR) as place:
        item = pod("orphan", shell("until test -e /tmp/end; do sleep 0.1; done; exit 1"), restartPolicy="Always",
                   securityContext=confined("leaves.json"))
        space.create(item)
        space.wait_ready("orphan")
        place.unlink()
        pid = node.init_process(space.pod("orphan")["metadata"]["uid"])
        expect_equal(container_status(space.pod("orphan"))["restartCount"], 0, "restarts")
        with open(f"/proc/{pid}/root/tmp/end", "w", encoding="utf-8"):
            pass
        found = space.wait_waiting("orphan", ("CreateContainerError", "CreateContainerConfigError"), 30)
        expect_contains(found["message"], "there is no such file", "why it does not run again")


@case("a node can be made of any device, and opened of the standard ones only")
def devices(space):
    script = (
        "for d in 'b 8 0' 'b 7 0' 'b 259 0' 'c 1 1' 'c 1 11' 'c 10 229' 'c 10 232' 'c 5 1' 'c 4 0'; do "
        "mknod /tmp/node $d || echo made $d; "
        "perl -e 'print open(F, q(<), shift) ? q(opened) : 0 + $!, qq(\\n)' /tmp/node; rm /tmp/node; done; "
        "for f in null zero full random urandom; do head -c 1 /dev/$f >/dev/null || echo $f; "
        "[ $f = full ] || echo >/dev/$f || echo write $f; done"
    )
    space.create(pod("devices", shell(script)))
    expect_equal(space.finished_log("devices").split("\n"), [str(EPERM)] * 9 + [""], "what opening them gave")


@case("a pod that names an AppArmor profile is rejected where the host has none")
def app_armor(space):
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="utf-8") as file:
            if file.read().startswith("Y"):
                raise Skipped("this host has AppArmor")
    except FileNotFoundError:
        pass
    space.create(pod("armor", idle(securityContext={"appArmorProfile": {"type": "RuntimeDefault"}})))
    status = space.wait_phase("armor", "Failed")["status"]
    expect_equal(status["reason"], "AppArmor", "why it was rejected")
    expect_contains(status["message"], "AppArmor is not enabled on the host", "the message")
