"""Volumes as the containers see them."""

import time

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import config_map, idle, mount, pod, secret, shell


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


@case("a pod whose configMap is missing waits, and starts as soon as there is one")
def missing(space):
    space.create(
        pod(
            "early",
            shell("cat /c/key; echo", volumeMounts=[mount("c", "/c")]),
            volumes=[{"name": "c", "configMap": {"name": "late"}}],
        )
    )
    expect_contains(space.wait_event("early", "FailedMount"), 'configmap "late" not found', "the event")
    told_at = time.monotonic()

    def end():
        # By then tries are 16 s apart and more: only the news of the object can be as fast.
        time.sleep(max(0.0, told_at + 17 - time.monotonic()))
        space.create(config_map("late", key="here"))
        space.wait_phase("early", "Succeeded", 2)
        expect_equal(space.log("early"), "here\n", "the log")

    return end


FOLLOWER = "".join(
    f"until grep -q {text} /{file} 2>/dev/null; do sleep 0.05; done; echo {text} {file}; "
    for text in ("second", "third")
    for file in ("c/key", "s/key", "p/key", "d/labels", "o/key")
)


def change(space, text):
    """Brings everything that the follower's files come from to another value."""
    for item in (config_map("app", key=text), secret("app", key=text), config_map("late", key=text)):
        plural = item["kind"].lower() + "s"
        if text == "second" and item["metadata"]["name"] == "late":
            space.create(item)
        else:
            space.api.request("PUT", space.path(plural, item["metadata"]["name"]), item)
    space.api.request(
        "PATCH",
        space.path("pods", "follower"),
        {"metadata": {"labels": {"step": text}}},
        content_type="application/merge-patch+json",
    )


@case("changes of objects and labels are in a running pod's files at once, also after kill -9 of the agent")
def followed(world):
    node = world.new_node("followed").start()
    space = world.space(node)
    space.create(config_map("app", key="first"))
    space.create(secret("app", key="first"))
    labels = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    space.create(
        pod(
            "follower",
            shell(FOLLOWER, volumeMounts=[mount(name, f"/{name}") for name in "cspdo"]),
            volumes=[
                {"name": "c", "configMap": {"name": "app"}},
                {"name": "s", "secret": {"secretName": "app"}},
                {"name": "p", "projected": {"sources": [{"configMap": {"name": "app"}}]}},
                {"name": "d", "downwardAPI": {"items": [labels]}},
                {"name": "o", "configMap": {"name": "late", "optional": True}},
            ],
        )
    )
    space.wait_ready("follower")
    change(space, "second")
    eventually("the second value in every file", lambda: "second o/key" in space.log("follower"), 5, 0.1)
    node.kill()
    node.start()
    change(space, "third")
    space.wait_phase("follower", "Succeeded", 10)
    expect_equal(space.log("follower").count("\n"), 10, "lines of the log")


@case("a pod's token is of its service account, for its audience and its user, and the server takes it for what it is")
def token(space):
    source = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}
    space.create(
        pod(
            "robot",
            shell("stat -L -c '%a %u' /t/token; cat /t/token", volumeMounts=[mount("t", "/t")]),
            securityContext={"runAsUser": 1234},
            volumes=[{"name": "t", "projected": {"sources": [source]}}],
        )
    )
    mode, found = space.finished_log("robot").split("\n", 1)
    expect_equal(mode, "600 1234", "mode and owner of the token")
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": found.strip(), "audiences": ["vault"]},
    }
    status = space.api.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)["status"]
    expect(status.get("authenticated"), f"the server knows the token: {status}")
    expect_equal(status["user"]["username"], f"system:serviceaccount:{space.name}:default", "whose it is")
