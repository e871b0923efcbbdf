"""Credentials, capabilities and the root file system: what a pod asks for is what its processes have.

Each is looked at from inside, at the start of a container, in a command run in it, and after its restart: all the same.
"""

import os
import pathlib
import re
import tarfile

from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import mount, pod, shell

# capabilities(7), in the kernel's order.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
# What a container has without asking: the list of Kubernetes' baseline policy, and NET_RAW.
DEFAULT = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL "
    "AUDIT_WRITE"
).split()

# Everything a process can see of its own privileges.
FACTS = (
    "grep -E '^(Uid|Gid|Groups|Cap[A-Z][a-z][a-z]|NoNewPrivs|Seccomp):' /proc/self/status; "
    "grep -E '^Max (core|open|stack|locked)' /proc/self/limits | sed 's/^/Limit:/'; "
    "echo Umask:$(umask); echo Host:$(hostname); "
    "sed -E 's/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ ([^ ]+) ([^ ]+).* - ([^ ]+).*/Mount:\\1 \\2 \\3/' /proc/self/mountinfo"
)


def mask(*names):
    """The kernel's bit mask of capabilities, as proc_pid_status(5) prints it."""
    return f"{sum(1 << CAPABILITIES.index(name) for name in names):016x}"


def held():
    """What this process, and so a node that it starts, can give to a container."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"CapPrm:\t(\w+)", status)[1], 16) & int(re.search(r"CapBnd:\t(\w+)", status)[1], 16)


def parsed(text):
    """Facts by name: a list of the values of each."""
    facts = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name, []).append(value.strip().replace("\t", " "))
    facts["Mount"] = sorted(facts.get("Mount", []))
    return facts


def same_everywhere(space, world, security=None, more="true", **spec):
    """The facts of a container, which must be the same at its start, in a command in it, and after its restart.

    `more` prints further lines, each with a name before a colon.
    """
    place = world.temporary(f"facts-{space.name}")
    place.chmod(0o777)
    look = f"{{ {FACTS}; {more}; }}"

    def numbered(kind):
        return (
            f"n=0; while [ -e /out/{kind}.$n ]; do n=$((n+1)); done; "
            f"{look} > /out/.{kind} 2>/out/errors.{kind}.$n; mv /out/.{kind} /out/{kind}.$n; "
        )

    container = shell(
        numbered("start") + "while [ ! -e /out/end.$n ]; do sleep 0.1; done",
        volumeMounts=[mount("out", "/out"), *spec.pop("mounts", [])],
        lifecycle={"postStart": {"exec": {"command": ["/bin/sh", "-c", numbered("exec")]}}},
        securityContext=security or {},
    )
    volumes = [{"name": "out", "hostPath": {"path": str(place)}}, *spec.pop("volumes", [])]
    space.create(pod("facts", container, restartPolicy="Always", volumes=volumes, **spec))

    def read(name):
        path = place / name
        return path.exists() and parsed(path.read_text())

    first = eventually("facts at the start", lambda: read("start.0"))
    found = {"in a command": eventually("facts of a command", lambda: read("exec.0"))}
    (place / "end.0").touch()
    found["after a restart"] = eventually("facts after a restart", lambda: read("start.1"))
    found["in a command after a restart"] = eventually("facts of a second command", lambda: read("exec.1"))
    for when, facts in found.items():
        for name in first:
            expect_equal(facts.get(name), first[name], f"{name} {when}")
    return first


@case("user, groups and capabilities are the pod's and the container's, in every process of the container")
def identity(space, world):
    facts = same_everywhere(
        space,
        world,
        {"runAsUser": 1234, "allowPrivilegeEscalation": False},
        securityContext={"runAsUser": 1, "runAsGroup": 2345, "supplementalGroups": [4000], "fsGroup": 5000},
    )
    expect_equal(facts["Uid"], ["1234 1234 1234 1234"], "uid")
    expect_equal(facts["Gid"], ["2345 2345 2345 2345"], "gid")
    expect_equal(facts["Groups"], ["2345 4000 5000"], "groups")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_equal(facts[name], [mask()], f"{name} of a user who is not root")
    expect_equal(facts["CapBnd"], [mask(*DEFAULT)], "the bounding set")
    expect_equal(facts["NoNewPrivs"], ["1"], "no_new_privs")
    expect_equal(facts["Seccomp"], ["2"], "a filter")
    expect_equal(facts["Umask"], ["0022"], "umask")
    user = space.pod("facts")["status"]["containerStatuses"][0]["user"]["linux"]
    expect_equal((user["uid"], user["gid"]), (1234, 2345), "status.user")
    expect_equal(sorted(user["supplementalGroups"]), [2345, 4000, 5000], "status.user")


@case("root has the capabilities it was given and no inheritable ones; limits are no accident of the node's start")
def capabilities(space, world):
    facts = same_everywhere(space, world, {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CAP_KILL"]}})
    given = mask("NET_BIND_SERVICE", "KILL")
    expect_equal([facts[name] for name in ("CapPrm", "CapEff", "CapBnd")], [[given]] * 3, "capabilities")
    expect_equal([facts[name] for name in ("CapInh", "CapAmb")], [[mask()]] * 2, "inheritable capabilities")
    expect_equal(facts["NoNewPrivs"], ["0"], "no_new_privs")
    limits = {line.split("  ")[0]: line.split()[-3:-1] for line in facts["Limit"]}
    expect_equal(limits["Max stack size"], [str(8 << 20), "unlimited"], "the stack's limit")
    # One byte is the kernel's word for no core dump at all, not even to a program on the host.
    expect_equal(limits["Max core file size"], ["1", "1"], "the limit of core files")
    expect_equal(limits["Max open files"][0], "1024", "the limit of open files")


@case("a capability that is none, or that the node does not have, is refused with its name")
def unknown_capability(space):
    space.create(pod("typo", shell("true", securityContext={"capabilities": {"add": ["SYS_ADMINN"]}})))
    expect_contains(space.wait_waiting("typo", "CreateContainerConfigError")["message"], "SYS_ADMINN", "the message")
    absent = [name for index, name in enumerate(CAPABILITIES) if not held() >> index & 1]
    if absent:
        space.create(pod("absent", shell("true", securityContext={"capabilities": {"add": [absent[0]]}})))
        message = space.wait_waiting("absent", "CreateContainerConfigError")["message"]
        expect_contains(message, absent[0], "the message")


@case("a read-only root takes no write at start, in a command or after a restart; volumes, hosts and last words do")
def read_only_root(space, world):
    files = "/x /etc/x /var/x /usr/bin/x /etc/hosts /dev/termination-log /dev/shm/x /data/x"
    facts = same_everywhere(
        space,
        world,
        {"readOnlyRootFilesystem": True},
        # A redirection that fails ends the shell: each in one of its own.
        more=f'for f in {files}; do /bin/sh -c ": >> $f" 2>/dev/null && echo Wrote:$f; done',
        mounts=[mount("data", "/data")],
        volumes=[{"name": "data", "emptyDir": {}}],
    )
    expect_equal(
        facts.get("Wrote"), ["/etc/hosts", "/dev/termination-log", "/dev/shm/x", "/data/x"], "what could be written"
    )
    expect("/ ro" in " ".join(facts["Mount"]), "the root's mount is read-only")


# The lists of Kubernetes' procMount Default.
MASKED = (
    "/proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list "
    "/proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap"
).split()
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()


@case("what tells or changes the host's secrets in /proc and /sys is hidden or read-only, every time")
def masks(space, world):
    throttles = [str(path) for path in pathlib.Path("/sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle")]
    masked = [path for path in MASKED + throttles if os.path.exists(path)]
    look = (
        f"for p in {' '.join(masked)}; do if [ -d $p ]; then echo Masked:$p $(ls -A $p | wc -l); "
        "else echo Masked:$p $(stat -c %t:%T $p); fi; done; "
        f"for p in {' '.join(READ_ONLY)}; do [ -e $p ] && [ ! -w $p ] && echo ReadOnly:$p; done"
    )
    facts = same_everywhere(space, world, more=look)
    for line in facts["Masked"]:
        expect(line.split()[1] in ("0", "1:3"), f"{line}: neither an empty directory nor /dev/null")
    expect_equal([line.split()[0] for line in facts["Masked"]], masked, "masked paths")
    expect_equal(facts["ReadOnly"], [path for path in READ_ONLY if os.path.exists(path)], "read-only paths")


@case("a privileged container has every capability and device of the node, and nothing hidden, read-only or filtered")
def privileged(space, world):
    look = (
        "find /dev -xdev -type b -o -xdev -type c | sort | sed 's/^/Device:/'; "
        "for p in /sys/kernel /proc/sys/net/core/somaxconn; do [ -w $p ] && echo Writable:$p; done; "
        "[ -e /proc/kcore ] && echo Kcore:$(stat -c %F /proc/kcore); "
        "for m in . $(ls /sys/fs/cgroup); do d=$(mktemp -u -p /sys/fs/cgroup/$m); mkdir $d && rmdir $d && echo Cgroup:rw && break; done"
    )
    facts = same_everywhere(space, world, {"privileged": True}, more=look)
    expect_equal(facts["CapEff"], [f"{held():016x}"], "effective capabilities")
    expect_equal(facts["CapBnd"], [f"{held():016x}"], "the bounding set")
    expect_equal(facts["Seccomp"], ["0"], "no filter")
    expect_equal(facts.get("Writable"), ["/sys/kernel", "/proc/sys/net/core/somaxconn"], "what is writable")
    expect_equal(facts.get("Cgroup"), ["rw"], "cgroups are writable")
    kcore = ["regular file"] if os.path.exists("/proc/kcore") else None
    expect_equal(facts.get("Kcore"), kcore, "/proc/kcore is not hidden")
    hidden = [line for line in facts["Mount"] if line.split()[0] in MASKED + READ_ONLY]
    expect_equal(hidden, [], "mounts over /proc and /sys")
    sysfs = [line for line in facts["Mount"] if line.startswith("/sys ")]
    expect(sysfs and " rw" in sysfs[0], f"/sys is writable: {sysfs}")
    devices = {path for path in host_devices() if os.path.exists(path)}
    missing = sorted(devices - set(facts["Device"]))
    expect_equal(missing, [], "devices of the host that the container lacks")
    if held() != (1 << len(CAPABILITIES)) - 1:
        space.wait_event("facts", "CapabilitiesNotAvailable")


def host_devices():
    """Device nodes of the host's /dev, without what every container has of its own."""
    found = set()
    for directory, directories, files in os.walk("/dev"):
        if directory == "/dev":
            directories[:] = [name for name in directories if name not in ("pts", "shm", "fd", "mqueue")]
        for name in files:
            path = pathlib.Path(directory, name)
            own = str(path) in ("/dev/console", "/dev/ptmx")
            if not own and not path.is_symlink() and (path.is_char_device() or path.is_block_device()):
                found.add(str(path))
    return found


@case("an image's USER counts, and where root is forbidden only a number that is not 0 will do")
def image_users(space, node, world):
    place = world.temporary(f"users-{space.name}")
    groups = [entry("etc/group", b"staff:x:34:\nfifty:x:50000:app\n", 0o644)]
    must_not = {"securityContext": {"runAsNonRoot": True}}
    root, name = "container has runAsNonRoot and image will run as root", "cannot verify user is non-root"
    # USER, security context, and either what `id` prints or a part of the refusal.
    wanted = {
        "named": ("app", {}, "12 34 34 50000"),
        "number": ("12", {}, "12 34 34 50000"),
        "pair": ("12:7", {}, "12 7 7"),
        "stranger": ("77", {}, "77 0 0"),
        "asked": ("0", {"securityContext": {"runAsUser": 12}}, "12 34 34 50000"),
        "strict": ("0", {"securityContext": {"runAsUser": 12, "supplementalGroupsPolicy": "Strict"}}, "12 34 34"),
        "fine": ("12", must_not, "12 34 34 50000"),
        "empty": ("", must_not, root),
        "zero": ("0", must_not, root),
        "root": ("root", must_not, name),
        "by-name": ("app", must_not, name),
        "plus": ("+0", must_not, "+0"),
        "minus": ("-1", must_not, "-1"),
        "hexadecimal": ("0x0", must_not, "0x0"),
        "too-big": ("4294967296", must_not, "4294967296"),
        "twenty": ("1" * 20, must_not, "1" * 20),
        "mixed": ("1000abc", must_not, "1000abc"),
        "big-group": ("12:4294967296", must_not, "4294967296"),
    }
    for key, (user, spec, _) in wanted.items():
        reference = f"example.org/user-{key}:1"
        archive = docker_archive(
            place / f"{key}.tar", reference, [*busybox_layer(), *groups], User=user, Entrypoint=["/bin/sh", "-c"]
        )
        expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, f"import of {key}")
        container = {"name": "main", "image": reference, "imagePullPolicy": "Never"}
        space.create(pod(key, dict(container, args=["echo $(id -u) $(id -g) $(id -G)"]), **spec))
    for key, (user, _, expected) in wanted.items():
        if expected[0].isdigit() and " " in expected:
            expect_equal(space.finished_log(key).strip(), expected, f"USER {user!r} ({key})")
        else:
            message = space.wait_waiting(key, "CreateContainerConfigError")["message"]
            expect_contains(message, expected, f"USER {user!r} ({key})")


@case("a working directory that is a descriptor of ours is none (CVE-2024-21626)")
def descriptor_directory(space):
    containers = [shell("pwd; ls", f"c{n}", workingDir=f"/proc/self/fd/{n}") for n in range(3, 16)]
    containers += [shell("pwd; ls", f"t{n}", workingDir=f"/proc/thread-self/fd/{n}/../..") for n in range(3, 8)]
    space.create(pod("leak", *containers))

    def refused(item):
        statuses = (item or {}).get("status", {}).get("containerStatuses", [])
        reasons = ("CreateContainerError", "RunContainerError", "StartError")
        states = [
            state.get("reason") in reasons
            for status in statuses
            for state in [status["state"].get("waiting") or status["state"].get("terminated") or {}]
        ]
        return len(states) == len(containers) and all(states)

    space.wait("leak", "every container is refused", refused)


@case("system directories and /etc/hosts are mounted inside the root whatever the image has there")
def odd_targets(space, node, world):
    place = world.temporary(f"targets-{space.name}")
    canary = place / "canary"
    links = {"proc": "proc", "sys": "sys", "dev": "dev", "devpts": "dev/pts", "hosts": "etc/hosts"}
    for key, path in links.items():
        layer = busybox_layer()
        layer.append(entry(path, kind=tarfile.SYMTYPE, link=str(canary)))
        reference = f"example.org/target-{key}:1"
        archive = docker_archive(place / f"{key}.tar", reference, layer, Entrypoint=["/bin/cat", "/etc/hosts"])
        expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, f"import of {key}")
        space.create(pod(key, {"name": "main", "image": reference, "imagePullPolicy": "Never"}))
    for key in ("proc", "sys", "dev"):
        message = space.wait_waiting(key, ("CreateContainerError", "RunContainerError"))["message"]
        expect_contains(message, "must be mounted on an ordinary directory", f"/{key} is a link")
    # /dev is the container's own by the time: an image has no say in what is below.
    for key in ("devpts", "hosts"):
        expect_contains(space.finished_log(key), "Kubernetes-managed hosts file", f"/etc/hosts of {key}")
    expect(not canary.exists(), "something was made on the host")


@case("a hundred mounts in a container with CAP_SYS_ADMIN leave nothing on the host")
def many_mounts(space):
    def table():
        return {line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}

    if not held() >> CAPABILITIES.index("SYS_ADMIN") & 1:
        raise Skipped("this host gives no CAP_SYS_ADMIN")
    before = table()
    script = "for i in $(seq 100); do mkdir -p /m/$i && mount -t tmpfs x /m/$i || exit 1; done; grep -c ' /m/' /proc/mounts"
    space.create(pod("many", shell(script, securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})))
    expect_equal(space.finished_log("many").strip(), "100", "mounts in the container")
    expect_equal({point for point in table() - before if "/m/" in point}, set(), "mounts on the host")
    space.delete("many", grace=0)
    space.wait_gone("many")
    eventually("the host's mounts as before", lambda: not {p for p in table() - before if space.name in p})


@case("/dev/shm has 64 MiB and belongs to the pod; privileges of its containers do not mix")
def shared_memory(space):
    writer = shell("echo hello > /dev/shm/word; df -k /dev/shm | tail -n 1; sleep 100000", "writer")
    reader = shell("while [ ! -e /dev/shm/word ]; do sleep 0.05; done; cat /dev/shm/word; sleep 100000", "reader")
    space.create(pod("shm", writer, reader))
    space.wait_ready("shm")
    log = eventually("the writer's log", lambda: "\n" in (text := space.log("shm", "writer")) and text)
    expect_equal(log.split()[1], str(64 << 10), "size of /dev/shm in KiB")
    eventually("the reader sees it", lambda: space.log("shm", "reader") == "hello\n")


@case("annotations of other runtimes change nothing, and a kernel parameter's name is no way to another one")
def annotations(space):
    item = pod("plain", shell(FACTS))
    item["metadata"]["annotations"] = {
        "org.systemd.property.MemoryMax": "1",
        "run.oci.keep_original_groups": "1",
        "run.oci.seccomp.receiver": "/x",
        "cdi.k8s.io/device": "vendor.com/gpu=all",
        "io.kubernetes.cri-o.Devices": "/dev/sda",
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
    }
    space.create(item)
    facts = parsed(space.finished_log("plain"))
    expect_equal(facts["Seccomp"], ["2"], "the filter")
    expect_equal(facts["CapEff"], [mask(*DEFAULT)], "capabilities")
    expect_equal(facts["Groups"], ["0"], "groups")


@case("files of a volume belong to fsGroup, whoever the container runs as, also after a restart")
def fs_group(space, world):
    look = "echo Dir:$(stat -c %g:%a /data); f=$(mktemp -p /data); echo File:$(stat -c %g $f); rm $f"
    facts = same_everywhere(
        space,
        world,
        {"runAsUser": 1234},
        more=look,
        mounts=[mount("data", "/data"), mount("text", "/text")],
        volumes=[
            {"name": "data", "emptyDir": {}},
            {"name": "text", "downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        ],
        securityContext={"fsGroup": 5000, "fsGroupChangePolicy": "OnRootMismatch"},
    )
    expect_equal(facts["Dir"], ["5000:2777"], "the volume")
    expect_equal(facts["File"], ["5000"], "a new file in it")
    expect_equal(facts["Groups"], ["0 5000"], "groups")
