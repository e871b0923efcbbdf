"""Images whose every byte is known, and a registry that serves them."""

import functools
import gzip
import hashlib
import http.server
import json
import os
import random
import threading

from rig.archives import docker_archive, entry, tar

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Image:
    """An image of numbered layers: `contents` are its layers' files by name, `chain` the names of the layers' directories."""

    def __init__(self, place, name, numbers):
        self.name = name
        self.contents = [files(number) for number in numbers]
        layers = [[entry(path, data, 0o644) for path, data in content.items()] for content in self.contents]
        blobs = [tar(layer) for layer in layers]
        # Two images may have a name one after the other.
        archive = place / f"{'-'.join(map(str, numbers))}.tar"
        self.archive = docker_archive(archive, name, *layers, Labels={"image": name})
        self.chain = []
        for blob in blobs:
            digest = "sha256:" + hashlib.sha256(blob).hexdigest()
            if self.chain:
                digest = "sha256:" + hashlib.sha256(f"sha256:{self.chain[-1]} {digest}".encode()).hexdigest()
            self.chain.append(digest.removeprefix("sha256:"))
        self.config = configuration(self.archive)
        self.id = "sha256:" + hashlib.sha256(self.config).hexdigest()
        self.blobs = {self.id: self.config}
        packed = [gzip.compress(blob, 1, mtime=0) for blob in blobs]
        descriptors = []
        for blob in packed:
            digest = "sha256:" + hashlib.sha256(blob).hexdigest()
            self.blobs[digest] = blob
            descriptors.append({"mediaType": LAYER, "size": len(blob), "digest": digest})
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": descriptors,
            "config": {"mediaType": CONFIG, "size": len(self.config), "digest": self.id},
        }).encode()

    def holds(self, block):
        """Whether these bytes are a part of a large file of it."""
        return any(block in data for content in self.contents for data in content.values() if len(data) >= 1 << 20)


@functools.cache
def files(number):
    """What the layer of this number holds: one large file that does not compress, and many small ones."""
    chance = random.Random(number)
    found = {f"large-{number}": chance.randbytes((1 + number % 3) << 20)}
    for index in range(60):
        found[f"small-{number}-{index}"] = chance.randbytes(chance.randrange(6000))
    return found


def configuration(archive):
    """The bytes of the image's configuration in its archive."""
    import tarfile  # pylint: disable=import-outside-toplevel
    with tarfile.open(archive) as opened:
        return opened.extractfile("config.json").read()


class Registry:
    """Serves images over plain HTTP on loopback."""

    def __init__(self):
        self.blobs, self.manifests = {}, {}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers GET and HEAD of manifests and blobs."""

            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                self.answer(True)

            def do_HEAD(self):  # pylint: disable=invalid-name
                self.answer(False)

            def answer(self, has_body):
                repository, _, rest = self.path.removeprefix("/v2/").partition("/manifests/")
                body, kind = registry.manifests.get((repository, rest)), MANIFEST
                if body is None:
                    body, kind = registry.blobs.get(self.path.rpartition("/")[2]), "application/octet-stream"
                if self.path == "/v2/":
                    body = b"{}"
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if has_body:
                    self.wfile.write(body or b"")

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 5000), Handler)
        self.host = "127.0.0.1:5000"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, image):
        self.blobs.update(image.blobs)
        repository, tag = image.name.removeprefix(self.host + "/").rsplit(":", 1)
        self.manifests[repository, tag] = image.manifest
        self.manifests[repository, "sha256:" + hashlib.sha256(image.manifest).hexdigest()] = image.manifest
