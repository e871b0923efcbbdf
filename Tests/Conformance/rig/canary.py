"""What no attack may change: files of the host, its settings and mounts; and a node that goes on well."""

import contextlib
import hashlib
import os
import pathlib
import tempfile
import time

from rig.expectation import PATIENCE, eventually, expect, expect_equal

# KiB of RSS that an agent under attack may reach.
MEMORY_LIMIT = 256 << 10
FILES = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.preload", "/bin/sh")
# Counters, and what the kernel makes anew at each read.
RESTLESS = ("/random/", "/proc/sys/fs/", "/ns_last_pid", "/pty/nr", "/perf_event", "/sched_domain", "-nr", "/net/")
STEADY_FILES = ("fs/suid_dumpable", "fs/protected_symlinks", "fs/protected_hardlinks", "fs/nr_open", "fs/pipe-max-size")


def settings():
    """Every sysctl of the host that does not move by itself; those of the network belong to namespaces."""
    found = {}
    for place in ("kernel", "vm", "user"):
        for path in pathlib.Path("/proc/sys", place).rglob("*"):
            if any(word in str(path) for word in RESTLESS) or not path.is_file():
                continue
            with contextlib.suppress(OSError):
                found[str(path)] = path.read_bytes()
    for name in STEADY_FILES:
        with contextlib.suppress(OSError):
            found[name] = pathlib.Path("/proc/sys", name).read_bytes()
    return found


def state_of(path):
    """Who a file is and what is in it; None when there is none."""
    try:
        status = os.lstat(path)
        # pylint: disable-next=unspecified-encoding
        content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() if os.path.isfile(path) else None
    except OSError:
        return None
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_nlink, status.st_size, content


def host_mounts():
    """Mounts of the host, without those of runs of this suite, which come and go beside each other."""
    ours = tempfile.gettempdir()
    points = (line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines())
    return sorted(point for point in points if not point.startswith((ours + "/", "/run/netns")))


class Canary:
    """A directory of the host's with things worth having, and everything else that is looked at before and after."""

    def __init__(self, world, node, name):
        self.node = node
        self.place = world.temporary(f"canary-{name}")
        (self.place / "secret").write_text("the host's own\n")
        (self.place / "secret").chmod(0o600)
        (self.place / "folder").mkdir()
        (self.place / "folder/inner").write_text("deep\n")
        self.files = [
            *FILES, *(str(path) for path in self.place.rglob("*")), str(self.place),
            *(str(world.binaries / binary) for binary in ("swiftlet", "swiftlet-monitor")),
        ]
        self.before = self.look()

    def look(self):
        return {
            "files": {path: state_of(path) for path in self.files},
            "names": sorted(os.listdir("/")), "in the canary": sorted(str(path) for path in self.place.rglob("*")),
            "sysctls": settings(), "mounts": host_mounts(),
        }

    def check(self):
        after = self.look()
        for kind, before in self.before.items():
            if isinstance(before, dict):
                changed = [f"{key}: {before[key]!r} → {after[kind].get(key)!r}"
                           for key in before if before[key] != after[kind].get(key)]
                expect(not changed, f"{kind} of the host changed: {changed[:5]}")
            else:
                expect_equal(after[kind], before, f"{kind} of the host")
        is_alive(self.node)


def is_alive(node):
    """The agent answers within a second (on a machine of the usual speed) and is no larger than it may be."""
    expect_equal(node.process.poll(), None, "the agent's exit")
    began = time.monotonic()
    node.api.get("/readyz")
    taken = time.monotonic() - began
    expect(taken < PATIENCE, f"the agent took {taken:.2f} s to answer")
    expect(node.is_ready(), "the node is not ready")
    expect(resident(node.process.pid) < MEMORY_LIMIT, f"the agent uses {resident(node.process.pid)} KiB")


def resident(pid):
    """KiB of memory that a process has."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def counts(node):
    """Descriptors and threads of the agent."""
    place = pathlib.Path(f"/proc/{node.process.pid}")
    return len(os.listdir(place / "fd")), len(os.listdir(place / "task"))


@contextlib.contextmanager
def canary(world, node, name):
    """Looks at the host before, and again after: whatever a case does between must not show."""
    bird = Canary(world, node, name)
    yield bird
    bird.check()


@contextlib.contextmanager
def steady_counts(node, slack=24):
    """Descriptors and threads of the agent are afterwards what they were, but for what it keeps for later.

    Connections for the next request, mostly: each has both of its ends here.
    """
    before = counts(node)
    yield
    eventually(
        f"descriptors and threads as before ({before}, now {counts(node)})",
        lambda: all(now <= then + slack for now, then in zip(counts(node), before)), 20, 0.2)
