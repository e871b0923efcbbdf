"""The OCI runtime configuration that a container of a pod amounts to, as CRI runtimes derive it.

It is derived from the same fields that a node gets, so that a reference runtime can be held to the same tables.
"""

from rig.observation import HIDDEN, PROTECTED, own_capabilities
from rig.postures import DEFAULT

# The system calls that Docker's documentation lists as blocked by the default profile, with the capability that opens each
# (None: nothing does), and what was blocked since: io_uring, AF_ALG, AF_VSOCK.
BLOCKED = {
    "SYS_ADMIN": "bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree "
    "perf_event_open quotactl quotactl_fd setdomainname sethostname setns umount umount2 unshare",
    "SYS_PACCT": "acct", "SYS_MODULE": "delete_module finit_module init_module", "SYS_BOOT": "reboot",
    "SYS_TIME": "clock_settime settimeofday", "SYS_NICE": "get_mempolicy mbind set_mempolicy", "SYSLOG": "syslog",
    "SYS_RAWIO": "ioperm iopl", "SYS_PTRACE": "kcmp", "DAC_READ_SEARCH": "open_by_handle_at", "SYS_CHROOT": "chroot",
    None: "add_key keyctl request_key kexec_load kexec_file_load move_pages nfsservctl pivot_root swapon swapoff sysfs "
    "_sysctl userfaultfd ustat uselib io_uring_setup io_uring_enter io_uring_register",
}
NEW_NAMESPACES = 0x7E020000


def filter_of(capabilities):
    """RuntimeDefault as far as it is documented: everything is allowed but the list."""
    names = [
        name for capability, text in BLOCKED.items() if capability not in capabilities for name in text.split()]
    rules = [{"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]
    for family in (38, 40):
        rules.append(
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
             "args": [{"index": 0, "value": family, "op": "SCMP_CMP_EQ"}]})
    for persona in (0x0040000,):
        rules.append(
            {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
             "args": [{"index": 0, "value": persona, "op": "SCMP_CMP_EQ"}]})
    if "SYS_ADMIN" not in capabilities:
        rules.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})
        for bit in (0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000):
            rules.append(
                {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                 "args": [{"index": 0, "value": bit, "valueTwo": bit, "op": "SCMP_CMP_MASKED_EQ"}]})
    return {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": rules}


def capabilities_of(security):
    """`drop` first, then `add`; ALL is every one."""
    if security.get("privileged"):
        return own_capabilities()
    found = set(DEFAULT)
    changes = security.get("capabilities", {})
    for name in changes.get("drop", []):
        found = set() if name == "ALL" else found - {name}
    for name in changes.get("add", []):
        found = set(own_capabilities()) if name == "ALL" else found | {name}
    return frozenset(found)


def user_of(posture, members):
    """Ids as the Kubernetes documentation of the security context says; `members`: uid → (gid, groups) of the image."""
    security = {**posture.pod, **posture.container}
    uid = security.get("runAsUser", 0)
    gid, member_of = members.get(uid, (0, []))
    gid = security.get("runAsGroup", gid)
    groups = {gid, *security.get("supplementalGroups", [])}
    if "fsGroup" in security:
        groups.add(security["fsGroup"])
    if security.get("supplementalGroupsPolicy", "Merge") == "Merge":
        groups.update(member_of)
    return {"uid": uid, "gid": gid, "umask": 0o022, "additionalGids": sorted(groups)}


def mounts(volume, privileged):
    inert = ["nosuid", "noexec", "nodev"]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": inert},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*inert, "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": inert},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": inert + ["rw" if privileged else "ro"]},
        {"destination": "/volume", "type": "bind", "source": str(volume), "options": ["rbind", "rw", "rprivate"]},
    ]


def configuration(posture, arguments, volume, cgroup, members):
    """config.json of a container with this posture."""
    security = {**posture.pod, **posture.container}
    names = sorted(capabilities_of(security))
    prefixed = [f"CAP_{name}" for name in names]
    privileged = bool(security.get("privileged"))
    profile = security.get("seccompProfile", {"type": "RuntimeDefault"})["type"]
    kinds = {"pid": "hostPID", "ipc": "hostIPC", "network": "hostNetwork"}
    namespaces = [{"type": kind} for kind, field in kinds.items() if not posture.spec.get(field)]
    namespaces += [{"type": kind} for kind in ("mount", "cgroup")]
    # A pod on the host's network has the host's name, too.
    namespaces += [] if posture.spec.get("hostNetwork") else [{"type": "uts"}]
    linux = {
        "namespaces": namespaces, "rootfsPropagation": "rslave", "cgroupsPath": cgroup,
        "resources": {"devices": [{"allow": privileged, "access": "rwm"}]},
        "sysctl": {item["name"]: item["value"] for item in security.get("sysctls", [])},
    }
    if not privileged:
        linux |= {"maskedPaths": list(HIDDEN), "readonlyPaths": list(PROTECTED)}
        if profile != "Unconfined":
            linux["seccomp"] = filter_of(names)
    hostname = {} if posture.spec.get("hostNetwork") else {"hostname": "reference"}
    return hostname | {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs", "readonly": bool(security.get("readOnlyRootFilesystem"))},
        "mounts": mounts(volume, privileged),
        "process": {
            "args": arguments, "cwd": "/", "env": ["PATH=/bin", "FROM=image"], "terminal": False,
            "user": user_of(posture, members),
            "noNewPrivileges": security.get("allowPrivilegeEscalation") is False,
            "capabilities": {kind: prefixed for kind in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
        },
        "linux": linux,
    }
