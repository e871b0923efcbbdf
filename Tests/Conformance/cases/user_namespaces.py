"""Pods with hostUsers: false: root inside is nobody on the host, and everything else is as it always is."""

import ctypes
import fcntl
import os
import pathlib
import stat

from rig.api import APIFailure
from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.expectation import Failure, Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import config_map, idle, mount, pod, secret, shell
from rig.space import container_status

UNIT = 65536
# ioctl_nsfs(2): a descriptor of the user namespace that owns the one asked for.
NS_GET_USERNS = 0xB701


def private(name, *containers, **spec):
    """A pod with a user namespace of its own."""
    return pod(name, *containers, **dict({"hostUsers": False}, **spec))


def needs_support(node):
    handlers = node.api.get(f"/api/v1/nodes/{node.name}")["status"].get("runtimeHandlers") or [{}]
    if not (handlers[0].get("features") or {}).get("userNamespaces"):
        raise Skipped("this host has no user namespaces with mapped mounts")


def field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split(":", 1)[1].split()
    raise Failure(f"/proc/{pid}/status has no {name}")


def started(space, node, name):
    """The host's pid of a ready pod's only container."""
    uid = space.wait_ready(name)["metadata"]["uid"]
    return eventually("the init process", lambda: node.init_process(uid))


def base(pid):
    """The host's id of root in the process's user namespace."""
    lines = pathlib.Path(f"/proc/{pid}/uid_map").read_text().splitlines()
    expect_equal(len(lines), 1, "lines of uid_map")
    inside, outside, count = map(int, lines[0].split())
    expect_equal((inside, count), (0, UNIT), "uid_map")
    expect_equal(pathlib.Path(f"/proc/{pid}/gid_map").read_text().split(), lines[0].split(), "gid_map")
    return outside


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid


@case("root of a pod with hostUsers: false is an id of no host user, and owns every namespace of its container")
def mapped(space, node):
    needs_support(node)
    script = "id -u; id -g; id -G; cat /proc/self/uid_map; awk '/^CapEff/ {print $2}' /proc/self/status; echo end"
    space.create(private("rooted", shell(script + "; sleep 100000")))
    pid = started(space, node, "rooted")
    lines = eventually("the log", lambda: (text := space.log("rooted")).endswith("end\n") and text).splitlines()
    expect_equal(lines[:3], ["0", "0", "0"], "ids inside")
    expect_equal(lines[3].split(), ["0", str(base(pid)), str(UNIT)], "uid_map inside")
    expect_equal(int(lines[4], 16), int(field(pid, "CapEff")[0], 16), "capabilities")
    outside = base(pid)
    expect(outside >= UNIT, f"root inside is host id {outside}: one of the host's own")
    expect_equal(field(pid, "Uid"), [str(outside)] * 4, "user ids on the host")
    expect_equal(field(pid, "Gid"), [str(outside)] * 4, "group ids on the host")
    expect_equal(field(pid, "Groups"), [str(outside)], "groups on the host: the one it is in anyway")
    own = os.stat(f"/proc/{pid}/ns/user").st_ino
    expect(own != os.stat("/proc/self/ns/user").st_ino, "the user namespace is the host's")
    for kind in ("pid", "mnt", "cgroup", "net", "ipc", "uts"):
        with open(f"/proc/{pid}/ns/{kind}", "rb") as namespace:
            holder = fcntl.ioctl(namespace, NS_GET_USERNS)
            try:
                expect_equal(os.fstat(holder).st_ino, own, f"owner of the {kind} namespace")
            finally:
                os.close(holder)


@case("no two pods share an id, and both containers of one pod have the same")
def disjoint(space, node):
    needs_support(node)
    for name in ("one", "two", "three"):
        space.create(private(name, idle()))
    space.create(private("pair", idle("left"), idle("right")))
    bases = {base(started(space, node, name)) for name in ("one", "two", "three")}
    expect_equal(len(bases), 3, f"ranges {bases}")
    uid = space.wait_ready("pair")["metadata"]["uid"]
    both = {base(pid) for pid, _ in node.pod_processes(uid)}
    expect_equal(len(both), 1, f"ranges of the pair's processes: {both}")
    expect(not both & bases, f"{both} are in {bases}")


def seen(path):
    """Lines of a script that tell who owns a path, its mode, and its content's first word."""
    return f'stat -L -c "{path} %u:%g %a" {path}'


@case("files of the pod belong to the same ids inside as they do in a pod of the host's users")
def ownership(space, node, world):
    needs_support(node)
    place = world.temporary(f"owned-{space.name}")
    (place / "mine").write_text("x")
    (place / "theirs").write_text("x")
    os.chown(place / "theirs", 1000, 1001)
    os.chmod(place, 0o777)
    space.create(secret("key", word="hidden"))
    space.create(config_map("settings", word="open"))
    files = [
        "/secret/word", "/settings/word", "/all/word", "/all/name", "/host/mine", "/host/theirs", "/etc/hosts",
        "/etc/resolv.conf", "/dev/termination-log", "/disk", "/ram", "/dev/shm", "/etc/passwd", "/",
    ]
    make = "for d in /disk /ram /host /dev/shm; do echo r >$d/by-root; touch $d/given; chown 1000:1001 $d/given; done"
    script = f"{'; '.join(seen(path) for path in files)}; cat /secret/word /settings/word; echo; {make}; echo bye >/dev/termination-log; echo end"
    projected = [
        {"secret": {"name": "key"}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    volumes = [
        {"name": "secret", "secret": {"secretName": "key", "defaultMode": 0o400}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "all", "projected": {"sources": projected}},
        {"name": "host", "hostPath": {"path": str(place)}},
        {"name": "disk", "emptyDir": {}},
        {"name": "ram", "emptyDir": {"medium": "Memory"}},
    ]
    mounts = [mount(item["name"], "/" + item["name"]) for item in volumes]
    logs = {}
    for name, make_pod in (("plain", pod), ("private", private)):
        for left in ("by-root", "given"):
            (place / left).unlink(missing_ok=True)
        space.create(make_pod(name, shell(script + "; sleep 100000", volumeMounts=mounts), volumes=volumes))
        pid = started(space, node, name)
        logs[name] = eventually("the log", lambda: (text := space.log(name)).endswith("end\n") and text)
        expect_equal(owner(place / "by-root"), (0, 0), f"{name}: a file of the container's root on the host")
        expect_equal(owner(place / "given"), (1000, 1001), f"{name}: a file of user 1000 on the host")
        volumes_place = node.root / "pods" / space.pod(name)["metadata"]["uid"] / "volumes"
        disk = volumes_place / "kubernetes.io~empty-dir/disk"
        expect_equal(owner(disk / "given"), (1000, 1001), f"{name}: a file of user 1000 in the emptyDir")
        if name == "private":
            ram = volumes_place / "kubernetes.io~empty-dir/ram"
            expect_equal(owner(ram / "by-root"), (base(pid), base(pid)), "a file of root in memory")
        space.delete(name)
        space.wait_gone(name)
    expect_equal(logs["private"], logs["plain"], "what the pods see")
    expect_equal(owner(place / "mine"), (0, 0), "a file that was there")
    expect_equal(owner(place / "theirs"), (1000, 1001), "another that was there")


@case("fsGroup works in a user namespace, and changes nobody's files but the volume's")
def group(space, node, world):
    needs_support(node)
    place = world.temporary(f"group-{space.name}")
    outside = place / "outside"
    outside.write_text("x")
    shared = place / "shared"
    shared.mkdir()
    (shared / "link").symlink_to(outside)
    os.link(outside, shared / "hard")
    os.chown(outside, 7, 7)
    space.create(secret("key", word="hidden"))
    volumes = [
        {"name": "secret", "secret": {"secretName": "key", "defaultMode": 0o400}},
        {"name": "ram", "emptyDir": {"medium": "Memory"}},
        {"name": "disk", "emptyDir": {}},
        {"name": "host", "hostPath": {"path": str(shared)}},
    ]
    mounts = [mount(item["name"], "/" + item["name"]) for item in volumes]
    script = (
        "id -G; for f in /secret/word /ram /disk; do stat -L -c '%u:%g %a' $f; done; cat /secret/word; echo; "
        f"for d in /ram /disk; do touch $d/x && stat -c %u:%g $d/x; done; ln -s {outside} /disk/away; ln -s {outside} /ram/away"
    )
    user = {"runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 2000}
    for name, restart in (("grouped", {}), ("again", {})):
        space.create(private(name, shell(script, volumeMounts=mounts), volumes=volumes, securityContext=user, **restart))
        log = space.finished_log(name).split()
        expect_equal(
            log,
            ["1001", "2000", "0:2000", "440", "0:2000", "2777", "0:2000", "2777", "hidden", "1000:2000", "1000:2000"],
            "the log",
        )
    for path in (outside, shared / "hard"):
        expect_equal(owner(path), (7, 7), f"{path} on the host")
        expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o644, f"mode of {path}")


@case("the default capabilities work inside, and none of them reaches the host")
def capabilities(space, node, world):
    needs_support(node)
    place = world.temporary(f"capable-{space.name}")
    secret_file = place / "secret"
    secret_file.write_text("the host's")
    os.chown(secret_file, 0, 0)
    os.chmod(secret_file, 0o600)
    can = {
        "chown": "touch /tmp/f && chown 5:6 /tmp/f && stat -c %u:%g /tmp/f | grep -qx 5:6",
        # Not in /tmp itself: in a sticky directory fs.protected_regular, which systemd sets, refuses this to anybody.
        "override": "mkdir /tmp/o && touch /tmp/o/g && chown 5:6 /tmp/o/g && chmod 0 /tmp/o/g && echo x >/tmp/o/g",
        "setuid": "setpriv --reuid 1000 --regid 1000 --groups 1,2 id -u | grep -qx 1000",
        "bind": "perl -e 'use IO::Socket::INET; IO::Socket::INET->new(LocalPort => 80, Listen => 1) or die'",
        "kill": "setpriv --reuid 9 --regid 9 --clear-groups sleep 60 & sleep 0.2; kill $!",
        "chroot": "chroot / true",
        "null": "echo x >/dev/null && head -c 8 /dev/urandom | wc -c | grep -qx 8 && test -c /dev/tty",
        "pty": "perl -e 'open(my $m, \"+<\", \"/dev/ptmx\") or die'",
        "queue": "ls /dev/mqueue && touch /dev/mqueue/q",
        "cgroup": "ls /sys/fs/cgroup",
        "proc": "test \"$(cat /proc/1/comm)\" = sh && test $(ls /proc | grep -c '^[0-9]') -lt 20",
        "hostname": f"test \"$(hostname)\" = capable",
        "stdout": "echo again >/dev/stdout && echo again >/dev/stderr",
    }
    cannot = {
        "mount": "mount -t tmpfs none /mnt",
        "umount": "umount /proc/kcore",
        "mknod": "mknod /tmp/n c 1 3",
        "block": "mknod /tmp/b b 254 0",
        "sysctl": "echo 1 >/proc/sys/kernel/panic",
        "sethostname": "hostname other",
        "module": "cat /proc/kcore | head -c 1 | grep -q .",
        "unmapped": "chown 65536 /tmp/f",
        "unmappedUser": "setpriv --reuid 65536 --clear-groups true",
        "raise": "ulimit -Hn unlimited 2>/dev/null; ulimit -n 1100000000",
        "nest": "unshare -U true",
        "setgroups": "setpriv --groups 65536 true",
    }
    script = "\n".join(
        [f"({line}) >/tmp/out 2>&1 && echo 'can {name}' || {{ echo 'cannot {name}'; cat /tmp/out; }}" for name, line in {**can, **cannot}.items()]
    )
    space.create(private("capable", shell(script)))
    log = space.finished_log("capable")
    verdicts = dict(reversed(line.split()) for line in log.splitlines() if line.startswith(("can ", "cannot ")))
    for name in can:
        expect_equal(verdicts.get(name), "can", f"{name}, by: {log}")
    for name in cannot:
        expect_equal(verdicts.get(name), "cannot", f"{name}, by: {log}")


@case("a user that is not root, and its exec, read and write as they should, standard output included")
def plain_user(space, node, world):
    needs_support(node)
    place = world.temporary(f"user-{space.name}")
    (place / "ours").mkdir()
    os.chown(place / "ours", 1000, 1000)
    script = "id -u; id -g; echo words >/dev/stdout; echo more >/dev/stderr; touch /h/ours/f; touch /h/f 2>/dev/null || echo kept out"
    space.create(
        private(
            "user",
            shell(script, securityContext={"runAsUser": 1000, "runAsGroup": 1000}, volumeMounts=[mount("h", "/h")]),
            volumes=[{"name": "h", "hostPath": {"path": str(place)}}],
        )
    )
    expect_equal(sorted(space.finished_log("user").split("\n")), sorted("1000\n1000\nwords\nmore\nkept out\n".split("\n")), "the log")
    expect_equal(owner(place / "ours/f"), (1000, 1000), "the file on the host")


@case("an exec has what the container's first process has: ids, capabilities, filter and namespaces")
def execution(space, node):
    needs_support(node)
    kept = "Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp"
    tell = (
        f"grep -E '^({kept}):' /proc/self/status; cat /proc/self/uid_map; "
        "for n in user pid mnt cgroup net ipc uts; do readlink /proc/self/ns/$n; done; ulimit -Hn; cat /proc/self/oom_score_adj"
    )
    space.create(
        private(
            "twin",
            shell(
                f"({tell}) >/shared/init.part; mv /shared/init.part /shared/init; sleep 100000",
                lifecycle={"postStart": {"exec": {"command": ["/bin/sh", "-c", f"({tell}) >/shared/exec; echo x >/dev/stdout"]}}},
                securityContext={"runAsUser": 1000, "runAsGroup": 1001, "capabilities": {"add": ["NET_ADMIN"], "drop": ["CHOWN"]}},
                volumeMounts=[mount("shared", "/shared")],
            ),
            volumes=[{"name": "shared", "emptyDir": {}}],
            securityContext={"supplementalGroups": [3, 4]},
        )
    )
    uid = space.wait_ready("twin")["metadata"]["uid"]
    place = node.root / "pods" / uid / "volumes/kubernetes.io~empty-dir/shared"
    # The command that runs beside it may be done before it is.
    eventually("the first process has told all", (place / "init").exists)
    first = (place / "init").read_text()
    expect_contains(first, "Uid:\t1000\t1000\t1000\t1000", "ids of the first process")
    expect_contains(first, "Seccomp:\t2", "its filter")
    expect_equal((place / "exec").read_text(), first, "what the exec has")


@case("ids outlive the agent and the container: a kill -9 and a restart leave a pod with those it has")
def persistent(world):
    node = world.new_node("ids").start()
    needs_support(node)
    space = world.space(node)
    for name in ("first", "second", "gone"):
        space.create(
            private(
                name,
                idle(volumeMounts=[mount("ram", "/ram")]),
                restartPolicy="Always",
                volumes=[{"name": "ram", "emptyDir": {"medium": "Memory"}}],
            )
        )
    pids = {name: started(space, node, name) for name in ("first", "second", "gone")}
    bases = {name: base(pid) for name, pid in pids.items()}
    space.delete("gone")
    space.wait_gone("gone")
    node.kill()
    node.start()
    space.create(private("late", idle()))
    late = base(started(space, node, "late"))
    expect(late not in (bases["first"], bases["second"]), f"the late pod has {late}, and so has another: {bases}")
    for name in ("first", "second"):
        expect_equal(started(space, node, name), pids[name], f"pid of {name}")
        expect_equal(base(pids[name]), bases[name], f"ids of {name}")
    os.kill(pids["first"], 9)
    space.wait("first", "a restart", lambda pod: pod and container_status(pod).get("restartCount") == 1)
    again = started(space, node, "first")
    expect(again != pids["first"], "the container restarted")
    expect_equal(base(again), bases["first"], "ids after the restart")
    uid = space.pod("second")["metadata"]["uid"]
    ram = node.root / "pods" / uid / "volumes/kubernetes.io~empty-dir/ram"
    expect_equal(owner(ram), (bases["second"],) * 2, "owner of what is in memory")


@case("a lost sandbox record gives a pod's ids to nobody else while it lives")
def lost_record(world):
    node = world.new_node("lost-ids").start()
    needs_support(node)
    space = world.space(node)
    space.create(private("first", idle(), restartPolicy="Always"))
    held = base(started(space, node, "first"))
    uid = space.pod("first")["metadata"]["uid"]
    node.kill()
    records = [path for path in (node.run / "sandboxes").glob("*/record") if uid.encode() in path.read_bytes()]
    expect_equal(len(records), 1, "records of the pod")
    records[0].write_bytes(b"")
    node.start()
    space.create(private("second", idle()))
    other = base(started(space, node, "second"))
    expect(other != held, f"both pods have {other}")
    expect_equal(base(started(space, node, "first")), held, "ids of the first pod after its new sandbox")


@case("an image's layers are shared by pods with different ids, and stay as they are on disk")
def layers(space, node, world):
    needs_support(node)
    place, name = world.temporary(f"layers-{space.name}"), "example.org/mapped:1.0"
    theirs = entry("etc/theirs", b"12\n", 0o640)
    theirs[0].uid, theirs[0].gid = 12, 34
    second = [entry("top", b"second layer\n", 0o644), entry("etc/.wh.gone")]
    archive = docker_archive(
        place / "mapped.tar", name, [*busybox_layer(), theirs, entry("etc/gone", b"x", 0o644)], second
    )
    expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, "image import")

    def on_disk():
        found = {}
        for path in (node.root / "images" / "layers").glob("*/diff/**/*"):
            status = path.lstat()
            found[str(path)] = (status.st_uid, status.st_gid, status.st_mode, status.st_mtime_ns)
        return found

    before = on_disk()
    script = (
        "cat /top /etc/theirs; ls -ln /etc | grep theirs; ls /etc; echo new >/etc/passwd; echo x >>/etc/theirs; "
        "ls -ln /etc/theirs; id -u 2>/dev/null; echo end; while sleep 0.1; do :; done"
    )
    ids = set()
    for pod_name in ("one", "two"):
        space.create(
            private(
                pod_name,
                {"name": "main", "image": name, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script]},
            )
        )
        ids.add(base(started(space, node, pod_name)))
        log = eventually("the log", lambda: (text := space.log(pod_name)).endswith("end\n") and text)
        expect_contains(log, "second layer\n12\n", "files of both layers")
        expect_equal(log.count(" 12 ") >= 2 and log.count(" 34 ") >= 2, True, f"the owner inside: {log}")
        expect("gone" not in log, f"the whiteout hides the file: {log}")
    expect_equal(len(ids), 2, "ranges")
    expect_equal(on_disk(), before, "the image store")
    for pod_name in ("one", "two"):
        space.delete(pod_name)
        space.wait_gone(pod_name)
    node.swiftlet("image", "rm", name)


@case("what cannot go with a user namespace is refused with its field")
def refusals(space, node):
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        try:
            space.create(private(f"with-{name.lower()}", idle(), **{name: True}))
        except APIFailure as failure:
            expect_equal(failure.status, 422, f"HTTP status for {name}")
            expect_contains(str(failure), f"spec.{name}", f"the refusal of {name}")
            expect_contains(str(failure), "`hostUsers` is false", f"the refusal of {name}")
        else:
            raise Failure(f"{name} with hostUsers: false was accepted")
    try:
        space.create(pod("unmasked", idle(securityContext={"procMount": "Unmasked"})))
    except APIFailure as failure:
        expect_contains(str(failure), "procMount", "the refusal of an unmasked /proc with the host's users")
    else:
        raise Failure("procMount: Unmasked without hostUsers: false was accepted")
    needs_support(node)
    for name, context in (("far-user", {"runAsUser": UNIT}), ("far-group", {"runAsUser": 1, "runAsGroup": UNIT})):
        space.create(private(name, idle(securityContext=context), automountServiceAccountToken=False))
        message = space.wait_waiting(name, ("CreateContainerConfigError",)).get("message", "")
        expect_contains(message, f"{UNIT} does not exist in the pod's user namespace", f"the message for {name}")


@case("host paths with other file systems below, subpaths and files are mapped too")
def nested(space, node, world):
    needs_support(node)
    place = world.temporary(f"nested-{space.name}")
    (place / "below").mkdir()
    (place / "file").write_text("x")
    os.chown(place / "file", 3, 4)
    (place / "deep").mkdir()
    (place / "deep/file").write_text("x")
    os.chown(place / "deep/file", 5, 6)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(place / "below").encode(), b"tmpfs", 0, b"mode=755") != 0:
        raise Failure(f"mount: {os.strerror(ctypes.get_errno())}")
    try:
        (place / "below/file").write_text("x")
        os.chown(place / "below/file", 7, 8)
        volumes = [
            {"name": "tree", "hostPath": {"path": str(place)}},
            {"name": "file", "hostPath": {"path": str(place / "file"), "type": "File"}},
            {"name": "disk", "emptyDir": {}},
            {"name": "ram", "emptyDir": {"medium": "Memory"}},
        ]
        mounts = [
            mount("tree", "/tree"), mount("file", "/file"), mount("tree", "/deep", subPath="deep"),
            mount("disk", "/disk", subPath="made/here"), mount("ram", "/ram", subPath="made/here"),
        ]
        script = (
            "stat -c '%n %u:%g' /tree/file /tree/below/file /file /deep/file /disk /ram; touch /disk/f /ram/f && echo both; "
            "setpriv --reuid 1000 --clear-groups touch /disk/g /ram/g && echo both"
        )
        space.create(private("nested", shell(script, volumeMounts=mounts), volumes=volumes))
        log = space.finished_log("nested")
        expect_contains(log, "/tree/file 3:4\n", "a file of the host path")
        # Before Linux 6.3 a tmpfs cannot be mapped: what is below then belongs to nobody.
        expect("/tree/below/file 7:8\n" in log or "/tree/below/file 65534:65534\n" in log, f"below: {log}")
        expect_contains(log, "/file 3:4\n/deep/file 5:6\n/disk 0:0\n/ram 0:0\nboth\nboth\n", "files and subpaths")
    finally:
        libc.umount2(str(place / "below").encode(), 2)


@case("an ephemeral container looks at its target inside the same user namespace")
def ephemeral(space, node):
    needs_support(node)
    space.create(private("watched", idle()))
    pid = started(space, node, "watched")
    container = shell("id -u; cat /proc/self/uid_map; cat /proc/1/comm; ls -l /proc/1/root/etc/hosts >/dev/null; kill -0 1 && echo near", "debug")
    container["targetContainerName"] = "main"
    node.api.request(
        "PATCH",
        space.path("pods", "watched") + "/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [container]}},
        content_type="application/strategic-merge-patch+json",
    )
    log = eventually("its log", lambda: (text := space.log("watched", "debug")).endswith("near\n") and text)
    expect_equal(log.split()[:4], ["0", "0", str(base(pid)), str(UNIT)], "ids of the ephemeral container")
    expect_contains(log, "\nsh\n", "the target's first process")
