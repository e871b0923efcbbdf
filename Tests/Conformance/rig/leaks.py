"""What a node leaves behind on its host: compared before its first start and after its end.

Other nodes may come and go on the same host meanwhile (tests run in parallel), so a trace counts when it carries a mark
of this run: its directory, a node's identity in the name, or an interface without a bridge that was not there before.
"""

import os
import pathlib
import subprocess

from rig.node import command_line


def traces(directory, nodes):
    """Every trace of the nodes on the host, one line each."""
    found = set()
    marks = [node.identity for node in nodes]
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if str(directory) in line:
            found.add(f"mount {line.split()[4]}")
    for place, directories, _ in os.walk("/sys/fs/cgroup"):
        if any(mark in place for mark in marks):
            found.add(f"cgroup {place}")
            directories.clear()
    for entry in pathlib.Path("/sys/class/net").iterdir():
        if any(mark in entry.name for mark in marks) or bridge_of(entry) in {f"sl-{mark}" for mark in marks}:
            found.add(f"interface {entry.name}")
        elif entry.name.startswith("veth") and bridge_of(entry) is None:
            found.add(f"interface {entry.name} without a bridge")
    for line in tables():
        if any(mark in line for mark in marks):
            found.add(f"nftables {line}")
    for entry in pathlib.Path("/run/netns").glob("*"):
        found.add(f"network namespace {entry.name}")
    found |= process_traces(directory, marks)
    return found


def bridge_of(interface):
    """The bridge that the interface is a port of, or None."""
    try:
        return os.path.basename(os.readlink(interface / "master"))
    except OSError:
        return None


def tables():
    result = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def process_traces(directory, marks):
    """Processes of the run's binaries, and processes in the nodes' cgroups."""
    found = set()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            places = (os.readlink(entry / "exe"), os.readlink(entry / "cwd"))
            groups = (entry / "cgroup").read_text()
        except OSError:
            continue
        is_ours = any(place.startswith(str(directory)) for place in places)
        if is_ours or any(f"/swiftlet-{mark}" in groups for mark in marks):
            found.add(f"process {entry.name} {command_line(int(entry.name))[:120]}")
    return found


def left_files(node):
    """Files of a stopped node that belong to something that no longer exists."""
    places = ("run/containers", "run/sandboxes", "run/network", "root/containers")
    found = {f"file {path}" for place in places for path in (node.directory / place).glob("*")}
    # What was asked of the node stays, but nothing mounted, and no volume of a pod that was deleted.
    found |= {f"file {path}" for path in (node.root / "pods").glob("*/volumes/*/*")}
    return found
