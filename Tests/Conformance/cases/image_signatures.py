"""Images that must prove where they come from: digests and cosign signatures asked for by the node's policy."""

import base64
import hashlib
import json
import subprocess
import tarfile

from cases.registry import archive, running, says
from rig.archives import busybox_layer, docker_archive
from rig.case import case
from rig.expectation import eventually, expect_contains, expect_equal
from rig.node import EVERYTHING
from rig.pods import mount, pod, shell
from rig.registry import Registry, run

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
REFUSED = "SignatureValidationFailed"


def keys(place, name):
    """A key pair of openssl's, P-256 as cosign's are: the private file, the public text."""
    private, public = place / f"{name}.key", place / f"{name}.pub"
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(private))
    run("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public))
    return private, public.read_text()


def put_blob(registry, repository, data):
    """Puts a blob into the registry and gives its descriptor."""
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with registry.request("POST", f"/v2/{repository}/blobs/uploads/") as answer:
        place = answer.headers["Location"]
    place = place.split(registry.host, 1)[-1]
    mark = "&" if "?" in place else "?"
    registry.request("PUT", f"{place}{mark}digest={digest}", data, "application/octet-stream").close()
    return {"digest": digest, "size": len(data)}


def sign(registry, name, private, reference=None, digest=None):
    """Does what `cosign sign --key` does: a manifest of signatures under a tag of the image's own digest."""
    repository = name.split(":")[0]
    image = registry.digest(name)
    payload = json.dumps({
        "critical": {
            "identity": {"docker-reference": reference or f"{registry.host}/{repository}"},
            "image": {"docker-manifest-digest": digest or image},
            "type": "cosign container image signature",
        },
        "optional": None,
    }).encode()
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(private)], input=payload, check=True, capture_output=True, timeout=60,
    ).stdout
    layer = {
        "mediaType": PAYLOAD, **put_blob(registry, repository, payload),
        "annotations": {"dev.cosignproject.cosign/signature": base64.b64encode(signature).decode()},
    }
    config = {"mediaType": CONFIG, **put_blob(registry, repository, b"{}")}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}).encode()
    tag = image.replace("sha256:", "sha256-") + ".sig"
    registry.request("PUT", f"/v2/{repository}/manifests/{tag}", manifest, MANIFEST).close()


def policy(*images):
    """The cases' own policy, and what images must prove; JSON is YAML."""
    return EVERYTHING + "images: " + json.dumps(list(images)) + "\n"


def node_of(world, name, place, registry, *images):
    file = place / "registries.yaml"
    file.write_text(json.dumps({"registries": [{"host": registry.host, "plainHTTP": True}]}))
    return world.new_node(name, more=["--registries", str(file)], policy=policy(*images))


def layers(node):
    return sum(1 for each in (node.root / "images" / "layers").iterdir())


@case("images whose names ask for a signature run with one of the key's, and without it nothing of them is unpacked")
def signed(world):
    place = world.temporary("signatures")
    private, public = keys(place, "trusted")
    stranger, _ = keys(place, "stranger")
    with Registry(place / "registry") as registry:
        good = registry.push(archive(place, "good", "good"), "team/good:1")
        sign(registry, "team/good:1", private)
        free = registry.push(archive(place, "free", "free"), "other/free:1")
        node = node_of(world, "signatures", place, registry, {"pattern": f"{registry.host}/team/*", "keys": [public]})
        refused = {
            "unsigned": ("has no signatures", lambda name: None),
            "stranger": ("none of the keys has made any of them", lambda name: sign(registry, name, stranger)),
            "renamed": (
                "a signature is for the name", lambda name: sign(registry, name, private, f"{registry.host}/team/good"),
            ),
            "other": (
                "a signature is over",
                lambda name: sign(registry, name, private, digest=registry.digest("team/good:1")),
            ),
        }
        with node.running():
            space = world.space(node)
            for name, (reason, prepare) in refused.items():
                image = registry.push(archive(place, name, name), f"team/{name}:1")
                prepare(f"team/{name}:1")
                running(space, name, image)
            for name, (reason, _) in refused.items():
                state = space.wait_waiting(name, (REFUSED, "ImagePullBackOff"), 30)
                expect_contains(state["message"], reason, f"the message of {name}")
                expect_contains(space.wait_event(name, "Failed", 20), reason, f"the event of {name}")
            expect_equal(layers(node), 0, "layers of images that were refused")
            running(space, "good", good)
            says(space, "good", "good")
            running(space, "free", free)
            says(space, "free", "free")
            byhand = node.swiftlet("image", "pull", f"{registry.host}/team/unsigned:1")
            expect_equal(byhand.returncode, 1, "image pull of an image without a signature")
            expect_contains(byhand.stderr, "has no signatures", "what image pull says")


@case("what is on the node already must prove it, too: an imported image by its digest, a pulled one anew under another policy")
def present(world):
    place = world.temporary("digests")
    private, public = keys(place, "trusted")
    with Registry(place / "registry") as registry:
        late = registry.push(archive(place, "late", "late"), "team/late:1")
        listed = docker_archive(place / "listed.tar", "example.org/listed:1", busybox_layer(), Cmd=["/bin/true"])
        other = docker_archive(
            place / "other.tar", "example.org/other:1", busybox_layer(), Cmd=["/bin/true"], Labels={"a": "b"})
        node = node_of(world, "digests", place, registry)
        with node.running():
            space = world.space(node)
            for file in (listed, other):
                expect_equal(node.swiftlet("image", "import", str(file)).returncode, 0, f"image import of {file.name}")
            with tarfile.open(listed) as members:
                identity = "sha256:" + hashlib.sha256(members.extractfile("config.json").read()).hexdigest()
            running(space, "before", late, "IfNotPresent")
            says(space, "before", "late")
            node.policy.write_text(policy(
                {"pattern": "example.org/*", "digests": [identity]},
                {"pattern": f"{registry.host}/*", "keys": [public]},
            ))
            eventually("the policy is read", lambda: node.output.read_text().count("node policy read") > 0, 20)

            def user(name, image):
                volumes = [{"name": "files", "image": {"reference": image, "pullPolicy": "Never"}}]
                space.create(pod(name, shell("cat /files/etc/passwd", volumeMounts=[mount("files", "/files")]), volumes=volumes))

            running(space, "after", late, "IfNotPresent")
            running(space, "never", late, "Never")
            user("unlisted", "example.org/other:1")
            user("listed", "example.org/listed:1")
            space.wait_waiting("after", (REFUSED, "ImagePullBackOff"), 30)
            for name in ("never", "unlisted"):
                state = space.wait_waiting(name, REFUSED, 30)
                expect_contains(state["message"], "the node's policy", f"the message of {name}")
            expect_contains(space.finished_log("listed"), "root:x:0:0", "the image volume whose image is listed")
            sign(registry, "team/late:1", private)
            running(space, "proven", late, "IfNotPresent")
            says(space, "proven", "late")
            # The proof is kept with the image: it is asked for once.
            registry.stop()
            running(space, "again", late, "IfNotPresent")
            says(space, "again", "late")
