"""A real node: the built binaries with directories, ports, names and addresses of its own."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import threading

from rig.api import API, APIFailure, Credentials
from rig.expectation import WAITING, Failure, eventually


# Whatever a case asks for is allowed: what the policy denies is the business of the cases about it.
EVERYTHING = '''
rules:
- name: cases
  trusted: true
  allow:
    hostPaths: {/: readWrite, /proc: readOnly, /sys: readOnly}
'''


class Node:
    """One node, from its first start to its end; it may be started and killed many times between."""

    def __init__(self, binaries, directory, name, cidr, manifests=True, within=(), address="127.0.0.1", more=(),
                 policy=EVERYTHING):
        """`within`: words before the program's name, which run it in other namespaces. `address`: where it listens.
        `more`: flags of `up` beside the usual ones. `policy`: what the node's policy file says.

        Without a CIDR the node takes its default.
        """
        self.binaries = binaries
        self.within = list(within)
        self.more = list(more)
        self.address = address
        self.directory = directory
        self.name = name
        self.cidr = cidr
        self.root, self.run, self.logs = directory / "root", directory / "run", directory / "log"
        self.manifests = directory / "manifests"
        directory.mkdir(parents=True)
        if manifests:
            self.manifests.mkdir()
        self.policy = directory / "policy.yaml"
        self.policy.write_text(policy)
        self.policy.chmod(0o644)
        self.output = directory / "node.log"
        self.kubeconfig = self.root / "admin.kubeconfig"
        self.port, self.node_port = free_port(), free_port()
        self.process = None
        # Ended in an orderly way by a case that takes something away from under it; nothing more is to be done then.
        self.is_ended = False
        self._api = None
        self._lock = threading.Lock()

    @property
    def identity(self):
        """The digits that tell the node's bridge, table and cgroup from others on this host (32-bit FNV-1a)."""
        value = 0x811C9DC5
        for byte in str(self.run).encode():
            value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
        return f"{value:08x}"

    @property
    def api(self):
        with self._lock:
            if self._api is None:
                self._api = API(Credentials(self.kubeconfig, self.directory / "credentials"))
            return self._api

    @property
    def flags(self):
        return [
            "--root",
            str(self.root),
            "--run",
            str(self.run),
            "--log-dir",
            str(self.logs),
            "--node-port",
            str(self.node_port),
            "--node-name",
            self.name,
            *(["--pod-cidr", self.cidr] if self.cidr else []),
            "--manifests",
            str(self.manifests),
            "--policy",
            str(self.policy),
        ]

    def up_command(self, *more):
        listen = f"{self.address}:{self.port}"
        return [*self.within, str(self.binaries / "swiftlet"), "up", *self.flags, "--listen", listen, *self.more, *more]

    def launch(self):
        """Starts the process without waiting for anything."""
        self.is_ended = False
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                self.up_command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def start(self):
        self.launch()
        self.wait_ready()
        return self

    @contextlib.contextmanager
    def running(self):
        """Started; ended with all its pods afterwards, for cases that take something away from under the node."""
        try:
            yield self.start()
        finally:
            self.stop_all()
            self.is_ended = True

    def is_ready(self):
        if self.process.poll() is not None:
            raise NodeDied(f"node {self.name} ended with {self.process.returncode}: {self.last_words()}")
        if not self.kubeconfig.exists():
            return False
        try:
            self.api.get("/readyz")
            nodes = self.api.get("/api/v1/nodes")["items"]
            # One that was killed is Ready in the store until somebody finds out: its own socket tells that it is there again.
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self.run / "swiftlet.sock"))
        except (OSError, APIFailure):
            return False
        return any(
            item["type"] == "Ready" and item["status"] == "True"
            for node in nodes
            for item in node.get("status", {}).get("conditions", [])
        )

    def wait_ready(self, seconds=30):
        eventually(f"node {self.name} ready", self.is_ready, seconds)

    def last_words(self, lines=5):
        return " | ".join(self.output.read_text(errors="replace").splitlines()[-lines:])

    def terminate(self, seconds=15):
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds * WAITING)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def swiftlet(self, *arguments, seconds=60):
        """Runs a local verb against this node and returns what became of it."""
        return subprocess.run(
            [*self.within, str(self.binaries / "swiftlet"), *arguments, "--run", str(self.run)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds * WAITING,
            check=False,
        )

    def check(self):
        """`swiftlet check`, where the node runs, with its policy."""
        return subprocess.run(
            [*self.within, str(self.binaries / "swiftlet"), "check", "--policy", str(self.policy)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30 * WAITING,
            check=False,
        )

    def stop_all(self):
        """`swiftlet stop --all`, with the node running or not; then the process is gone, too."""
        # So a case leaves it that fails after it has killed it.
        was_killed = self.process is not None and self.process.poll() == -signal.SIGKILL
        result = subprocess.run(
            [*self.within, str(self.binaries / "swiftlet"), "stop", "--all", *self.flags],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90 * WAITING,
            check=False,
        )
        # What it could not give back it tells there; what is left is looked for at the end of the run.
        with open(self.output, "a", encoding="utf-8") as output:
            output.write(result.stderr)
        if result.returncode != 0:
            raise Failure(f"swiftlet stop --all of {self.name}: exit {result.returncode}: {result.stderr.strip()}")
        if self.process is not None:
            try:
                status = self.process.wait(timeout=15 * WAITING)
                if status != 0 and not was_killed:
                    raise Failure(f"node {self.name} ended with {status} after stop --all: {self.last_words()}")
            except subprocess.TimeoutExpired:
                raise Failure(f"node {self.name} still runs 15 s after swiftlet stop --all") from None

    def cgroups(self):
        """The node's cgroup in every hierarchy that has it."""
        places = [pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").glob("*/")]
        return [
            place / f"swiftlet-{self.identity}" for place in places if (place / f"swiftlet-{self.identity}").is_dir()
        ]

    def pod_processes(self, uid=None):
        """(pid, start time) of every process in the cgroups of a pod, or of all pods of the node."""
        found = set()
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                groups = (entry / "cgroup").read_text()
                if f"/swiftlet-{self.identity}/" in groups and (uid is None or uid in groups) and not is_zombie(entry):
                    found.add((int(entry.name), start_time(int(entry.name))))
            except (OSError, IndexError):
                continue
        return found

    def settled_processes(self, uid):
        """Those of a pod whose shells run what they wait for: a container may be ready before its shell has begun that."""
        found = set()

        def are_settled():
            nonlocal found
            found = self.pod_processes(uid)
            parents = {parent(pid) for pid, _ in found}
            return found and all(program_name(pid) != "sh" or pid in parents for pid, _ in found)

        eventually("every shell of the pod waits", are_settled)
        return found

    def init_processes(self, uid):
        """The pids, as the host counts, of the first processes of a pod's containers."""
        for pid, _ in self.pod_processes(uid):
            try:
                with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
                    numbers = next(line for line in file if line.startswith("NSpid:")).split()[1:]
            except (OSError, StopIteration):
                continue
            if len(numbers) > 1 and numbers[-1] == "1" and os.path.exists(f"/proc/{pid}/exe"):
                yield pid

    def init_process(self, uid):
        """That of a pod's only container; None while it has none."""
        return next(self.init_processes(uid), None)

    def monitors(self):
        """Pids of the node's monitors."""
        found = []
        for pid in processes_of(self.binaries / "swiftlet-monitor"):
            try:
                # A monitor works in its container's directory.
                if os.readlink(f"/proc/{pid}/cwd").startswith(f"{self.run}/"):
                    found.append(pid)
            except OSError:
                continue
        return found

    def local(self, path):
        """(status, body) of a GET over the unix socket."""
        connection = UnixConnection(self.run / "swiftlet.sock")
        try:
            connection.request("GET", path, headers={"Host": "swiftlet"})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()


class NodeDied(Exception):
    """The node's process ended while it should run: waiting any longer is useless."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=15 * WAITING)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_time(pid):
    """Clock ticks since boot when the process began: with the pid, who it is."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def parent(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def program_name(pid):
    """Of the program that a process runs."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().rstrip()
    except OSError:
        return None


def is_zombie(place):
    """Whether a process has ended and only waits to be collected, which may be the host's business."""
    return (place / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def processes_of(program):
    """Pids of the processes that run this program file."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            # A monitor is run through a view of its directory that is attached nowhere: its link begins there.
            if entry.name.isdigit() and os.readlink(entry / "exe").removesuffix(" (deleted)") in (
                str(program), f"/{program.name}"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found
