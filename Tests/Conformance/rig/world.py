"""Everything a run has: its directory, its clients, its nodes; and the end of it all."""

import functools
import itertools
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import tempfile

from rig.expectation import Failure, eventually
from rig.kubectl import Kubectl
from rig.leaks import left_files, traces
from rig.node import Node
from rig.space import Space


class World:
    """What one worker of a run has."""

    def __init__(self, binaries, repository, find_clients, seed, part=(0, 1)):
        """`part`: which of the host's free networks it takes, (i, n) for every n-th."""
        self.repository = repository
        # Short: paths of unix sockets end at 107 bytes.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="swc."))
        self.binaries = self.directory / "bin"
        self.binaries.mkdir()
        # Copies, so that a build during the run changes nothing, and a process tells by its program whose it is.
        for name in ("swiftlet", "swiftlet-monitor"):
            shutil.copy2(binaries / name, self.binaries / name)
        self.seed = seed
        self.random = random.Random(seed)
        self.nodes = []
        self.spaces = 0
        self._find_clients = find_clients
        self._networks = free_networks(random.Random(seed), *part)
        self._shared = None
        self.baseline = traces(self.directory, [])

    @functools.cached_property
    def clients(self):
        """The directory of kubectl, helm and the Python client: looked for when a case first needs one."""
        return self._find_clients()

    @property
    def programs(self):
        return kubectls(self.clients)

    @property
    def node(self):
        """The node that most cases share: started when it is first asked for."""
        if self._shared is None:
            self._shared = self.new_node("shared")
            self._shared.start()
        return self._shared

    def new_node(self, name, **options):
        """A node with directories, ports and addresses of its own, not started."""
        options.setdefault("cidr", self.free_network())
        name = unused(self.directory, name)
        node = Node(self.binaries, self.directory / name, f"conformance-{name}", **options)
        self.nodes.append(node)
        return node

    def free_network(self):
        """An IPv4 network of 256 addresses that nothing on this host uses."""
        return next(self._networks)

    def space(self, node=None):
        self.spaces += 1
        return Space(node or self.node, f"case-{self.spaces}")

    def kubectl(self, space, program=None):
        return Kubectl(program or self.programs[-1], space.node, space.name, self.directory / "home" / space.node.name)

    def temporary(self, name):
        files = self.directory / "files"
        directory = files / unused(files, name)
        directory.mkdir(parents=True)
        return directory

    def stop(self):
        """Ends every node; returns what went wrong, one line each."""
        problems = []
        for node in self.nodes:
            if node.is_ended or not node.run.exists():
                continue
            try:
                node.stop_all()
            except (Failure, OSError, subprocess.TimeoutExpired) as error:
                problems.append(f"{node.name}: {error}")
                if node.process is not None and node.process.poll() is None:
                    node.kill()
        return problems

    def leaks(self):
        """What is left of the nodes on the host; waits for what the kernel removes in its own time, such as many network namespaces."""

        def now():
            left = traces(self.directory, self.nodes) - self.baseline
            return left.union(*(left_files(node) for node in self.nodes)) if self.nodes else left

        try:
            eventually("nothing left", lambda: not now(), 20, 0.2)
        except Failure:
            return sorted(now())
        return []

    def last_words(self, nodes):
        """The last lines of these nodes' logs."""
        return [f"last words of {node.name}: {node.last_words(8)}" for node in nodes if node.output.exists()]

    def concerned(self, problems):
        """The nodes of which a problem speaks."""
        text = "\n".join(problems)
        return [node for node in self.nodes if any(mark in text for mark in (node.name, str(node.directory) + "/", node.identity))]

    def remove(self):
        """The run's directory, and what a failed node left: it is told already, and must not disturb the next run.

        Mounts go first, so that nothing behind them is deleted.
        """
        if os.environ.get("SWIFTLET_CONFORMANCE_KEEP"):
            return
        for node in self.nodes:
            for command in (
                ["ip", "link", "delete", f"sl-{node.identity}"],
                ["nft", "delete", "table", "inet", f"swiftlet_{node.identity}"],
            ):
                subprocess.run(command, capture_output=True, check=False)
        for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
            if str(self.directory) in line.split()[4]:
                subprocess.run(["umount", "--lazy", line.split()[4]], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def kubectls(clients):
    """kubectl, old and new."""
    return [clients / f"kubectl-{version}" for version in ("1.20", "1.37")]


def unused(directory, name):
    """The name, or with a number when a case has it for the second time."""
    names = (f"{name}{number}" if number > 1 else name for number in itertools.count(1))
    return next(name for name in names if not (directory / name).exists())


def free_networks(chance, index, count):
    """Yields every `count`-th of the /24 networks below 10.128.0.0/9 to which the host has no route."""
    numbers = [(second, third) for second in range(128, 256) for third in range(256)]
    chance.shuffle(numbers)
    for second, third in numbers[index::count]:
        if not {f"10.{second}.{third}.0", f"10.{second}.0.0"} & routes():
            yield f"10.{second}.{third}.0/24"


def routes():
    """The destinations of the host's IPv4 routes."""
    lines = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
    return {socket.inet_ntoa(struct.pack("<I", int(line.split()[1], 16))) for line in lines}
