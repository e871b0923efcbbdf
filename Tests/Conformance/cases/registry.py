"""Images from a real registry: pulled by pods and by hand, private ones, moved tags, broken pulls."""

import contextlib
import os

from rig.archives import busybox_layer, docker_archive, entry
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import pod
from rig.registry import Registry, pull_secret, pulling_node
from rig.space import container_status


def archive(place, name, text, *layers, **fields):
    """An image whose only program prints the text and stays."""
    hello = [entry("hello", text.encode() + b"\n", 0o644)]
    return docker_archive(
        place / f"{name}.tar", "example.org/x:1", busybox_layer(), hello, *layers,
        Cmd=["/bin/sh", "-c", "cat /hello; trap 'exit 0' TERM; while sleep 0.1; do :; done"], **fields,
    )


def running(space, name, image, policy=None, **spec):
    """Creates a pod of the image."""
    container = {"name": "main", "image": image}
    if policy:
        container["imagePullPolicy"] = policy
    return space.create(pod(name, container, **spec))


def says(space, name, text):
    space.wait_ready(name, 30)
    eventually(f"the log of {name}", lambda: space.log(name) == text + "\n", 10)


def reasons(space, name):
    return {reason for reason, _ in space.events(name)}


@contextlib.contextmanager
def setting(world, name, secure=False):
    """A registry, a node that may pull from it, and a namespace there."""
    place = world.temporary(name)
    with Registry(place / "registry", secure) as registry, pulling_node(world, name, registry) as node:
        yield place, registry, node, world.space(node)


@case("pods pull gzip and zstd images, by tag and by digest, each policy does as it says, and a tag may move")
def policies(world):
    with setting(world, "pulls") as (place, registry, node, space):
        packed = registry.push(archive(place, "packed", "packed"), "team/packed:1", "--format", "oci", compression="zstd")
        image = registry.push(archive(place, "one", "one"), "team/app:1")
        running(space, "first", image, "IfNotPresent")
        says(space, "first", "one")
        expect_contains(space.wait_event("first", "Pulling"), f'Pulling image "{image}"', "event Pulling")
        expect_contains(
            space.wait_event("first", "Pulled"), f'Successfully pulled image "{image}" in ', "event Pulled"
        )
        running(space, "packed", packed)
        says(space, "packed", "packed")
        running(space, "pinned", f"{registry.host}/team/app@{registry.digest('team/app:1')}")
        says(space, "pinned", "one")
        registry.push(archive(place, "two", "two"), "team/app:1")
        running(space, "kept", image, "IfNotPresent")
        says(space, "kept", "one")
        expect_contains(space.wait_event("kept", "Pulled"), "already present on machine", "event Pulled of kept")
        running(space, "fresh", image, "Always")
        says(space, "fresh", "two")
        result = node.swiftlet("image", "pull", image)
        expect_equal(result.returncode, 0, f"image pull: {result.stderr}")
        expect_contains(result.stdout, "up to date", "image pull of what is there")
        registry.stop()
        running(space, "offline", image, "IfNotPresent")
        says(space, "offline", "two")
        running(space, "always", image, "Always")
        state = space.wait_waiting("always", ("ErrImagePull", "ImagePullBackOff"), 30)
        expect_contains(state["message"], "cannot connect", "the message with the registry down")
        result = node.swiftlet("image", "pull", image)
        expect_equal(result.returncode, 1, "image pull with the registry down")
        expect_equal(len(result.stderr.strip().splitlines()), 1, f"lines of the error: {result.stderr}")


@case("a private image needs the pod's secret: ErrImagePull, then ImagePullBackOff, then it runs once the secret is right")
def private(world):
    with setting(world, "private", secure=True) as (place, registry, node, space):
        image = registry.push(archive(place, "secret", "private"), "team/private:1")
        space.create(pull_secret("wrong", registry.host, password="guess"))
        running(space, "wrong", image, imagePullSecrets=[{"name": "wrong"}])
        state = space.wait_waiting("wrong", "ErrImagePull", 30)
        expect_contains(state["message"], "401", "the message of a wrong password")
        state = space.wait_waiting("wrong", "ImagePullBackOff", 20)
        expect_contains(state["message"], f'Back-off pulling image "{image}": ErrImagePull: ', "the message in back-off")
        # Put right at once, it is found right by the next try.
        space.delete("wrong", plural="secrets")
        space.create(pull_secret("wrong", registry.host))
        expect("correct-horse" not in node.output.read_text() and "guess" not in node.output.read_text(), "a password is in the log")
        space.create(pull_secret("right", registry.host))
        running(space, "right", image, imagePullSecrets=[{"name": "right"}])
        says(space, "right", "private")
        running(space, "thief", image, "IfNotPresent")
        space.wait_waiting("thief", ("ErrImagePull", "ImagePullBackOff"), 30)
        running(space, "never", image, "Never")
        space.wait_waiting("never", "ErrImageNeverPull")
        running(space, "lost", image, imagePullSecrets=[{"name": "absent"}])
        expect_contains(space.wait_event("lost", "FailedToRetrieveImagePullSecret"), "absent", "the event")
        says(space, "wrong", "private")
        expect({"Pulling", "Pulled", "Failed", "BackOff"} <= reasons(space, "wrong"), f"events: {space.events('wrong')}")


@case("an index of several platforms gives this machine's image")
def platforms(world):
    with setting(world, "platforms") as (place, registry, node, space):
        registry.push(archive(place, "mine", "mine"), "team/app:mine")
        registry.push(archive(place, "other", "other"), "team/app:other")
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        registry.put_index("team/app", "all", [("other", "mips64le"), ("mine", machine)])
        running(space, "choice", f"{registry.host}/team/app:all")
        says(space, "choice", "mine")


@case("kill -9 of the agent in the middle of a pull leaves nothing half, and the pod runs after it")
def killed(world):
    with setting(world, "killed") as (place, registry, node, space):
        # Bytes that do not compress, so that there is a middle.
        noise = [[entry(f"noise-{index}", os.urandom(24 << 20), 0o644)] for index in range(3)]
        image = registry.push(archive(place, "large", "large", *noise), "team/large:1")
        running(space, "large", image)
        layers = node.root / "images" / "layers"
        eventually("a layer is being unpacked", lambda: any(layers.glob(".staging-*")), 20, 0.005)
        node.kill()
        expect(not any((node.root / "images" / "images").glob("*.json")), "an image is recorded before it is whole")
        node.start()
        says(space, "large", "large")
        eventually("no staging is left", lambda: not any(layers.glob(".staging-*")), 10)
        listed = node.swiftlet("image", "ls").stdout
        expect_contains(listed, f"{registry.host}/team/large:1", "image ls")
        expect_equal(container_status(space.pod("large"))["restartCount"], 0, "restarts")
