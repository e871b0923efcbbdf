"""Pods from files in the manifest directory."""

import http.server
import json
import os
import threading

from rig.case import case
from rig.expectation import eventually, expect, expect_equal
from rig.pods import mount, pod, shell
from rig.space import Space, node_uid


def write(path, item):
    """As editors do: a new file that replaces the old one."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(json.dumps(item))
    os.replace(new, path)


@case("a manifest file starts a pod, an edit replaces it, and removing the file ends it")
def manifest(space, node):
    item = pod("from-file", shell("echo first; trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    name, file = f"from-file-{node.name}", node.manifests / "from-file.yaml"
    try:
        write(file, item)
        first = space.wait_ready(name)
        expect("kubernetes.io/config.mirror" in first["metadata"]["annotations"], "the mirror's annotation")
        eventually("its log", lambda: "first" in space.log(name))
        item["spec"]["containers"][0]["command"][2] = "echo second; trap 'exit 0' TERM; sleep 100000 & wait"
        write(file, item)
        second = space.wait(
            name, "replaced", lambda found: found and found["metadata"]["uid"] != first["metadata"]["uid"]
        )
        space.wait_ready(name)
        eventually("its log", lambda: "second" in space.log(name))
        expect(
            second["metadata"]["annotations"] != first["metadata"]["annotations"], "the configuration's hash changed"
        )
    finally:
        file.unlink(missing_ok=True)
    space.wait_gone(name)
    eventually(
        "its processes end",
        lambda: not [
            pid for pid, _ in node.pod_processes() if b"echo second" in open(f"/proc/{pid}/cmdline", "rb").read()
        ],
    )


@case("deleting a manifest pod through the API does not end it")
def mirror_deletion(space, node):
    item = pod("lasting", shell("trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    name, file = f"lasting-{node.name}", node.manifests / "lasting.yaml"
    try:
        write(file, item)
        first = space.wait_ready(name)
        started = first["status"]["containerStatuses"][0]["containerID"]
        space.delete(name, grace=0)
        again = space.wait(
            name,
            "mirrored again",
            lambda found: found
            and (
                found["metadata"]["uid"] != first["metadata"]["uid"]
                and found.get("status", {}).get("containerStatuses")
            ),
        )
        expect_equal(again["status"]["containerStatuses"][0]["containerID"], started, "the container")
    finally:
        file.unlink(missing_ok=True)
    space.wait_gone(name)


@case("a broken manifest harms no other")
def broken_manifest(space, node):
    item = pod("sound", shell("trap 'exit 0' TERM; sleep 100000 & wait"))
    item["metadata"]["namespace"] = space.name
    broken, sound = node.manifests / "broken.yaml", node.manifests / "sound.yaml"
    try:
        broken.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: [\n")
        write(sound, item)
        space.wait_ready(f"sound-{node.name}")
        eventually("the node names the file", lambda: "broken.yaml" in node.output.read_text(), 10)
    finally:
        broken.unlink(missing_ok=True)
        sound.unlink(missing_ok=True)
    space.wait_gone(f"sound-{node.name}")


COUNT = (
    "n=$(($(cat /data/n 2>/dev/null || echo 0) + 1)); echo $n > /data/n; echo count $n; "
    "trap 'exit 0' TERM; sleep 100000 & wait"
)


def claim(space, name, **spec):
    fields = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": space.name},
        "spec": dict(fields, **spec),
    }


def volume(name, **spec):
    fields = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": dict(fields, **spec),
    }


def user(space, name, claimed):
    """A pod that counts its starts in the claim."""
    item = pod(
        name,
        shell(COUNT, volumeMounts=[mount("data", "/data")]),
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claimed}}],
    )
    item["metadata"]["namespace"] = space.name
    return item


def together(*items):
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


@case("a claim of a manifest keeps its files over edits of the pod, kill -9 of the agent and a new manifest")
def claimed_directory(world):
    node = world.new_node("claims").start()
    space = world.space(node)
    kept, file = node.manifests / "claim.yaml", node.manifests / "counter.yaml"
    item, name = user(space, "counter", "data"), f"counter-{node.name}"
    write(kept, claim(space, "data"))
    write(file, item)
    first = space.wait_ready(name)
    eventually("the first count", lambda: "count 1\n" in space.log(name))
    said = [text for reason, text in space.events(name) if reason == "ResourceNotEnforced" and "claims" in text]
    expect_equal(len(said), 1, "events about what a claim does not enforce")
    item["metadata"]["annotations"] = {"edit": "1"}
    write(file, item)
    space.wait(name, "replaced", lambda found: found and found["metadata"]["uid"] != first["metadata"]["uid"])
    space.wait_ready(name)
    eventually("the second count", lambda: "count 2\n" in space.log(name))
    node.kill()
    item["metadata"]["annotations"] = {"edit": "2"}
    write(file, item)
    node.start()
    eventually("the third count", lambda: "count 3\n" in space.log(name), 40)
    # The claim and its pod go, and another manifest brings them back.
    file.unlink()
    kept.unlink()
    space.wait_gone(name)
    other = user(space, "other", "data")
    other["spec"]["containers"].append(
        shell("if echo x > /ro/n; then exit 1; fi; cat /ro/n", "reader", volumeMounts=[mount("ro", "/ro")])
    )
    other["spec"]["volumes"].append(
        {"name": "ro", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}
    )
    write(file, together(claim(space, "data"), other))
    eventually("the fourth count", lambda: "count 4\n" in space.log(f"other-{node.name}", "main"), 40)
    space.wait(
        f"other-{node.name}",
        "read, and not written",
        lambda found: [
            status["state"]["terminated"]["exitCode"]
            for status in found["status"].get("containerStatuses", [])
            if "terminated" in status["state"]
        ] == [0],
    )
    node.stop_all()


@case("a claim is bound to a hostPath volume; one that cannot be bound keeps its pod waiting and says why")
def claimed_volumes(world):
    node = world.new_node("volumes").start()
    space = world.space(node)
    place = world.temporary("claimed")
    write(node.manifests / "disk.yaml", volume("disk", hostPath={"path": str(place)}))
    write(node.manifests / "secret.yaml", volume("own", hostPath={"path": str(node.directory / "root")}))
    write(
        node.manifests / "pods.yaml",
        together(
            claim(space, "data", volumeName="disk"), user(space, "counter", "data"),
            claim(space, "late", volumeName="disk"), user(space, "second", "late"),
            claim(space, "lost", volumeName="nowhere"), user(space, "third", "lost"),
            claim(space, "own", volumeName="own"), user(space, "fourth", "own"),
        ),
    )
    space.wait_ready(f"counter-{node.name}")
    eventually("the count on the host", lambda: (place / "n").read_text() == "1\n")
    for name, claimed, reason in (
        ("second", "late", f'persistentvolume "disk" is taken by claim "{space.name}/data"'),
        ("third", "lost", 'no manifest of this node defines persistentvolume "nowhere"'),
        ("fourth", "own", "is not allowed by the node's policy"),
    ):
        text = space.wait_event(f"{name}-{node.name}", "FailedMount")
        expect(reason in text and f'"{space.name}/{claimed}"' in text, f"the event of {name}: {text}")
    write(node.manifests / "nowhere.yaml", volume("nowhere", local={"path": str(place)}))
    space.wait_ready(f"third-{node.name}", 90)
    eventually("the count goes on", lambda: (place / "n").read_text() == "2\n")
    node.stop_all()


class Documents(http.server.ThreadingHTTPServer):
    """Serves one document to those who know the word, and says 500 while it has none."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), DocumentHandler)
        self.document = None
        self.asked = 0
        self.refused = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class DocumentHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=C0103
        server = self.server
        if self.headers.get("X-Word") != "swordfish":
            server.refused += 1
            return self.send_error(403)
        server.asked += 1
        if server.document is None:
            return self.send_error(500)
        body = json.dumps(server.document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)

    def log_message(self, *_):
        pass


@case("pods of a URL run, are replaced when the document changes, and outlive a server that fails")
def manifest_url(world):
    server = Documents()
    address = f"http://127.0.0.1:{server.server_address[1]}/pods.json"
    node = world.new_node("url", more=["--manifest-url", address, "--manifest-url-header", "X-Word: swordfish"])
    lasting = "trap 'exit 0' TERM; sleep 100000 & wait"
    items = [pod("one", shell(f"echo first; {lasting}")), pod("two", shell(lasting))]
    for item in items:
        item["metadata"]["namespace"] = "from-url"
    server.document = {"apiVersion": "v1", "kind": "List", "items": items}
    node.start()
    space = Space(node, "from-url")
    first, second = (space.wait_ready(f"{name}-{node.name}") for name in ("one", "two"))
    expect_equal(first["metadata"]["annotations"]["kubernetes.io/config.source"], "http", "source of the pod")
    processes = node.settled_processes(node_uid(second))
    server.document = None
    asked = server.asked

    def server_failed():
        eventually("the server has failed", lambda: server.asked > asked, 40)
        expect_equal(node.pod_processes(node_uid(second)), processes, "processes while the server fails")
        items[0]["spec"]["containers"][0]["command"][2] = f"echo second; {lasting}"
        server.document = {"apiVersion": "v1", "kind": "List", "items": items}
        space.wait(
            first["metadata"]["name"], "replaced",
            lambda found: found and found["metadata"]["uid"] != first["metadata"]["uid"], 40)
        space.wait_ready(first["metadata"]["name"])
        eventually("its log", lambda: "second" in space.log(first["metadata"]["name"]))
        expect_equal(node.pod_processes(node_uid(second)), processes, "processes of the pod that stayed")
        expect_equal(server.refused, 0, "requests without the header")
        node.stop_all()
        server.shutdown()

    return server_failed
