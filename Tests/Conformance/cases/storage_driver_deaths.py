"""The agent, or a storage driver (CSI), killed at every step of a volume's way to a pod and back: whoever comes next ends the work, in
the order that CSI asks for, and leaves nothing staged or published."""

import json
import pathlib

from cases.claims import claim, stored
from cases.storage_drivers import NAME, attached, driven
from rig.case import case
from rig.deaths import Death
from rig.expectation import eventually, expect, expect_equal
from rig.pods import mount, pod, secret, shell

STAGE, PUBLISH, UNPUBLISH, UNSTAGE = "NodeStageVolume", "NodePublishVolume", "NodeUnpublishVolume", "NodeUnstageVolume"
# (what, the call that is held and where, the agent's own system call that it dies at once that call goes on, about what): without a
# system call it dies while the driver holds the call.
COMING = [
    ("in the call to stage, before the driver has done anything", STAGE, "begin", None, None),
    ("in the call to stage, after the driver has done it", STAGE, "end", None, None),
    ("after it has heard that the volume is staged, about to ask for its publishing", STAGE, "end", "connect", None),
    ("in the call to publish, before the driver has done anything", PUBLISH, "begin", None, None),
    ("in the call to publish, when it is mounted but not read-only yet", PUBLISH, "middle", None, None),
    ("in the call to publish, after the driver has done it", PUBLISH, "end", None, None),
    ("after it has heard that the volume is published", PUBLISH, "end", "mkdir", None),
]
GOING = [
    ("in the call to unpublish, before the driver has done anything", UNPUBLISH, "begin", None, None),
    ("in the call to unpublish, after the driver has done it", UNPUBLISH, "end", None, None),
    ("after it has heard that the volume is unpublished, about to have it unstaged", UNPUBLISH, "end", "connect", None),
    ("in the call to unstage, before the driver has done anything", UNSTAGE, "begin", None, None),
    ("in the call to unstage, after the driver has done it", UNSTAGE, "end", None, None),
    ("after it has heard that the volume is unstaged", UNSTAGE, "end", "rmdir", "staging"),
    ("about to forget the volume that is unstaged", UNSTAGE, "end", "unlink", "record"),
]


class Volume:
    """A driver's volume that is for one pod after the other, read-only, and what the driver was asked for it."""

    def __init__(self, node, space, driver):
        self.node, self.space, self.driver = node, space, driver
        self.number = 0
        kept = driver.place / "volumes/disk/disk"
        kept.mkdir(parents=True)
        (kept / "file").write_text("kept\n")
        space.create(secret("keys", key="sesame"))
        space.api.request("POST", "/api/v1/persistentvolumes", attached(space, "disk"))
        space.create(claim("data", storageClassName="disk"))
        eventually("the claim is bound", lambda: stored(space, "data")["status"]["phase"] == "Bound", 10)

    def steps(self):
        try:
            return [json.loads(line) for line in (self.driver.place / "steps").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def create(self):
        """A pod that is ready only if the volume is there as it should be; gives its directory."""
        self.number += 1
        script = "grep -q kept /data/file && ! touch /data/x 2>/dev/null && touch /ready; trap 'exit 0' TERM; sleep 100000 & wait"
        main = shell(script, volumeMounts=[mount("data", "/data")])
        main["readinessProbe"] = {"exec": {"command": ["/bin/test", "-e", "/ready"]}, "periodSeconds": 1}
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}]
        uid = self.space.create(pod(self.name, main, volumes=volumes))["metadata"]["uid"]
        return self.node.root / "pods" / uid

    @property
    def name(self):
        return f"pod-{self.number}"

    def hold(self, call, step):
        """Has the next such call wait; gives what ends the waiting, and what waits until a call waits."""
        file, before = self.driver.place / f"hold-{call}-{step}", len(self.steps())
        file.touch()

        def reached():
            return any(line["call"] == call and line["step"] == step for line in self.steps()[before:])

        return file, lambda: eventually(f"{call} waits at its {step}", reached, 30, 0.01)

    def about(self, what, place):
        """The path that a system call is about."""
        if what == "staging":
            return [next((self.node.root / "plugins/kubernetes.io/csi" / NAME).glob("*/globalmount"))]
        if what == "record":
            return [next(place.glob("volumes/*/.*.driver"))]
        return []

    def wait_ready(self, what):
        self.space.wait_ready(self.name, 60)
        expect_equal(Order().follow(self.steps()).unfinished(), [], f"what the driver was never done with after death {what}")

    def check_gone(self, place, what):
        """Nothing is left of the pod, its volume is neither staged nor published, and no call came out of order."""
        self.space.wait_gone(self.name, 60)
        eventually(f"the pod's directory is gone after death {what}", lambda: not place.exists(), 30)
        places = (str(self.node.root / "pods"), str(self.node.root / "plugins"))
        below = [mounted for mounted in mount_table() if mounted.startswith(places)]
        expect_equal(below, [], f"the driver's mounts after death {what}")
        staging = list((self.node.root / "plugins/kubernetes.io/csi").glob("*/*"))
        expect_equal(staging, [], f"staging directories after death {what}")
        expect_equal(Order().follow(self.steps()).left(), [], f"what the driver still has after death {what}")
        kept = self.driver.place / "volumes/disk/disk"
        expect_equal([path.name for path in kept.iterdir()], ["file"], "what is on the volume")
        expect_equal((kept / "file").read_text(), "kept\n", "what the volume keeps")


def mount_table():
    lines = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line.split()[4] for line in lines]


class Order:
    """What CSI says of the order of calls: staged before published, unpublished before unstaged, the same again at any time."""

    def __init__(self):
        self.staged, self.published, self.finished = {}, set(), set()

    def follow(self, steps):
        for line in steps:
            call, step, handle, staging, target = (line[key] for key in ("call", "step", "handle", "staging", "target"))
            if (call, step) == (STAGE, "begin"):
                expect(self.staged.get(handle, staging) == staging, f"staged in two places: {line}")
            elif (call, step) == (STAGE, "end"):
                self.staged[handle] = staging
            elif (call, step) == (PUBLISH, "begin"):
                expect(self.staged.get(handle) == staging, f"published before it was staged: {line}")
                self.published.add((handle, target))
            elif (call, step) == (PUBLISH, "end"):
                self.finished.add((handle, target))
            elif (call, step) == (UNPUBLISH, "end"):
                self.published.discard((handle, target))
            elif (call, step) == (UNSTAGE, "begin"):
                expect(not any(of == handle for of, _ in self.published), f"unstaged before it was unpublished: {line}")
                self.staged.pop(handle, None)
        return self

    def unfinished(self):
        return sorted(map(str, self.published - self.finished))

    def left(self):
        return sorted(map(str, [*self.staged.items(), *self.published]))


def die(volume, directory, place, call, step, own, about, change):
    """Kills the agent there, after `change` has set things going."""
    held, wait = volume.hold(call, step)
    change()
    wait()
    if own is None:
        volume.node.kill()
        held.unlink()
    else:
        with Death(volume.node, directory, own, 1, volume.about(about, place())) as death:
            held.unlink()
            eventually(f"the agent dies at {own}", lambda: death.happened, 20, 0.01)
        volume.node.kill()
    volume.node.start()


@case("killed at every step of a volume's way through stage and publish and back, the agent ends it, in order, and leaves nothing")
def agents(world):
    with driven(world, "driver-deaths") as (node, space, driver):
        volume = Volume(node, space, driver)
        directory = world.temporary("agent-deaths")
        for what, call, step, own, about in COMING:
            places = []
            die(volume, directory, lambda: places[0], call, step, own, about, lambda: places.append(volume.create()))
            volume.wait_ready(what)
            space.delete(volume.name)
            volume.check_gone(places[0], what)
        for what, call, step, own, about in COMING:
            # It comes back to a pod that is to go.
            places = []
            die(volume, directory, lambda: places[0], call, step, own, about, lambda: places.append(volume.create()))
            space.delete(volume.name, grace=0)
            volume.check_gone(places[0], f"and deletion {what}")
        for what, call, step, own, about in GOING:
            place = volume.create()
            space.wait_ready(volume.name, 60)
            die(volume, directory, lambda: place, call, step, own, about, lambda: space.delete(volume.name))
            volume.check_gone(place, what)
        print(f"# {2 * len(COMING) + len(GOING)} deaths of the agent", flush=True)


@case("a driver that dies in the midst of any call and comes back is asked again, in order, and ends with nothing")
def drivers(world):
    with driven(world, "dying-drivers") as (node, space, driver):
        volume = Volume(node, space, driver)

        def die_in(call, step, change):
            held, wait = volume.hold(call, step)
            change()
            wait()
            driver.stop()
            held.unlink()
            driver.start()

        steps = [(STAGE, "begin"), (STAGE, "end"), (PUBLISH, "begin"), (PUBLISH, "middle"), (PUBLISH, "end")]
        for call, step in steps:
            places = []
            die_in(call, step, lambda: places.append(volume.create()))
            volume.wait_ready(f"of the driver in {call} at its {step}")
            space.delete(volume.name)
            volume.check_gone(places[0], f"of the driver in {call} at its {step}")
        for call in (UNPUBLISH, UNSTAGE):
            for step in ("begin", "end"):
                place = volume.create()
                space.wait_ready(volume.name, 60)
                die_in(call, step, lambda: space.delete(volume.name))
                volume.check_gone(place, f"of the driver in {call} at its {step}")
        print(f"# {len(steps) + 4} deaths of the driver", flush=True)
