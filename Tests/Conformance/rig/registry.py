"""A real registry: Debian's docker-registry, with or without TLS and passwords, and what is pushed to it."""

import base64
import contextlib
import hashlib
import json
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.request

from rig.expectation import Skipped, eventually
from rig.node import free_port

USER, PASSWORD = "ann", "correct-horse"


def require(*programs):
    """Skips the case where one of them is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")


def run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


class Registry:
    """One registry on loopback; `secure`: with TLS, and with one user."""

    def __init__(self, directory, secure=False):
        require("docker-registry", "skopeo", "openssl", "htpasswd")
        self.directory = directory
        self.secure = secure
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.process = None
        directory.mkdir(parents=True)
        self.authority = directory / "ca.pem"
        settings = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(directory / "data")}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
        }
        if secure:
            key, certificate = directory / "key.pem", directory / "cert.pem"
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate))
            shutil.copy(certificate, self.authority)
            users = directory / "htpasswd"
            run("htpasswd", "-Bbc", str(users), USER, PASSWORD)
            settings["http"]["tls"] = {"certificate": str(certificate), "key": str(key)}
            settings["auth"] = {"htpasswd": {"realm": "test", "path": str(users)}}
        self.settings = directory / "config.yml"
        self.settings.write_text(json.dumps(settings))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with open(self.directory / "log", "ab") as output:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", str(self.settings)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )
        eventually("the registry listens", self.listens, 20)
        return self

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def push(self, archive, name, *options, compression="gzip"):
        """Puts an archive of docker's format into the registry; returns `host/name`."""
        flags = ["--dest-tls-verify=false", "--dest-compress-format", compression]
        if self.secure:
            flags += ["--dest-creds", f"{USER}:{PASSWORD}"]
        run("skopeo", "copy", "--quiet", "--insecure-policy", *flags, *options, f"docker-archive:{archive}",
            f"docker://{self.host}/{name}")
        return f"{self.host}/{name}"

    def digest(self, name):
        """The digest of a tag's manifest."""
        repository, tag = name.rsplit(":", 1)
        with self.request("GET", f"/v2/{repository}/manifests/{tag}") as answer:
            return "sha256:" + hashlib.sha256(answer.read()).hexdigest()

    def put_index(self, repository, tag, entries):
        """An index of (tag, architecture) pairs under a tag of its own."""
        manifests = []
        for name, architecture in entries:
            with self.request("GET", f"/v2/{repository}/manifests/{name}") as answer:
                body, kind = answer.read(), answer.headers["Content-Type"]
            manifests.append({
                "mediaType": kind, "size": len(body), "digest": "sha256:" + hashlib.sha256(body).hexdigest(),
                "platform": {"os": "linux", "architecture": architecture},
            })
        kind = "application/vnd.docker.distribution.manifest.list.v2+json"
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
        self.request("PUT", f"/v2/{repository}/manifests/{tag}", json.dumps(index).encode(), kind).close()

    def request(self, method, path, body=None, kind=None):
        scheme = "https" if self.secure else "http"
        request = urllib.request.Request(f"{scheme}://{self.host}{path}", body, method=method)
        request.add_header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
        request.add_header("Accept", ", ".join([
            "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json",
        ]))
        if kind:
            request.add_header("Content-Type", kind)
        if self.secure:
            token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        context = ssl._create_unverified_context() if self.secure else None
        return urllib.request.urlopen(request, context=context, timeout=20)


def pull_secret(name, host, user=USER, password=PASSWORD):
    """As `kubectl create secret docker-registry` makes it."""
    text = json.dumps({"auths": {host: {"username": user, "password": password}}})
    return {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(text.encode()).decode()},
    }


@contextlib.contextmanager
def pulling_node(world, name, *registries):
    """A node of its own whose configuration names the registries: plain HTTP, or a certificate."""
    entries = [
        {"host": each.host, "caFile": str(each.authority)} if each.secure else {"host": each.host, "plainHTTP": True}
        for each in registries
    ]
    file = world.temporary(f"registries-{name}") / "registries.yaml"
    file.write_text(json.dumps({"registries": entries}))
    node = world.new_node(name, more=["--registries", str(file)])
    with node.running():
        yield node
