"""The values in a node's cgroups, whichever hierarchy carries a controller."""

import math
import pathlib

from rig.expectation import Failure, Skipped

UNLIMITED = "max"


def carrier(controller):
    """(directory, is v2) of the hierarchy with a controller; skips the case on a host that has none."""
    unified = None
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        kind, _, options = after.split()[:3]
        place = pathlib.Path(before.split()[4])
        if kind == "cgroup" and controller in options.split(","):
            return place, False
        if kind == "cgroup2" and controller in (place / "cgroup.controllers").read_text().split():
            unified = place
    if unified is None:
        raise Skipped(f"no {controller} controller on this host")
    return unified, True


def weight(shares):
    """cpu.weight for v1 shares, by the published curve."""
    if shares <= 2:
        return 1
    if shares >= 262144:
        return 10000
    logarithm = math.log2(shares)
    return math.ceil(10 ** ((logarithm * logarithm + 125 * logarithm) / 612 - 7 / 34))


def read(node, controller, path, v1, v2):
    """The text of a file of one of the node's cgroups."""
    root, is_unified = carrier(controller)
    file = root / f"swiftlet-{node.identity}" / path / (v2 if is_unified else v1)
    try:
        return file.read_text().strip()
    except OSError as error:
        raise Failure(f"{file}: {error}") from None


def shares_are(node, path, expected):
    """Whether a cgroup has these CPU shares."""
    _, is_unified = carrier("cpu")
    found = int(read(node, "cpu", path, "cpu.shares", "cpu.weight"))
    if found != (weight(expected) if is_unified else expected):
        raise Failure(f"shares of {path}: expected {expected}, found {found} ({'v2' if is_unified else 'v1'})")
    return True


def quota(node, path):
    """Microseconds of CPU time per 100 ms, or UNLIMITED."""
    text = read(node, "cpu", path, "cpu.cfs_quota_us", "cpu.max").split()[0]
    return UNLIMITED if text in ("-1", "max") else int(text)


def memory(node, path):
    """The memory limit in bytes, or UNLIMITED."""
    text = read(node, "memory", path, "memory.limit_in_bytes", "memory.max")
    return UNLIMITED if text == "max" or int(text) > 1 << 60 else int(text)


def pids(node, path):
    return read(node, "pids", path, "pids.max", "pids.max")


def pod_path(pod):
    """Where a pod's cgroup is, below the node's root."""
    quality = pod["status"]["qosClass"]
    above = {"Guaranteed": "", "Burstable": "burstable/", "BestEffort": "besteffort/"}[quality]
    return f"kubepods/{above}pod{pod['metadata']['uid']}"


def io_weight(node, path):
    """The weight at disks; skips the case on a kernel that knows none."""
    try:
        (root, _), name, controller = carrier("io"), "io.weight", "io"
    except Skipped:
        (root, _), name, controller = carrier("blkio"), "blkio.bfq.weight", "blkio"
    if not (root / f"swiftlet-{node.identity}" / path / name).exists():
        raise Skipped(f"this kernel has no {name}")
    return int(read(node, controller, path, name, name).split()[-1])


def no_io_weight(node, path):
    """Whether a cgroup has the weight at disks that everybody has, or no cgroup for them at all."""
    try:
        found = io_weight(node, path)
    except Skipped:
        return
    if found != 100:
        raise Failure(f"weight at disks of {path}: {found}")
