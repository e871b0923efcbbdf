"""Volumes of storage drivers (CSI): a real driver registers, stages, publishes, and is asked to take it all back."""

import base64
import contextlib
import datetime
import hashlib
import json
import pathlib
import shutil
import subprocess
import time

from cases.claims import claim, stored, stored_volume, volume
from rig.api import APIFailure
from rig.apart import Agent
from rig.case import case
from rig.expectation import Failure, Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, mount, pod, secret, shell

PYTHON = "/usr/bin/python3"
PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "rig" / "storage_driver.py"
NAME = "directories.example.org"


class Driver:
    """A driver of a node, which may come and go."""

    def __init__(self, node, place):
        if subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True, check=False).returncode != 0:
            raise Skipped("python3-grpcio is not installed")
        self.node, self.place, self.process = node, place, None
        self.registry = pathlib.Path(node.root) / "plugins_registry"

    def start(self):
        eventually("the directory of registrations", self.registry.is_dir, 20)
        before = self.calls().count("registered")
        with open(self.place / "log", "ab") as output:
            self.process = subprocess.Popen(
                [PYTHON, str(PROGRAM), str(self.place), str(self.registry), NAME], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True)
        eventually("the driver is registered", lambda: self.calls().count("registered") > before, 30)
        return self

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        for socket in (self.place / "csi.sock", self.registry / f"{NAME}-reg.sock"):
            socket.unlink(missing_ok=True)

    def requests(self, call="NodePublishVolume"):
        """All that was asked with such a call, oldest first."""
        try:
            lines = map(json.loads, (self.place / "requests").read_text().splitlines())
        except FileNotFoundError:
            return []
        return [line for line in lines if line["call"] == call]

    def calls(self):
        try:
            return [line.strip() for line in (self.place / "calls").read_text().splitlines()]
        except FileNotFoundError:
            return []


@contextlib.contextmanager
def driven(world, name):
    """A node of its own with a driver."""
    node = world.new_node(name)
    with node.running():
        driver = Driver(node, world.temporary(name))
        try:
            yield node, world.space(node), driver.start()
        finally:
            for item in node.api.get("/api/v1/pods")["items"]:
                path = f"/api/v1/namespaces/{item['metadata']['namespace']}/pods/{item['metadata']['name']}"
                node.api.request("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})
            with contextlib.suppress(AssertionError):
                eventually("every pod goes", lambda: not node.api.get("/api/v1/pods")["items"], 10, 0.2)
                # A pod that is deleted at once is gone from the API before the node is done with it.
                eventually("volumes are taken back", lambda: not list(node.root.glob("pods/*/volumes/*/.*.driver")), 10, 0.2)
            driver.stop()


def attached(space, name, **source):
    reference = {"name": "keys", "namespace": space.name}
    fields = {"driver": NAME, "volumeHandle": f"disk/{name}", "volumeAttributes": {"color": "green"}} | source
    return volume(name, csi=dict(fields, nodeStageSecretRef=reference))


def described(space, **spec):
    """What is said of the driver."""
    fields = {"attachRequired": False, **spec}
    path = "/apis/storage.k8s.io/v1/csidrivers"
    return space.api.request(
        "POST", path, {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": NAME}, "spec": fields})


def undescribed(space):
    space.api.request("DELETE", f"/apis/storage.k8s.io/v1/csidrivers/{NAME}")


def user(name, script, **source):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data", **source}}]
    return pod(name, shell(script, volumeMounts=[mount("data", "/data")]), volumes=volumes)


@case("a driver's volume is staged once, published for each pod, read-only where asked, and taken back from the last")
def claims(world):
    with driven(world, "drivers") as (node, space, driver):
        space.create(secret("keys", key="sesame"))
        space.api.request("POST", "/api/v1/persistentvolumes", attached(space, "disk"))
        space.create(claim("data", storageClassName="disk"))
        eventually("the claim is bound", lambda: stored(space, "data")["status"]["phase"] == "Bound", 10)
        holder = user("holder", "echo kept >/data/file; trap 'exit 0' TERM; sleep 100000 & wait")
        space.create(holder)
        space.wait_ready("holder")
        eventually("the file", (driver.place / "volumes/disk/disk/file").exists, 10)
        space.create(user("reader", "cat /data/file; touch /data/x 2>/dev/null || echo refused", readOnly=True))
        expect_equal(space.finished_log("reader"), "kept\nrefused\n", "the reader's log")
        expect_contains(driver.calls(), "stage disk/disk sesame", "the call with the secret")
        expect_contains(driver.calls(), "publish disk/disk green -", "the call with the attributes")
        # An agent that comes after a kill finds what the one before has made, and takes it back.
        node.kill()
        node.start()
        eventually("the driver is heard again", lambda: driver.calls().count("registered") >= 2, 30)
        space.delete("reader")
        space.wait_gone("reader")
        expect(not any(call.startswith("unstage") for call in driver.calls()), "unstaged while a pod has it")
        # Without its driver a pod stays until the driver has taken back what is its own.
        driver.stop()
        space.delete("holder")
        eventually("the node says why", lambda: any("driver" in text for _, text in space.events("holder")), 30, 0.2)
        driver.start()
        space.wait_gone("holder", 60)
        eventually("the last pod's end unstages it", lambda: "unstage disk/disk" in driver.calls(), 30)
        expect_equal((driver.place / "volumes/disk/disk/file").read_text(), "kept\n", "what the driver keeps")
        space.delete("data", plural="persistentvolumeclaims")
        space.api.request("DELETE", "/api/v1/persistentvolumes/disk")
        eventually("the volume goes", lambda: stored_volume(space, "disk") is None, 10)


@case("a pod brings a driver's volume along; without the driver, and while it refuses, the pod waits and says so")
def inline(world):
    with driven(world, "inline-drivers") as (_, space, driver):
        def bringing(name, source):
            volumes = [{"name": "own", "csi": source}]
            space.create(pod(name, idle(volumeMounts=[mount("own", "/own")]), volumes=volumes))

        bringing("early", {"driver": NAME})
        expect_contains(space.wait_event("early", "FailedMount"), "(no CSIDriver object)", "with a driver nobody speaks for")
        described(space)
        bringing("lasting", {"driver": NAME})
        expect_contains(space.wait_event("lasting", "FailedMount"), '(only supports ["Persistent"])', "with one for claims only")
        for name in ("early", "lasting"):
            space.delete(name, grace=0)
            space.wait_gone(name)
        undescribed(space)
        described(space, volumeLifecycleModes=["Persistent", "Ephemeral"], podInfoOnMount=True)
        stray = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "nobody.example.org"}}
        stray["spec"] = {"volumeLifecycleModes": ["Ephemeral"]}
        space.api.request("POST", "/apis/storage.k8s.io/v1/csidrivers", stray)
        bringing("stray", {"driver": "nobody.example.org"})
        expect_contains(space.wait_event("stray", "FailedMount"), "not found in the list of registered", "without a driver")
        (driver.place / "broken").touch()
        space.create(secret("own-key", word="open"))
        bringing("own", {"driver": NAME, "volumeAttributes": {"color": "blue"}, "nodePublishSecretRef": {"name": "own-key"}})
        expect_contains(space.wait_event("own", "FailedMount"), "broken on purpose", "while it refuses")
        (driver.place / "broken").unlink()
        space.wait_ready("own", 60)
        calls = [call.split() for call in driver.calls() if call.startswith("publish")]
        expect_equal(calls[-1][2:], ["blue", "own"], "what the driver hears of the pod")
        uid = space.pod("own")["metadata"]["uid"]
        facts = {"pod.name": "own", "pod.namespace": space.name, "pod.uid": uid, "serviceAccount.name": "default",
                 "ephemeral": "true"}
        expected = {"color": "blue", **{f"csi.storage.k8s.io/{key}": value for key, value in facts.items()}}
        asked = driver.requests()[-1]
        expect_equal(asked["context"], expected, "what the driver hears of the pod that brings a volume along")
        expect_equal(asked["secrets"], {"word": "open"}, "the secret of the pod's namespace")
        expect(not any(call.startswith("stage") for call in driver.calls()), "an inline volume is staged")
        space.delete("own")
        space.wait_gone("own")
        eventually("it is taken back", lambda: any(call.startswith("unpublish") for call in driver.calls()), 30)
        space.delete("stray", grace=0)
        space.wait_gone("stray")


def bound(space, name="data", **source):
    """A claim that has a volume of the driver's."""
    space.create(secret("keys", key="sesame"))
    space.api.request("POST", "/api/v1/persistentvolumes", attached(space, "disk", **source))
    space.create(claim(name, storageClassName="disk"))
    eventually("the claim is bound", lambda: stored(space, name)["status"]["phase"] == "Bound", 10)


def grouped(name, group=4242):
    """A pod of a group that says whose the volume's directory is."""
    made = user(name, "stat -c '%g %a' /data")
    made["spec"]["securityContext"] = {"fsGroup": group}
    return made


@case("a driver's CSIDriver decides what it hears of pods, and who gives a volume to the pod's group")
def rules(world):
    with driven(world, "driver-rules") as (_, space, driver):
        place = driver.place / "volumes/disk/disk"
        place.mkdir(parents=True)

        def seen(name, mode=0o755):
            place.chmod(mode)
            shutil.chown(place, 0, 0)
            space.create(grouped(name))
            said = space.finished_log(name).strip()
            space.delete(name, grace=0)
            space.wait_gone(name)
            return said, driver.requests()[-1]

        bound(space)
        said, asked = seen("unspoken")
        expect_equal(said, "0 755", "a volume without a file system's name, without a CSIDriver")
        expect_equal(asked["context"], {"color": "green"}, "what the driver hears")
        described(space, fsGroupPolicy="File", podInfoOnMount=True)
        said, asked = seen("files")
        expect_equal(said, "4242 2775", "with the policy File")
        facts = {key.removeprefix("csi.storage.k8s.io/"): value for key, value in asked["context"].items() if key != "color"}
        uid = facts.pop("pod.uid")
        expect(uid, "the pod's UID")
        told = {"pod.name": "files", "pod.namespace": space.name, "serviceAccount.name": "default", "ephemeral": "false"}
        expect_equal(facts, told, "what the driver hears of a pod with a claim")
        undescribed(space)
        described(space, fsGroupPolicy="None")
        said, asked = seen("nobody")
        expect_equal(said, "0 755", "with the policy None")
        expect_equal(asked["group"], "", "the group that a driver hears that does nothing with it")
        undescribed(space)
        described(space, fsGroupPolicy="File")
        # VOLUME_MOUNT_GROUP: the driver does it, and says so when it registers.
        driver.stop()
        (driver.place / "capabilities").write_text("1 6")
        driver.start()
        said, asked = seen("driven")
        expect_equal((said, asked["group"]), ("0 755", "4242"), "what a driver is told that gives volumes to groups itself")
        expect_equal(driver.requests("NodeStageVolume")[-1]["group"], "4242", "the group with the call to stage")


def attachment(node):
    name = "csi-" + hashlib.sha256(f"disk/disk{NAME}{node.name}".encode()).hexdigest()
    spec = {"attacher": NAME, "nodeName": node.name, "source": {"persistentVolumeName": "disk"}}
    return {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name}, "spec": spec}


def in_use(node):
    return node.api.get(f"/api/v1/nodes/{node.name}")["status"].get("volumesInUse", [])


@case("a volume that is being attached is waited for, the driver hears what was said then; where nobody attaches it hears nothing")
def attachments(world):
    with driven(world, "attachments") as (node, space, driver):
        described(space, attachRequired=True)
        bound(space)
        path = "/apis/storage.k8s.io/v1/volumeattachments"
        name = space.api.request("POST", path, attachment(node))["metadata"]["name"]
        space.create(user("holder", "echo there; sleep 100000 & wait"))
        expect_contains(space.wait_event("holder", "FailedMount"), "is not attached to this node yet", "while it is attached")
        expect_equal(driver.requests("NodeStageVolume"), [], "what the driver is asked for before")
        attached_there = {"status": {"attached": True, "attachmentMetadata": {"device": "/dev/sdx"}}}
        space.api.request("PATCH", f"{path}/{name}/status", attached_there, "application/merge-patch+json")
        space.wait_ready("holder", 60)
        for call in ("NodeStageVolume", "NodePublishVolume"):
            asked = driver.requests(call)[-1]
            expect_equal(asked["publish_context"], {"device": "/dev/sdx"}, f"what {call} hears of the attachment")
        eventually("the volume is in use", lambda: in_use(node) == [f"kubernetes.io/csi/{NAME}^disk/disk"], 10)
        space.delete("holder", grace=0)
        space.wait_gone("holder")
        eventually("the volume is in use no more", lambda: in_use(node) == [], 10)
        space.api.request("DELETE", f"{path}/{name}")
        space.create(user("next", "echo there"))
        expect_equal(space.finished_log("next"), "there\n", "the log where nobody attaches")
        expect_equal(driver.requests()[-1]["publish_context"], {}, "what a driver hears where nobody attaches")


@case("a driver that wants tokens and to be asked again gets new calls while a pod runs, with tokens of the pod's account")
def tokens(world):
    with driven(world, "driver-tokens") as (node, space, driver):
        key = "csi.storage.k8s.io/serviceAccount.tokens"
        described(space, requiresRepublish=True, tokenRequests=[{"audience": "vault", "expirationSeconds": 900}])
        bound(space)
        space.create(user("holder", "echo kept >/data/file; sleep 100000 & wait"))
        space.wait_ready("holder")

        def published():
            return [json.loads(asked["context"][key])["vault"] for asked in driver.requests()]

        first = published()[0]
        payload = first["token"].split(".")[1]
        claims_told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expect_equal(claims_told["aud"], ["vault"], "whom the token is for")
        expect_equal(claims_told["kubernetes.io"]["pod"]["name"], "holder", "the pod that the token is bound to")
        end = datetime.datetime.fromisoformat(first["expirationTimestamp"].replace("Z", "+00:00")).timestamp()
        expect_equal(int(end), claims_told["exp"], "the token's end, as the driver is told")
        before = len(published())
        started = time.monotonic()
        eventually("it is asked again", lambda: len(published()) > before, 80, 0.5)
        expect(time.monotonic() - started > 30, "asked again and again without a rest")
        expect_equal(len(driver.requests("NodeStageVolume")), 1, "calls to stage")
        expect_equal(space.pod("holder")["status"]["containerStatuses"][0]["restartCount"], 0, "restarts")
        space.delete("holder", grace=0)
        space.wait_gone("holder")


@case("a node shows its drivers in its CSINode and on itself, over the agent's death, and no longer once they are gone")
def nodes(world):
    with driven(world, "driver-nodes") as (node, space, driver):
        path = f"/apis/storage.k8s.io/v1/csinodes/{node.name}"
        itself = f"/api/v1/nodes/{node.name}"

        def shown():
            try:
                return space.api.get(path)["spec"]["drivers"]
            except APIFailure as failure:
                if failure.status == 404:
                    return None
                raise

        def identities():
            return json.loads(space.api.get(itself)["metadata"].get("annotations", {}).get("csi.volume.kubernetes.io/nodeid", "{}"))

        eventually("the driver is shown", lambda: shown() == [{"name": NAME, "nodeID": "this-node", "topologyKeys": None}]
                   or shown() == [{"name": NAME, "nodeID": "this-node"}], 10)
        eventually("what it calls the node", lambda: identities() == {NAME: "this-node"}, 10)
        owner = space.api.get(path)["metadata"]["ownerReferences"][0]
        uid = space.api.get(itself)["metadata"]["uid"]
        expect_equal((owner["kind"], owner["name"], owner["uid"]), ("Node", node.name, uid), "whose it is")
        # It comes back with a place and a limit.
        driver.stop()
        eventually("the driver is no longer shown", lambda: shown() == [] and identities() == {}, 10)
        (driver.place / "topology").write_text(json.dumps({"topology.example.org/rack": "seven"}))
        driver.start()
        full = {"name": NAME, "nodeID": "this-node", "topologyKeys": ["topology.example.org/rack"], "allocatable": {"count": 7}}
        eventually("the driver with its place", lambda: shown() == [full], 10)
        labels = space.api.get(itself)["metadata"]["labels"]
        expect_equal(labels.get("topology.example.org/rack"), "seven", "the node's label")
        # Gone while no agent runs: the next one sees that its socket is not there.
        node.kill()
        driver.stop()
        node.start()
        eventually("the driver that went unseen is no longer shown", lambda: shown() == [] and identities() == {}, 20)


@case("a claim that asks for more is made larger by its driver, under a running pod and before a pod starts, and says what it has")
def expansion(world):
    with driven(world, "driver-expansion") as (node, space, driver):
        driver.stop()
        (driver.place / "capabilities").write_text("1 3")
        driver.start()
        described(space)
        bound(space)
        path = space.path("persistentvolumeclaims", "data")

        def ask(size):
            body = {"spec": {"resources": {"requests": {"storage": size}}}}
            return space.api.request("PATCH", path, body, "application/merge-patch+json")

        def condition():
            return [each["type"] for each in stored(space, "data")["status"].get("conditions", [])]

        def refused(size, word):
            try:
                ask(size)
            except APIFailure as failure:
                expect_contains(str(failure), word, f"why {size} is refused")
            else:
                raise Failure(f"a size of {size} is accepted")

        refused("3Gi", "must support resize")
        kept = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "disk"},
                "provisioner": NAME, "allowVolumeExpansion": True}
        space.api.request("POST", "/apis/storage.k8s.io/v1/storageclasses", kept)
        ask("2Gi")
        eventually("the node's part is awaited", lambda: condition() == ["FileSystemResizePending"], 10)
        expect_equal(stored(space, "data")["status"]["capacity"]["storage"], "1Gi", "what it has until then")
        refused("512Mi", "can not be less than status.capacity")
        # Before a pod starts.
        space.create(user("holder", "echo there; sleep 100000 & wait"))
        space.wait_ready("holder", 60)
        expect_equal([call for call in driver.calls() if call.startswith("expand")],
                     [f"expand disk/disk {2 << 30} mounted"], "calls to expand")
        said = stored(space, "data")["status"]
        expect_equal((said["capacity"]["storage"], said.get("conditions", [])), ("2Gi", []), "what it has with its pod")
        # Under a running pod; a driver that cannot is asked again.
        (driver.place / "full").touch()
        ask("3Gi")
        expect_contains(space.wait_event("holder", "VolumeResizeFailed", 90), "no room for more", "what the pod's event says")
        expect_equal(condition(), ["FileSystemResizePending"], "what is pending while it cannot")
        (driver.place / "full").unlink()
        eventually("it has more", lambda: stored(space, "data")["status"]["capacity"]["storage"] == "3Gi", 90, 0.5)
        expect_equal(condition(), [], "what is pending then")
        expect_contains(driver.calls(), f"expand disk/disk {3 << 30} mounted", "the call under a running pod")
        expect_equal(space.pod("holder")["status"]["containerStatuses"][0]["restartCount"], 0, "restarts")
        space.wait_event("data", "FileSystemResizeSuccessful")
        space.delete("holder", grace=0)
        space.wait_gone("holder")


@case("what there is in a driver's volume is what the driver says, in the metrics and in the summary")
def statistics(world):
    with driven(world, "driver-statistics") as (node, space, driver):
        driver.stop()
        (driver.place / "capabilities").write_text("1 2")
        driver.start()
        described(space)
        bound(space)
        space.create(user("holder", "head -c 4096 /dev/zero >/data/file; sleep 100000 & wait"))
        space.wait_ready("holder", 60)
        labels = f'{{namespace="{space.name}",persistentvolumeclaim="data"}}'

        def told():
            lines = node.local("/metrics")[1].splitlines()
            found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("kubelet_volume_stats_"))
            return {name.removeprefix("kubelet_volume_stats_").removesuffix(labels): float(value) for name, value in found.items()}

        expected = {"capacity_bytes": 1 << 30, "available_bytes": (1 << 30) - 4096, "used_bytes": 4096, "inodes": 1000,
                    "inodes_free": 999, "inodes_used": 1}
        eventually("the metrics", lambda: told() == expected, 90, 1)
        pods = json.loads(node.local("/stats/summary")[1])["pods"]
        volumes = next(entry for entry in pods if entry["podRef"]["name"] == "holder")["volume"]
        data = next(entry for entry in volumes if entry["name"] == "data")
        expect_equal((data["usedBytes"], data["capacityBytes"], data["inodesUsed"]), (4096, 1 << 30, 1), "the summary's figures")
        expect_equal(data["pvcRef"], {"name": "data", "namespace": space.name}, "the summary's claim")
        expect_contains(driver.calls(), "measure disk/disk mounted", "the call to the driver")
        space.delete("holder", grace=0)
        space.wait_gone("holder")


@case("a node that joined an endpoint waits for the attachment of a driver's volume, and says that it has it as long as it does")
def joined(world):
    node = Agent(world, "joined-drivers", as_node=True).start()
    driver, space = Driver(node, world.temporary("joined-drivers")), world.space(node)
    try:
        driver.start()
        csi_node = f"/apis/storage.k8s.io/v1/csinodes/{node.name}"
        eventually("the node shows the driver", lambda: NAME in json.dumps(space.api.get("/apis/storage.k8s.io/v1/csinodes")), 20)
        expect_equal(space.api.get(csi_node)["spec"]["drivers"][0]["nodeID"], "this-node", "what the driver calls the node")
        described(space, attachRequired=True)
        bound(space)
        space.create(user("holder", "echo there; sleep 100000 & wait"))
        said = space.wait_event("holder", "FailedMount")
        expect_contains(said, "not found", "why it waits")
        expect_contains(said, "attachRequired: false", "what helps")
        expect_equal((driver.requests("NodeStageVolume"), in_use(node)), ([], []), "what is asked for before")
        path = "/apis/storage.k8s.io/v1/volumeattachments"
        name = space.api.request("POST", path, attachment(node))["metadata"]["name"]
        done = {"status": {"attached": True, "attachmentMetadata": {"device": "/dev/sdx"}}}
        space.api.request("PATCH", f"{path}/{name}/status", done, "application/merge-patch+json")
        space.wait_ready("holder", 60)
        expect_equal(driver.requests("NodeStageVolume")[-1]["publish_context"], {"device": "/dev/sdx"}, "what the driver hears")
        mine = [f"kubernetes.io/csi/{NAME}^disk/disk"]
        eventually("the volume is in use", lambda: in_use(node) == mine, 10)
        node.kill()
        node.start()
        eventually("the driver is heard again", lambda: driver.calls().count("registered") >= 2, 30)
        expect_equal(in_use(node), mine, "what is in use after the agent's death")
        space.delete("holder")
        space.wait_gone("holder", 60)
        eventually("the volume is in use no more", lambda: in_use(node) == [], 10)
    finally:
        space.clear()
        eventually("volumes are taken back", lambda: not list(node.root.glob("pods/*/volumes/*/.*.driver")), 10, 0.2)
        driver.stop()
        node.stop_all()
