"""Control endpoint and agent as two processes, so that one can go while the other stays."""

import base64
import re
import socket
import subprocess

from rig.expectation import eventually
from rig.node import Node, free_port
from rig.proxy import Proxy
from rig.world import unused


class Endpoint:
    """`swiftlet server` with directories of its own."""

    def __init__(self, binaries, directory):
        self.binaries = binaries
        self.directory = directory
        directory.mkdir(parents=True)
        self.root = directory / "root"
        self.port = free_port()
        self.process = None

    @property
    def kubeconfig(self):
        return self.root / "admin.kubeconfig"

    def launch(self):
        with open(self.directory / "endpoint.log", "ab") as output:
            self.process = subprocess.Popen(
                [
                    str(self.binaries / "swiftlet"), "server", "--root", str(self.root),
                    "--run", str(self.directory / "run"), "--log-dir", str(self.directory / "log"),
                    "--listen", f"127.0.0.1:{self.port}",
                ],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def start(self):
        self.launch()
        eventually("the endpoint listens", self.listens, 20)
        return self

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return self.kubeconfig.exists()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Agent(Node):
    """`swiftlet agent`: a node whose endpoint is a process of its own, which ends with it.

    Its own `api` goes straight there; the agent goes through the proxy, if there is one.
    """

    def __init__(self, world, name, with_proxy=False, as_node=False, more=()):
        name = unused(world.directory, name)
        super().__init__(world.binaries, world.directory / name, f"conformance-{name}", world.free_network(), more=more)
        world.nodes.append(self)
        self.endpoint = Endpoint(world.binaries, world.directory / f"{name}-endpoint").start()
        self.kubeconfig = self.endpoint.kubeconfig
        self.proxy = Proxy(self.api.credentials, world.directory / f"{name}-proxy") if with_proxy else None
        self.identity_file = self.join(world.temporary(f"{name}-identity")) if as_node else None

    def up_command(self, *more):
        kubeconfig = self.proxy.kubeconfig if self.proxy else self.identity_file or self.kubeconfig
        agent = [*self.within, str(self.binaries / "swiftlet"), "agent", *self.flags, *self.more]
        return [*agent, "--kubeconfig", str(kubeconfig), *more]

    def join(self, place):
        """A kubeconfig with a client certificate of the node's own, as the endpoint signs it for those it lets join."""
        subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             f"/O=system:nodes/CN=system:node:{self.name}", "-keyout", str(place / "key.pem"), "-out",
             str(place / "csr.pem")], check=True, capture_output=True, timeout=30)
        made = self.api.request("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", {
            "metadata": {"generateName": "join-"}, "spec": {
                "request": encoded((place / "csr.pem").read_bytes()), "usages": ["client auth"],
                "signerName": "kubernetes.io/kube-apiserver-client-kubelet"}})
        path, text = place / "kubeconfig", self.kubeconfig.read_text()
        for field, value in (
            ("client-certificate-data", made["status"]["certificate"]),
            ("client-key-data", encoded((place / "key.pem").read_bytes())),
        ):
            text = re.sub(rf"({field}: ).*", rf"\g<1>{value}", text)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def stop_all(self):
        try:
            super().stop_all()
        finally:
            self.endpoint.kill()
            if self.proxy:
                self.proxy.close()


def encoded(data):
    return base64.b64encode(data).decode()
