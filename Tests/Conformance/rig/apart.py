"""Control endpoint and agent as two processes, so that one can go while the other stays."""

import socket
import subprocess

from rig.expectation import eventually
from rig.node import Node, free_port
from rig.proxy import Proxy


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

    def __init__(self, world, name, with_proxy=False):
        super().__init__(world.binaries, world.directory / name, f"conformance-{name}", world.free_network())
        world.nodes.append(self)
        self.endpoint = Endpoint(world.binaries, world.directory / f"{name}-endpoint").start()
        self.kubeconfig = self.endpoint.kubeconfig
        self.proxy = Proxy(self.api.credentials, world.directory / f"{name}-proxy") if with_proxy else None

    def up_command(self, *more):
        kubeconfig = self.proxy.kubeconfig if self.proxy else self.kubeconfig
        agent = [*self.within, str(self.binaries / "swiftlet"), "agent", *self.flags]
        return [*agent, "--kubeconfig", str(kubeconfig), *more]

    def stop_all(self):
        try:
            super().stop_all()
        finally:
            self.endpoint.kill()
            if self.proxy:
                self.proxy.close()
