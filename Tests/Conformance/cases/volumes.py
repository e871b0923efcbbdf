"""Volumes as the containers see them."""

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import idle, mount, pod, shell


@case("containers share an emptyDir, and medium Memory is a tmpfs")
def empty_dir(space):
    writer = shell(
        "echo shared >/a/file; echo fast >/m/file", "writer", volumeMounts=[mount("disk", "/a"), mount("ram", "/m")]
    )
    reader = shell(
        "until cat /b/file /r/file 2>/dev/null; do sleep 0.05; done; grep ' /r ' /proc/mounts",
        "reader",
        volumeMounts=[mount("disk", "/b"), mount("ram", "/r")],
    )
    space.create(
        pod(
            "pair",
            writer,
            reader,
            volumes=[
                {"name": "disk", "emptyDir": {}},
                {"name": "ram", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            ],
        )
    )
    space.wait_phase("pair", "Succeeded")
    log = space.log("pair", "reader")
    expect_contains(log, "shared\nfast", "what the other container wrote")
    expect_contains(log, "tmpfs /r tmpfs", "the mount of medium Memory")
    expect_contains(log, "size=1024k", "its size limit")


@case("hostPath types are created or insisted on")
def host_path(space, world):
    place = world.temporary(f"host-path-{space.name}")
    (place / "file").write_text("from the host\n")
    space.create(
        pod(
            "good",
            shell(
                "cat /f; echo made >/d/new; test -f /c && test ! -s /c && echo created",
                volumeMounts=[mount("file", "/f"), mount("directory", "/d"), mount("created", "/c")],
            ),
            volumes=[
                {"name": "file", "hostPath": {"path": str(place / "file"), "type": "File"}},
                {"name": "directory", "hostPath": {"path": str(place / "made/deep"), "type": "DirectoryOrCreate"}},
                {"name": "created", "hostPath": {"path": str(place / "empty"), "type": "FileOrCreate"}},
            ],
        )
    )
    expect_equal(space.finished_log("good"), "from the host\ncreated\n", "the log")
    expect_equal((place / "made/deep/new").read_text(), "made\n", "the file on the host")
    space.create(
        pod(
            "bad",
            idle(volumeMounts=[mount("file", "/f")]),
            volumes=[{"name": "file", "hostPath": {"path": str(place / "file"), "type": "Directory"}}],
        )
    )
    expect_contains(space.wait_event("bad", "FailedMount"), str(place / "file"), "the event")
    expect_equal(space.pod("bad")["status"]["phase"], "Pending", "phase")


@case("a read-only root cannot be written, and a volume on it can")
def read_only_root(space):
    script = "touch /etc/new 2>&1; touch /v/new && echo volume"
    space.create(
        pod(
            "sealed",
            shell(script, securityContext={"readOnlyRootFilesystem": True}, volumeMounts=[mount("v", "/v")]),
            volumes=[{"name": "v", "emptyDir": {}}],
        )
    )
    log = space.finished_log("sealed")
    expect_contains(log, "Read-only file system", "the log")
    expect(log.endswith("volume\n"), f"the volume is writable: {log}")
