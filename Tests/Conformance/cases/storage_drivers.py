"""Volumes of storage drivers (CSI): a real driver registers, stages, publishes, and is asked to take it all back."""

import contextlib
import pathlib
import subprocess

from cases.claims import claim, stored, stored_volume, volume
from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
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
            driver.stop()


def attached(space, name, **source):
    reference = {"name": "keys", "namespace": space.name}
    fields = {"driver": NAME, "volumeHandle": f"disk/{name}", "volumeAttributes": {"color": "green"}} | source
    return volume(name, csi=dict(fields, nodeStageSecretRef=reference))


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

        bringing("stray", {"driver": "nobody.example.org"})
        expect_contains(space.wait_event("stray", "FailedMount"), "not found in the list of registered", "without a driver")
        (driver.place / "broken").touch()
        bringing("own", {"driver": NAME, "volumeAttributes": {"color": "blue"}})
        expect_contains(space.wait_event("own", "FailedMount"), "broken on purpose", "while it refuses")
        (driver.place / "broken").unlink()
        space.wait_ready("own", 60)
        calls = [call.split() for call in driver.calls() if call.startswith("publish")]
        expect_equal(calls[-1][2:], ["blue", "own"], "what the driver hears of the pod")
        expect(not any(call.startswith("stage") for call in driver.calls()), "an inline volume is staged")
        space.delete("own")
        space.wait_gone("own")
        eventually("it is taken back", lambda: any(call.startswith("unpublish") for call in driver.calls()), 30)
        space.delete("stray", grace=0)
        space.wait_gone("stray")
