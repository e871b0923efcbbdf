"""The agent killed at the steps by which a pod, or an image, is taken away: the next one ends the work, and takes nothing more."""

import contextlib
import pathlib

from cases.claims import claim, stored, stored_volume, volume
from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.deaths import Death
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import config_map, idle, mount, pod, secret

VOLUMES = "volumes/kubernetes.io~"
# What is mounted below a pod's directory, and must be unmounted there, whatever else is.
MOUNTS = (
    VOLUMES + "empty-dir/fast", VOLUMES + "secret/secret", VOLUMES + "projected/all", VOLUMES + "image/image",
    "volume-subpaths/empty/", "volume-subpaths/host/", "volume-subpaths/kept/",
)
# The agent unmounts volumes by descriptor.
DESCRIPTORS = [f"/proc/self/fd/{number}" for number in range(3, 300)]
# (step, call, which of the calls, relative to what or about what).
STEPS = [
    ("the first removal from the container's own files", "unlinkat", 1, "containers"),
    ("unmounting the sandbox's network", "umount2", 1, "sandboxes/net"),
    ("unmounting the sandbox's memory", "umount2", 1, "sandboxes/shm"),
    ("the first removal from an emptyDir", "unlinkat", 1, VOLUMES + "empty-dir/empty"),
    ("a later removal from an emptyDir", "unlinkat", 3, VOLUMES + "empty-dir/empty"),
    ("a removal deep in an emptyDir", "unlinkat", 1, VOLUMES + "empty-dir/empty/a"),
    ("the removal of an emptyDir", "unlinkat", 2, VOLUMES + "empty-dir"),
    ("the removal of a configMap's volume", "unlinkat", 1, VOLUMES + "configmap"),
    ("the removal of a secret's directory", "unlinkat", 1, VOLUMES + "secret"),
    ("the removal of a projected volume's directory", "unlinkat", 1, VOLUMES + "projected"),
    ("the removal of an image volume's directory", "unlinkat", 1, VOLUMES + "image"),
    ("the removal of the subPaths of an emptyDir", "unlinkat", 1, "volume-subpaths/empty/main"),
    ("the removal of the subPaths of a hostPath", "unlinkat", 1, "volume-subpaths/host/main"),
    ("the removal of the subPaths of a claim", "unlinkat", 1, "volume-subpaths/kept/main"),
    ("the first removal from the volumes", "unlinkat", 1, "volumes"),
    ("the last removal from the pod's directory", "unlinkat", 3, ""),
    ("the removal of the pod's directory", "unlinkat", 2, ".."),
]


class Kept:
    """What pods use and do not own: a directory of the host's, a volume of the cluster's, an image."""

    def __init__(self, world, node, space):
        self.node, self.space = node, space
        place = world.temporary("kept")
        self.host, self.data, self.last = place / "host", place / "data", place / "last"
        for directory in (self.host, self.data):
            (directory / "deep/deeper").mkdir(parents=True)
            (directory / "deep/deeper/file").write_text("kept\n")
            (directory / "link").symlink_to("deep/deeper")
        self.last.mkdir()
        layers = [*busybox_layer(), entry("data/text", b"image\n", 0o644)]
        self.image = "example.org/kept:1"
        archive = docker_archive(place / "kept.tar", self.image, layers)
        expect_equal(node.swiftlet("image", "import", str(archive)).returncode, 0, "image import")
        space.create(config_map("config", **{f"key-{number}": f"value {number}" for number in range(5)}))
        space.create(secret("secret", password="open sesame"))
        space.api.request("POST", "/api/v1/persistentvolumes", volume("kept", hostPath={"path": str(self.data)}))
        space.create(claim("kept", storageClassName="kept"))
        space.create(claim("made"))
        self.made = None

    def pod(self, name):
        """A pod with a volume of every kind, each with something in it that is the pod's own."""
        volumes = [
            {"name": "empty", "emptyDir": {}}, {"name": "fast", "emptyDir": {"medium": "Memory"}},
            {"name": "config", "configMap": {"name": "config"}}, {"name": "secret", "secret": {"secretName": "secret"}},
            {"name": "labels", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"name": "all", "projected": {"sources": [
                {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "config"}},
                {"secret": {"name": "secret"}}]}},
            {"name": "host", "hostPath": {"path": str(self.host), "type": "Directory"}},
            {"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}},
            {"name": "made", "persistentVolumeClaim": {"claimName": "made"}},
            {"name": "image", "image": {"reference": self.image, "pullPolicy": "Never"}},
        ]
        mounts = [mount(item["name"], f"/mnt/{item['name']}") for item in volumes]
        mounts += [
            mount("empty", "/srv/empty", subPath="part"), mount("host", "/srv/host", subPath="deep"),
            mount("kept", "/srv/kept", subPath="deep"), mount("config", "/srv/key", subPath="key-1"),
        ]
        main = idle(volumeMounts=mounts)
        script = (
            "mkdir -p /mnt/empty/a/b /mnt/fast/a; echo x >/mnt/empty/a/b/f; echo x >/mnt/fast/a/f; "
            f"ln -s {self.host} /mnt/empty/out; ln -s /mnt/host /mnt/fast/out; echo x >>/mnt/made/lines; touch /mnt/empty/ready; ")
        main["command"][2] = script + main["command"][2]
        return pod(name, main, volumes=volumes)

    def start(self, name):
        uid = self.space.create(self.pod(name))["metadata"]["uid"]
        self.space.wait_ready(name, 30)
        place = self.node.root / "pods" / uid
        eventually("the pod's files", (place / "volumes/kubernetes.io~empty-dir/empty/ready").exists)
        if self.made is None:
            made = stored_volume(self.space, stored(self.space, "made")["spec"]["volumeName"])
            self.made = pathlib.Path(made["spec"].get("hostPath", made["spec"].get("local"))["path"])
        return place

    def check(self, pods):
        """Nothing is missing of what is not the pods' own; `pods` is how many have written to the claim."""
        for directory in (self.host, self.data):
            expect_equal((directory / "deep/deeper/file").read_text(), "kept\n", f"a file of {directory.name}")
            names = sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
            expect_equal(names, ["deep", "deep/deeper", "deep/deeper/file", "link"], f"what is in {directory.name}")
        expect_equal((self.made / "lines").read_text(), "x\n" * pods, "what the pods have written to their claim")
        # The API may answer before the local verbs do.
        eventually("the node listens", lambda: self.node.swiftlet("image", "ls").returncode == 0)
        result = self.node.swiftlet("image", "verify", self.image)
        expect(result.returncode == 0 and "damaged" not in result.stdout, f"image verify: {result.stdout}{result.stderr}")


def mounts_below(place):
    return [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if f"{place}" in line]


def paths(node, place, about):
    """What a step is about, for the pod whose directory is `place`, the only one of the node."""
    if about == "containers":
        return list((node.root / "containers").glob("*"))
    if about.startswith("sandboxes/"):
        return list((node.run / "sandboxes").glob("*/" + about.removeprefix("sandboxes/")))
    return [place.parent if about == ".." else place / about]


@case("killed at every unmount and at named removals of a pod's teardown, the agent ends it when it comes back and takes nothing else")
def pods(world):
    node = world.new_node("teardown").start()
    space = world.space(node)
    kept = Kept(world, node, space)
    directory = world.temporary("deaths")
    number, left = 0, []

    def once(step, call, count, about):
        """Whether the agent died at the step."""
        nonlocal number
        number += 1
        name = f"pod-{number}"
        place = kept.start(name)
        with Death(node, directory, call, count, about if isinstance(about, list) else paths(node, place, about)) as death:
            # The API ends with the agent, now and then before it has answered.
            with contextlib.suppress(ConnectionError):
                space.delete(name, grace=0)
            eventually("the agent dies or the pod is gone", lambda: death.happened or not place.exists(), 20, 0.01)
        died = death.happened
        if died:
            left.append(mounts_below(place))
            node.kill()
            node.start()
        space.wait_gone(name, 30)
        eventually(f"the pod's directory is gone after death at {step}", lambda: not place.exists())
        expect_equal(mounts_below(place), [], f"mounts after death at {step} ({death.call_it_died_at()})")
        kept.check(number)
        return died

    while once(f"unmount {len(left) + 1} of the pod's", "umount2", len(left) + 1, DESCRIPTORS):
        pass
    counts = [len(mounts) for mounts in left]
    expect_equal(counts, list(range(len(left), 0, -1)), "mounts that were left after the deaths, one by one")
    for kind in MOUNTS:
        expect(any(f"/{kind}" in mount for mount in left[0]), f"no mount of {kind}: {left[0]}")
    print(f"# {len(left)} deaths before an unmount", flush=True)
    missed = [step for step, *rest in STEPS if not once(step, *rest)]
    expect_equal(missed, [], "steps that the agent does not take, or takes by another call")
    print(f"# {len(STEPS)} deaths at named steps", flush=True)
    node.stop_all()


@case("killed at every step of an image's removal, the agent has it whole or not at all, and its neighbour's layers stay")
def images(world):
    node = world.new_node("removal").start()
    directory = world.temporary("image-deaths")
    base = busybox_layer()

    def archive(name, *layers):
        return docker_archive(directory / f"{name}.tar", f"example.org/{name}:1", base, *layers)

    def run(*arguments):
        result = node.swiftlet("image", *arguments)
        expect_equal(result.returncode, 0, f"image {' '.join(arguments)}: {result.stderr}")
        return result.stdout

    files = [entry("d", kind=b"5"), *(entry(f"d/f{number}", b"x" * 5000, 0o644) for number in range(3))]
    neighbour, going = archive("neighbour", [entry("n", b"n", 0o644)]), archive("going", files, [entry("top", b"t", 0o644)])
    store = node.root / "images"

    def stored():
        return {path for kind in ("layers", "blobs/sha256", "images") for path in (store / kind).iterdir()}

    def once(step, call, number=1, about=()):
        """Whether the agent died at the step."""
        run("import", str(going))
        # Nothing else is to be written meanwhile.
        eventually("every layer has its seal", lambda: all("seal" in file.read_text() for file in store.glob("layers/*/layer.json")))
        with Death(node, directory, call, number, about) as death:
            # Its answer may never come: the agent is dead.
            removal = node.swiftlet("image", "rm", "example.org/going:1")
            if removal.returncode != 0:
                eventually("the agent dies", lambda: death.happened, 10)
        died = death.happened
        if died:
            node.kill()
            node.start()
            # The API may answer before the local verbs do.
            eventually("the node listens", lambda: node.swiftlet("image", "ls").returncode == 0)
        listed, verified = run("ls"), run("verify")
        expect_contains(listed, "example.org/neighbour:1", f"image ls after death at {step}")
        expect("damaged" not in verified, f"image verify after death at {step}: {verified}")
        if "example.org/going:1" in listed:
            run("rm", "example.org/going:1")
        expect_equal(stored(), before, f"what is stored after death at {step} ({death.call_it_died_at()})")
        return died

    run("import", str(neighbour))
    before = stored()
    run("import", str(going))
    own = stored() - before
    expect_equal(len(own), 4, f"what the image has for itself, of {own}")
    run("rm", "example.org/going:1")
    # strace looks at the first path only.
    steps = [("the index", "rename", store / "index.json.tmp")]
    steps += [(f"{path.parent.name} {path.name}", "rename" if path.parent.name == "layers" else "unlink", path) for path in own]
    missed = [step for step, call, path in steps if not once(step, call, 1, [path])]
    expect_equal(missed, [], "steps that the agent does not take, or takes by another call")
    removals = 0
    while removals < 100 and once(f"removal {removals + 1} from a layer", "unlinkat", removals + 1):
        removals += 1
    print(f"# {len(steps)} deaths at named steps, {removals} at removals from layers", flush=True)
    expect(10 <= removals < 100, f"{removals} removals are not those of its layers")
    node.stop_all()
