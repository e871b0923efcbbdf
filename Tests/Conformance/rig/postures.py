"""Security settings of pods, and what Kubernetes and the OCI runtime specification say must come of them.

The same tables judge this runtime and the reference runtimes. Where this one is stricter on purpose, `stricter` says so.
`seccompDefault: true` of the kubelet is taken for granted: a container that says nothing has RuntimeDefault.
"""

import dataclasses

from rig.observation import OneOf, own_capabilities

# What the CRI runtimes give a container that asks for nothing.
DEFAULT = frozenset(
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL "
    "AUDIT_WRITE".split()
)
NONE = frozenset()

# The default devices of the OCI runtime specification, config-linux.md.
DEVICES = frozenset(
    ["null 1:3 666", "zero 1:5 666", "full 1:7 666", "random 1:8 666", "urandom 1:9 666", "tty 5:0 666"]
)
LINKS = frozenset(
    ["fd /proc/self/fd", "stdin /proc/self/fd/0", "stdout /proc/self/fd/1", "stderr /proc/self/fd/2", "ptmx pts/ptmx"]
)

# Refused by the default profile whatever capabilities there are, or for want of one.
REFUSED = (
    "mount umount-masked remount-writable pivot_root open_by_handle_at unshare-user bpf keyctl perf_event_open "
    "userfaultfd io_uring_setup kexec_load unshare-mount clone-user add_key setns sethostname "
    "clock_settime finit_module swapon reboot syslog acct quotactl fsopen open_tree personality move_pages "
    "set-link-flags open-disk open-memory-device"
).split()
CLOSED = OneOf("EROFS", "EACCES", "ENOENT")

BASE = {
    "uid": 0, "gid": 0, "no new privileges": 0, "seccomp": 2, "umask": "0022",
    "ignored signals": 0, "blocked signals": 0, "cwd": "/", "descriptors": (0, 1, 2),
    "hidden": True, "protected": True, "shared mounts": (), "root writable": True,
    "devices": DEVICES, "device links": OneOf(LINKS, LINKS | {"core /proc/kcore"}),
    "CapInh": NONE, "CapPrm": DEFAULT, "CapEff": DEFAULT, "CapBnd": DEFAULT, "CapAmb": NONE,
    "mount /proc": "proc nodev noexec nosuid", "mount /sys": "sysfs nodev noexec nosuid ro",
    "mount /dev": OneOf("tmpfs nosuid", "tmpfs noexec nosuid"), "mount /dev/pts": "devpts noexec nosuid",
    "mount /dev/shm": "tmpfs nodev noexec nosuid", "mount /dev/mqueue": "mqueue nodev noexec nosuid",
    "namespace cgroup": "own", "namespace ipc": "own", "namespace mnt": "own", "namespace net": "own",
    "namespace pid": "own", "namespace user": "host", "namespace uts": "own",
    "uid map": ("0", "0", "4294967295"),
    **{f"try {name}": "EPERM" for name in REFUSED},
    "try chroot-breakout": "contained", "try clone3": "ENOSYS",
    "try socket-alg": OneOf("EPERM", "EAFNOSUPPORT"), "try socketcall-alg": OneOf("EPERM", "EAFNOSUPPORT", "ENOSYS"),
    "try socket-vsock": OneOf("EPERM", "EAFNOSUPPORT"),
    "try open-null-device": "ok", "try raise-nice": "EACCES", "try raise-memlock": OneOf("EPERM", "unlimited"),
    "try lower-oom-score": OneOf("EACCES", "EPERM"), "try socket-raw": "ok", "try socket-packet": "ok",
    "try bind-low-port": "ok", "try setuid-root": "ok", "try setuid-other": "ok", "try chown": "ok",
    "try write-root": "ok", "try write-core_pattern": CLOSED, "try write-sysrq": CLOSED,
    # An AppArmor profile, where there is one, is asked before the mask is looked at.
    "try read-kcore": OneOf("ENOENT", "empty", "EACCES"), "try write-cgroup": CLOSED,
    "try write-release_agent": CLOSED, "try write-uevent_helper": CLOSED,
}

# Without capabilities.
POWERLESS = {
    "CapPrm": NONE, "CapEff": NONE, "try chroot-breakout": "EPERM", "try socket-raw": "EPERM",
    "try socket-packet": "EPERM", "try setuid-other": "EPERM", "try chown": "EPERM",
    # Everybody may where net.ipv4.ip_unprivileged_port_start is 0, as newer CRI runtimes set it.
    "try bind-low-port": OneOf("EACCES", "ok"),
    "try open-disk": OneOf("EPERM", "EACCES"), "try open-memory-device": OneOf("EPERM", "EACCES"),
    "try open-null-device": OneOf("EPERM", "EACCES"),
}

# What the kernel says to a process that no filter keeps away: it has the right, and asked for something senseless.
UNFILTERED = {
    "seccomp": 0, "try unshare-user": OneOf("ok", "EPERM", "ENOSPC"), "try clone-user": OneOf("ok", "EPERM", "ENOSPC"),
    "try clone3": "EINVAL", "try keyctl": OneOf("ok", "ENOKEY"), "try add_key": OneOf("ENODEV", "EPERM", "EFAULT"),
    "try userfaultfd": OneOf("EINVAL", "EPERM"), "try io_uring_setup": OneOf("EFAULT", "EINVAL", "EPERM", "ENOSYS"),
    "try bpf": OneOf("EPERM", "EINVAL"), "try perf_event_open": OneOf("E2BIG", "EACCES", "ENOENT", "EPERM"),
    "try kexec_load": OneOf("EPERM", "ENOSYS"), "try finit_module": OneOf("EPERM", "ENOSYS"),
    "try socket-alg": OneOf("EAFNOSUPPORT", "ok"), "try socketcall-alg": OneOf("EAFNOSUPPORT", "ok", "ENOSYS"),
    "try socket-vsock": OneOf("ok", "EAFNOSUPPORT"), "try personality": "ok",
    "try move_pages": OneOf("EINVAL", "EPERM", "ENOSYS"), "try quotactl": OneOf("EPERM", "ENOTBLK", "ENOSYS"),
    "try clock_settime": OneOf("EPERM", "EINVAL"),
    # AppArmor, where it is, says no in its own way.
    "try mount": OneOf("EPERM", "EACCES"), "try remount-writable": OneOf("EPERM", "EACCES"),
}
# Every capability that this test itself has: nobody can give away more.
FULL = {kind: own_capabilities() for kind in ("CapPrm", "CapEff", "CapBnd")}


# privileged: everything that the host's root has, and nothing hidden; the kernel refuses only what makes no sense.
OPEN = OneOf("ok", "ENOENT")
PRIVILEGED = {
    **FULL, **UNFILTERED, "hidden": False, "protected": False,
    "mount /sys": "sysfs nodev noexec nosuid",
    "try mount": "ok", "try pivot_root": OneOf("EBUSY", "EINVAL"), "try umount-masked": "EINVAL",
    "try open_by_handle_at": OneOf("ESTALE", "EOPNOTSUPP"), "try remount-writable": "EINVAL",
    "try unshare-mount": "ok", "try unshare-user": OneOf("ok", "ENOSPC"), "try clone-user": OneOf("ok", "ENOSPC"),
    "try setns": "ok", "try sethostname": "EINVAL", "try fsopen": "EINVAL", "try open_tree": "ok",
    "try bpf": "EINVAL", "try reboot": "EINVAL", "try syslog": "EINVAL", "try acct": OneOf("ENOENT", "EACCES", "ENOSYS"),
    "try swapon": OneOf("ENOENT", "ENOSYS"), "try set-link-flags": "ok", "try raise-nice": "ok",
    "try perf_event_open": OneOf("E2BIG", "ENOENT"), "try userfaultfd": "EINVAL", "try clock_settime": "EINVAL",
    "try quotactl": OneOf("ENOTBLK", "ENOSYS"), "try kexec_load": OneOf("ENOSYS", "EINVAL", "EPERM"),
    "try finit_module": OneOf("ENOSYS", "EINVAL", "EBADF"), "try add_key": OneOf("ENODEV", "EFAULT"),
    "try open-disk": "ENXIO", "try open-memory-device": "ENXIO",
    "try raise-memlock": OneOf("ok", "EPERM", "unlimited"), "try lower-oom-score": OneOf("ok", "EACCES"),
    "try write-core_pattern": "ok", "try write-sysrq": OPEN, "try read-kcore": OneOf("ok", "ENOENT"),
    "try write-cgroup": OPEN, "try write-release_agent": OneOf("ok", "ENOENT", "EACCES"),
    "try write-uevent_helper": OPEN,
}


@dataclasses.dataclass
class Posture:
    """Fields of a pod and its container, and the facts that must follow where they differ from BASE."""

    name: str
    container: dict = dataclasses.field(default_factory=dict)
    pod: dict = dataclasses.field(default_factory=dict)
    spec: dict = dataclasses.field(default_factory=dict)
    expected: dict = dataclasses.field(default_factory=dict)
    # Facts in which this runtime is stricter than the reference, and says so in its documentation.
    stricter: dict = dataclasses.field(default_factory=dict)
    # Facts that say nothing here, as they are the host's.
    without: tuple = ()
    # A name in a pod's own terms only, which no configuration of one container can have.
    has_reference: bool = True

    @property
    def table(self):
        return {**BASE, **self.expected}


POSTURES = [
    Posture("default"),
    Posture(
        "non-root", {"runAsUser": 1000, "runAsGroup": 3000, "runAsNonRoot": True},
        {"supplementalGroups": [4000], "fsGroup": 2000},
        expected={
            **POWERLESS, "uid": 1000, "gid": 3000, "groups": (2000, 3000, 4000), "try setuid-root": "EPERM",
            "try write-root": "EACCES",
        }),
    Posture(
        "a user of the image", {"runAsUser": 1500},
        expected={
            **POWERLESS, "uid": 1500, "gid": 1500, "groups": (1500, 50000), "try setuid-root": "EPERM",
            "try write-root": "EACCES",
        }),
    Posture(
        "strict supplemental groups", {"runAsUser": 1500}, {"supplementalGroupsPolicy": "Strict"},
        expected={
            **POWERLESS, "uid": 1500, "gid": 1500, "groups": (1500,), "try setuid-root": "EPERM",
            "try write-root": "EACCES",
        }),
    Posture(
        "drop ALL", {"capabilities": {"drop": ["ALL"]}},
        expected={**POWERLESS, "CapBnd": NONE}),
    Posture(
        "drop ALL, add NET_BIND_SERVICE", {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
        expected={
            **POWERLESS, **{kind: frozenset(["NET_BIND_SERVICE"]) for kind in ("CapPrm", "CapEff", "CapBnd")},
            "try bind-low-port": "ok",
        }),
    Posture(
        "add NET_ADMIN", {"capabilities": {"add": ["NET_ADMIN"]}},
        expected={
            **{kind: DEFAULT | {"NET_ADMIN"} for kind in ("CapPrm", "CapEff", "CapBnd")}, "try set-link-flags": "ok",
        }),
    Posture(
        "readOnlyRootFilesystem", {"readOnlyRootFilesystem": True},
        expected={"root writable": False, "try write-root": "EROFS"}),
    Posture(
        "allowPrivilegeEscalation: false", {"allowPrivilegeEscalation": False}, expected={"no new privileges": 1}),
    Posture(
        "the Restricted standard",
        {
            "allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 65534,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
            "readOnlyRootFilesystem": True,
        },
        expected={
            **POWERLESS, "uid": 65534, "gid": 0, "CapBnd": NONE, "no new privileges": 1, "root writable": False,
            "try setuid-root": "EPERM", "try write-root": OneOf("EACCES", "EROFS"),
        }),
    Posture(
        "seccomp Unconfined", {"seccompProfile": {"type": "Unconfined"}}, expected=UNFILTERED),
    Posture("privileged", {"privileged": True}, expected=PRIVILEGED, without=("devices", "device links")),
    Posture(
        "hostPID", spec={"hostPID": True}, expected={"namespace pid": "host"}),
    Posture(
        "hostIPC", spec={"hostIPC": True}, expected={"namespace ipc": "host"},
        without=("mount /dev/shm", "mount /dev/mqueue")),
    Posture(
        "hostNetwork", spec={"hostNetwork": True}, expected={"namespace net": "host", "namespace uts": "host"}),
    Posture("shareProcessNamespace", spec={"shareProcessNamespace": True}, has_reference=False),
    Posture(
        "a sysctl of the pod's", {"runAsUser": 1000},
        {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        expected={
            **POWERLESS, "uid": 1000, "gid": 0, "groups": (0,), "try setuid-root": "EPERM", "try write-root": "EACCES",
            "try bind-low-port": "ok",
        }),
]

# hostUsers: false. Root inside is nobody outside: what its capabilities are good for is its own namespaces.
USER_NAMESPACE = Posture(
    "hostUsers: false", spec={"hostUsers": False}, has_reference=False, without=("uid map",),
    expected={
        "namespace user": "own", "try mknod-disk": "EPERM", "try open-null-device": "EPERM",
        "try lower-oom-score": OneOf("EACCES", "EPERM"),
    })
