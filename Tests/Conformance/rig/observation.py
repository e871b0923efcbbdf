"""What the probe saw from within, as flat facts: name → value, comparable one by one."""

import functools
import json
import os

# capabilities(7), in the order of their numbers.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()

# procMount: Default of the Kubernetes API hides the first and makes the second read-only.
HIDDEN = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
PROTECTED = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

# Lines of /proc/self/status that say who a process is and what it may do.
CREDENTIALS = (
    "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
    "SigBlk", "SigIgn", "Umask",
)


def own_capabilities():
    """Those of this process, beyond which nothing that it starts can have any."""
    with open("/proc/self/status", encoding="ascii") as file:
        mask = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd:"))
    return frozenset(name for number, name in enumerate(CAPABILITIES) if mask >> number & 1)


class Observation:
    """One run of the probe."""

    def __init__(self, text):
        self.raw = json.loads(text)

    @functools.cached_property
    def status(self):
        return dict((line.split(":", 1)[0], line.split(":", 1)[1].strip()) for line in self.raw["status"])

    @functools.cached_property
    def mounts(self):
        """Mount point → (type, options of the mount, options of the file system, propagation); the topmost wins."""
        found = {}
        for line in self.raw["mounts"]:
            before, after = line.split(" - ")
            words, rest = before.split(), after.split()
            found[words[4]] = (rest[0], set(words[5].split(",")), set(rest[2].split(",")), words[6:])
        return found

    def capabilities(self, kind):
        mask = int(self.status[kind], 16)
        return frozenset(name for number, name in enumerate(CAPABILITIES) if mask >> number & 1)

    def is_hidden(self, path):
        """Absent, an empty directory that nobody can write, or the null device."""
        seen = self.raw["paths"].get(path)
        if seen is None:
            return True
        if seen["kind"] == "directory":
            return seen["entries"] == 0 and not seen["writable"]
        return seen.get("device") == "1:3"

    def is_read_only(self, path):
        """Whether the mount that holds the path is."""
        point = path
        while point not in self.mounts:
            point = os.path.dirname(point)
        return "ro" in self.mounts[point][1]

    def facts(self):
        """Everything that a table may have an opinion about."""
        raw, status = self.raw, self.status
        found = {
            "uid": numbers(status["Uid"]),
            "gid": numbers(status["Gid"]),
            "groups": tuple(sorted(map(int, status["Groups"].split()))),
            "no new privileges": int(status["NoNewPrivs"]),
            "seccomp": int(status["Seccomp"]),
            "umask": raw["umask"],
            "ignored signals": int(status["SigIgn"], 16),
            "blocked signals": int(status["SigBlk"], 16),
            "cwd": raw["cwd"],
            "hostname": raw["hostname"],
            "descriptors": tuple(sorted(map(int, raw["descriptors"]))),
            "core limit": raw["limits"]["CORE"][0],
            "hidden": all(self.is_hidden(path) for path in HIDDEN),
            "protected": all(self.is_read_only(path) for path in PROTECTED if path in raw["paths"]),
            "shared mounts": tuple(
                point for point, mount in self.mounts.items() if any(word.startswith("shared:") for word in mount[3])),
            "root writable": "rw" in self.mounts["/"][1],
            "uid map": tuple(raw["files"]["/proc/self/uid_map"].split()),
            "devices": frozenset(
                f"{name} {item['device']} {item['mode']}" for name, item in raw["devices"].items() if "device" in item),
            "device links": frozenset(
                f"{name} {item['target']}" for name, item in raw["devices"].items() if item["kind"] == "link"),
        }
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            found[kind] = self.capabilities(kind)
        for point in ("/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"):
            found[f"mount {point}"] = self.mount_fact(point)
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
            found[f"namespace {name}"] = "host" if raw["namespaces"][name] == host_namespace(name) else "own"
        for name, answer in raw.get("attempts", {}).items():
            found[f"try {name}"] = answer
        return found

    def mount_fact(self, point):
        """Type, and those of the flags that protect."""
        if point not in self.mounts:
            return "none"
        kind, options, _, _ = self.mounts[point]
        return " ".join([kind, *sorted(options & {"ro", "nosuid", "nodev", "noexec"})])

    def identity(self):
        """What must be the same for every process of a container: compared between its first one and an exec."""
        raw = self.raw
        found = {name: self.status[name] for name in CREDENTIALS if name in self.status}
        found.update((f"namespace {name}", raw["namespaces"][name]) for name in raw["namespaces"])
        found.update((f"limit {name}", value) for name, value in raw["limits"].items())
        found.update((f"cgroup {line.split(':')[1]}", line) for line in raw["cgroups"])
        found.update((f"attempt {name}", answer) for name, answer in raw.get("attempts", {}).items())
        for name in ("mounts", "cwd", "environment", "hostname", "umask"):
            found[name] = raw[name]
        for name in ("paths", "devices"):
            # How much is in a directory changes by itself; that what is hidden is empty is in the tables.
            for path, seen in raw[name].items():
                found[f"{name} {path}"] = {key: value for key, value in seen.items() if key != "entries"}
        # Where output goes differs by nature; that there is nothing else does not.
        found["descriptors"] = sorted(raw["descriptors"])
        for name in ("uid_map", "gid_map", "oom_score_adj", "attr/current", "coredump_filter", "personality"):
            found[name] = raw["files"].get(f"/proc/self/{name}")
        return found


def numbers(text):
    """One number where the real, effective, saved and file-system ones agree."""
    values = tuple(map(int, text.split()))
    return values[0] if len(set(values)) == 1 else values


def host_namespace(name):
    return os.readlink(f"/proc/self/ns/{name}")


class OneOf:
    """A value of a table that depends on the kernel."""

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return other in self.values

    def __hash__(self):
        return hash(self.values)

    def __repr__(self):
        return " or ".join(map(repr, self.values))


def differences(expected, actual, without=()):
    """One line for each fact that is not as expected."""
    lines = []
    for name, value in expected.items():
        if name in without:
            continue
        found = actual.get(name, "nothing")
        if value == found:
            continue
        if isinstance(value, frozenset) and isinstance(found, frozenset):
            lines.append(f"{name}: too much {sorted(found - value)}, too little {sorted(value - found)}")
        else:
            lines.append(f"{name}: expected {value!r}, got {found!r}")
    return lines
