"""Directories that another machine exports (NFS), as volumes of pods: the kernel's own server, on this machine."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import time

from cases.claims import claim, stored, stored_volume, user, volume
from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, mount, pod, shell

SERVER = "127.0.0.1"
# Takes connections, and never says a word.
MUTE_SERVER = "127.0.0.2"
# Version 4 alone needs neither rpcbind nor lock daemons.
VERSION = ["nfsvers=4.2"]
CONTROL = pathlib.Path("/proc/fs/nfsd")


def tool(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def server(place):
    """Exports the directory for as long as the body runs."""
    needed = ("rpc.nfsd", "rpc.mountd", "exportfs", "mount.nfs", "modprobe")
    missing = [name for name in needed if not shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")]
    if missing or tool("modprobe", "nfsd", check=False).returncode != 0:
        raise Skipped("needs the kernel's NFS server and nfs-kernel-server's programs")
    with contextlib.ExitStack() as stack:
        if not (CONTROL / "threads").exists():
            tool("mount", "-t", "nfsd", "nfsd", str(CONTROL))
            stack.callback(tool, "umount", str(CONTROL), check=False)
        pathlib.Path("/var/lib/nfs/v4recovery").mkdir(parents=True, exist_ok=True)
        mountd = subprocess.Popen(["rpc.mountd", "--no-nfs-version", "3", "--foreground"])
        stack.callback(mountd.wait, 20)
        stack.callback(mountd.terminate)
        tool("exportfs", "-o", "rw,no_root_squash,no_subtree_check,insecure,fsid=0", f"{SERVER}:{place}")
        stack.callback(tool, "exportfs", "-u", f"{SERVER}:{place}", check=False)
        begin_to_serve()
        stack.callback(stop_serving)
        # Nobody has a state from before that could be claimed again.
        with contextlib.suppress(OSError):
            (CONTROL / "v4_end_grace").write_text("Y")
        yield


def begin_to_serve():
    # Only this address: another one is free for a server that says nothing.
    tool("rpc.nfsd", "--host", SERVER, "--no-nfs-version", "3", "--no-udp", "--grace-time", "10", "2")


def stop_serving():
    tool("rpc.nfsd", "0", check=False)


def exported(space, world):
    place = world.temporary(f"export-{space.name}") / "files"
    (place / "one").mkdir(parents=True)
    (place / "one").chmod(0o777)
    return place


def network_mounts():
    table = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in table if " - nfs4 " in line]


def is_being_mounted(uid):
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes()
            if line.startswith(b"/usr/sbin/mount.nfs") and uid.encode() in line:
                return True
    return False


def inline(name, script, path, **source):
    fields = {"server": SERVER, "path": path, **source}
    return pod(
        name, shell(script, volumeMounts=[mount("data", "/data")]), volumes=[{"name": "data", "nfs": fields}])


@case("an NFS export is a pod's volume, read-only when the pod says so, and a path that is not there is told")
def volumes(space, world):
    place = exported(space, world)
    with server(place):
        space.create(inline("writer", "echo hello >/data/word; chmod 600 /data/word; ls -ln /data/word", "/one"))
        log = space.finished_log("writer", seconds=60)
        expect_contains(log, "-rw------- ", "the file as the pod sees it")
        expect_equal((place / "one/word").read_text(), "hello\n", "the file at the server")
        look = "cat /data/word; ( echo more >>/data/word ) 2>/dev/null || echo refused; grep ' /data ' /proc/mounts"
        space.create(inline("reader", look, "/one", readOnly=True))
        log = space.finished_log("reader", seconds=60)
        expect_contains(log, "hello\nrefused\n", "what a read-only pod can do")
        expect_contains(log, " /data nfs4 ro,", "its mount")
        expect_equal((place / "one/word").read_text(), "hello\n", "the file at the server, later")
        space.create(inline("lost", "true", "/nowhere"))
        expect_contains(space.wait_event("lost", "FailedMount"), f"mount of {SERVER}:/nowhere failed", "why it waits")
        for name in ("writer", "reader", "lost"):
            space.delete(name, grace=0)
            space.wait_gone(name)
        eventually("every mount goes", lambda: not network_mounts())
        expect_equal((place / "one/word").read_text(), "hello\n", "the file after all pods")


@case("two pods share a claim on an NFS export, with its mount options, and keep it over kill -9 of the agent")
def claims(world):
    node = world.new_node("exports").start()
    space = world.space(node)
    place, name = exported(space, world), f"export-{space.name}"
    with server(place):
        modes = {"accessModes": ["ReadWriteMany"]}
        source = {"nfs": {"server": SERVER, "path": "/one"}, "mountOptions": VERSION + ["soft"]}
        space.api.request("POST", "/api/v1/persistentvolumes", volume(name, **source, **modes))
        space.create(claim("shared", storageClassName=name, **modes))
        eventually("the claim is bound", lambda: stored(space, "shared")["status"]["phase"] == "Bound", 10)
        wait = "while [ ! -e /data/second ]; do sleep 0.1; done; cat /data/second; grep ' /data ' /proc/mounts"
        space.create(user("first", "shared", f"echo 1 >/data/first; {wait}"))
        eventually("the first pod's file", lambda: (place / "one/first").exists(), 60)
        node.kill()
        node.start()
        space.create(user("second", "shared", "cat /data/first; echo 2 >/data/second"))
        expect_equal(space.finished_log("second", seconds=60).strip(), "1", "what the second pod reads")
        log = space.finished_log("first", seconds=60)
        expect_contains(log, "2\n", "what the first pod reads")
        expect_contains(log, "soft", "mount options")
        expect_contains(log, "vers=4.2", "mount options")
        for one in ("first", "second"):
            space.delete(one, grace=0)
            space.wait_gone(one)
        eventually("every mount goes", lambda: not network_mounts())
        space.delete("shared", plural="persistentvolumeclaims")
        space.api.request("DELETE", f"/api/v1/persistentvolumes/{name}")
        eventually("the volume goes", lambda: stored_volume(space, name) is None, 10)
        expect_equal((place / "one/second").read_text(), "2\n", "what stays at the server")


@case("an NFS server that is gone holds up neither the end of its pods nor the other pods of the node")
def gone(space, world):
    place = exported(space, world)
    with server(place):
        holder = idle(volumeMounts=[mount("data", "/data")])
        fields = {"server": SERVER, "path": "/one"}
        space.create(pod("holder", holder, volumes=[{"name": "data", "nfs": fields}]))
        space.wait_ready("holder")
        stop_serving()
        space.create(pod("other", idle()))
        space.wait_ready("other")
        space.delete("holder", grace=0)
        space.wait_gone("holder")
        eventually("the mount goes from the host", lambda: not network_mounts())
        expect_equal(space.pod("other")["status"]["phase"], "Running", "the other pod")


@case("a node whose NFS server is gone comes back from kill -9, its volume with the server, and ends without it")
def returned(world):
    node = world.new_node("bereft").start()
    space = world.space(node)
    place = exported(space, world)
    with server(place):
        space.create(inline("holder", "while :; do date +%s.%N >/data/now; sleep 0.2; done", "/one"))
        eventually("it writes", lambda: (place / "one/now").exists(), 60)
        stop_serving()
        node.kill()
        node.start()
        space.create(pod("other", idle()))
        space.wait_ready("other")
        begin_to_serve()
        began = (place / "one/now").read_text()
        eventually("it writes again", lambda: (place / "one/now").read_text() not in ("", began), 30)
        expect_equal(space.pod("holder")["status"]["phase"], "Running", "the pod that uses it")
        stop_serving()
        node.stop_all()
        node.is_ended = True
        eventually("every mount goes", lambda: not network_mounts())


@case("pods wait for an NFS server that says nothing, go when they are told to, and keep no other pod waiting")
def mute(space, world):
    place = exported(space, world)
    with server(place), socket.create_server((MUTE_SERVER, 2049)):
        names = [f"waits-{number}" for number in range(4)]
        for name in names:
            space.create(inline(name, "true", "/one", server=MUTE_SERVER))
        space.create(inline("writer", "echo hello >/data/word", "/one"))
        space.wait_phase("writer", "Succeeded", 30)
        text = space.wait_event(names[0], "FailedMount", 60)
        expect_contains(text, f"{MUTE_SERVER}:/one did not answer within", "why it waits")
        space.create(inline("brief", "true", "/one", server=MUTE_SERVER))
        brief = space.pod("brief")["metadata"]["uid"]
        eventually("it is being mounted", lambda: is_being_mounted(brief))
        began = time.monotonic()
        space.delete("brief")
        space.wait_gone("brief")
        # Half of the time for which the server is asked.
        expect(time.monotonic() - began < 15, "the pod went only when its server was given up")
        expect(not is_being_mounted(brief), "the server is still asked")
        for name in names:
            space.delete(name)
            space.wait_gone(name)
        expect(not [line for line in network_mounts() if MUTE_SERVER in line], "a mount of the mute server is left")
