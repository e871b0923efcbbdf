"""exec, attach, port-forward, cp and logs -f, as people use them: with kubectl, old (SPDY) and new (WebSocket)."""

import fcntl
import hashlib
import http.client
import json
import os
import pty
import random
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time
import urllib.request

from rig.case import case
from rig.expectation import WAITING, expect, expect_contains, expect_equal, eventually
from rig.follower import Follower
from rig.node import free_port
from rig.pods import idle, pod, shell, web_server


def start(kubectl, *arguments, **more):
    """kubectl with its streams as the caller wants them."""
    return subprocess.Popen([*kubectl._start, *arguments], env=kubectl.environment, **more)


def open_descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def commands(space, word):
    """Processes of the node's pods whose command line holds the word."""
    found = []
    for pid, _ in space.node.pod_processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if word.encode() in file.read():
                    found.append(pid)
        except OSError:
            pass
    return found


def upgrade_status(space, token, target):
    """The HTTP status of a request for a stream, with a token and no certificate."""
    credentials = space.api.credentials
    connection = http.client.HTTPSConnection(
        credentials.host, credentials.port, context=credentials.context(with_certificate=False), timeout=10
    )
    headers = {
        "Authorization": f"Bearer {token}", "Connection": "Upgrade", "Upgrade": "SPDY/3.1",
        "X-Stream-Protocol-Version": "v4.channel.k8s.io",
    }
    try:
        connection.request("POST", target, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


class Screen:
    """A process on a terminal of ours: what it writes is gathered."""

    def __init__(self, kubectl, *arguments, rows=24, columns=80):
        self.master, peer = pty.openpty()
        self.resize(rows, columns)
        self.process = start(
            kubectl, *arguments, stdin=peer, stdout=peer, stderr=peer, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(peer)
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def until(self, part, seconds=20):
        seconds *= WAITING
        deadline = time.monotonic() + seconds
        while part not in self.text:
            expect(time.monotonic() < deadline, f"{part!r} on the screen within {seconds} s; it shows {self.text!r}")
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    expect(part in self.text, f"{part!r} on the screen before its end; it shows {self.text!r}")
        return self.text

    def ask(self, text, answer, seconds=20):
        """Types the text until the answer is there: what is typed while a client takes the terminal over is lost."""
        seconds *= WAITING
        deadline = time.monotonic() + seconds
        while answer not in self.text:
            expect(time.monotonic() < deadline, f"{answer!r} within {seconds} s; the screen shows {self.text!r}")
            self.type(text)
            if select.select([self.master], [], [], 0.5)[0]:
                time.sleep(0.2)
                self.text += os.read(self.master, 65536).decode(errors="replace")

    def end(self, seconds=0):
        """Its exit code, and the end of the screen; without seconds it is killed. To be called again does nothing."""
        deadline = time.monotonic() + seconds * WAITING
        # What nobody reads would keep it from its end.
        while self.master >= 0 and self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.02)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
        if self.process.poll() is None and time.monotonic() >= deadline:
            self.process.kill()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        return self.process.wait()


@case("kubectl exec gives each stream its own way and the command's exit code")
def execute(kubectl, space):
    space.create(pod("worker", idle()))
    space.wait_ready("worker")
    result = kubectl.run("exec", "worker", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    expect_equal(result.stdout, "out\n", "standard output")
    expect_contains(result.stderr, "err\n", "standard error")
    expect_equal(result.returncode, 7, "exit code")
    expect_equal(kubectl("exec", "-i", "worker", "--", "cat", given="to and fro"), "to and fro", "cat of its input")
    expect_equal(kubectl("exec", "worker", "--", "cat"), "", "cat without input")
    lines = kubectl("exec", "worker", "--", "seq", "200000").splitlines()
    expect(lines == [str(number) for number in range(1, 200001)], f"200,000 lines, not {len(lines)}")
    expect_contains(kubectl.refused("exec", "worker", "--", "/no/such/program"), "no such file", "an absent program")
    expect_contains(kubectl.refused("exec", "worker", "-c", "absent", "--", "true"), "absent", "an absent container")
    expect_contains(kubectl.refused("exec", "absent", "--", "true"), "not found", "an absent pod")


@case("ten megabytes go through a command and come back whole")
def large(kubectl, space):
    space.create(pod("pipe", idle()))
    space.wait_ready("pipe")
    content = os.urandom(10 << 20)
    result = subprocess.run(
        [*kubectl._start, "exec", "-i", "pipe", "--", "cat"], input=content, capture_output=True,
        env=kubectl.environment, timeout=60, check=False,
    )
    expect_equal(result.returncode, 0, f"exit of cat ({result.stderr[:200]})")
    same = hashlib.sha256(result.stdout).digest() == hashlib.sha256(content).digest()
    expect(same, f"10 MiB came back as {len(result.stdout)} other bytes")


@case("kubectl cp carries a tree into a container and out again")
def copy(kubectl, space):
    space.create(pod("store", idle()))
    space.wait_ready("store")
    tree = space.node.directory / f"tree-{space.name}"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "text").write_text("hello\n")
    for index in range(3):
        (tree / "deep" / f"binary{index}").write_bytes(os.urandom(4 << 20))
    (tree / "deep" / "er" / "empty").write_bytes(b"")
    kubectl("cp", str(tree), "store:/tmp/tree", seconds=60)
    back = space.node.directory / f"back-{space.name}"
    kubectl("cp", "store:/tmp/tree", str(back), seconds=60)
    expect_equal(subprocess.run(["diff", "-r", tree, back], check=False).returncode, 0, "diff of the trees")


def contents(root):
    """The digest of every file of a tree."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*") if path.is_file()
    }


@case("kubectl cp carries a hundred megabytes, many files and a large one, into a container and out again")
def copy_much(kubectl, world, space):
    space.create(pod("store", idle()))
    space.wait_ready("store")
    place = world.temporary(f"much-{kubectl.version}")
    tree, chance = place / "tree", random.Random(world.seed)
    for index in range(1000):
        path = tree / f"d{index % 20}" / f"{index} of many"
        path.parent.mkdir(parents=True, exist_ok=True)
        # The sizes around tar's own of 512.
        path.write_bytes(chance.randbytes((0, 1, 511, 512, 513, 20_000)[index % 6]))
    (tree / "large").write_bytes(chance.randbytes(97 << 20))
    (tree / "d1" / "program").write_text("#!/bin/sh\n")
    (tree / "d1" / "program").chmod(0o755)
    wanted = contents(tree)
    expect(sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) >= 100_000_000, "the tree is too small")
    try:
        kubectl("cp", str(tree), "store:/tmp/tree", seconds=120)
        count = kubectl("exec", "store", "--", "sh", "-c", "find /tmp/tree -type f | wc -l; sha256sum /tmp/tree/large")
        # What is carried out is written as new files are, without the right to run.
        kubectl("exec", "store", "--", "test", "-x", "/tmp/tree/d1/program")
        expect_equal(count.split()[:2], ["1002", wanted["large"]], "files and the large one inside")
        kubectl("cp", "store:/tmp/tree", str(place / "back"), seconds=120)
        back = contents(place / "back")
        expect_equal(sorted(back), sorted(wanted), "names that came back")
        wrong = [name for name, found in back.items() if found != wanted[name]]
        expect(not wrong, f"{len(wrong)} files came back as something else: {wrong[:5]}")
        one = place / "one"
        kubectl("cp", "store:/tmp/tree/large", str(one), seconds=120)
        expect_equal(hashlib.sha256(one.read_bytes()).hexdigest(), wanted["large"], "the large one alone")
    finally:
        shutil.rmtree(place)


@case("kubectl exec -it is a terminal that changes its size")
def terminal(kubectl, space):
    space.create(pod("shell", idle()))
    space.wait_ready("shell")
    screen = Screen(kubectl, "exec", "-it", "shell", "--", "sh", rows=30, columns=100)
    try:
        # The size comes on a way of its own, not before the command starts.
        screen.ask("stty size; tty; echo $TERM-end\n", "30 100")
        expect_contains(screen.until("xterm-end"), "/dev/pts/", "the terminal's name")
        screen.type("""perl -e '$SIG{WINCH} = sub { system("stty size"); exit }; print "armed\\n"; sleep 1 while 1'\n""")
        screen.until("armed\r\n")
        screen.resize(41, 77)
        screen.until("41 77")
        screen.type("exit 3\n")
        expect_equal(screen.end(20), 3, "exit code of the shell")
    finally:
        screen.end()


@case("kubectl port-forward carries fifty connections at a time, and says what is refused")
def forward(kubectl, space):
    space.create(pod("web", web_server("hello from the pod")))
    space.wait_ready("web")
    port = free_port()
    with Follower(kubectl.follow("port-forward", "pod/web", f"{port}:8080", "--address", "127.0.0.1")) as follower:
        follower.until("it listens", lambda line: "Forwarding from" in line)
        answers = []

        def ask():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20 * WAITING) as answer:
                answers.append(answer.read())

        threads = [threading.Thread(target=ask) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect_equal(answers, [b"hello from the pod"] * 50, "answers")
    refused = free_port()
    with Follower(kubectl.follow("port-forward", "pod/web", f"{refused}:81", "--address", "127.0.0.1")) as follower:
        follower.until("it listens", lambda line: "Forwarding from" in line)
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{refused}/", timeout=10).close()
        except OSError:
            pass
        follower.until("the reason", lambda line: "refused" in line.lower())


@case("kubectl attach joins a terminal, and the log has what was shown")
def attach(kubectl, space):
    space.create(pod("console", dict(shell("echo ready; while read line; do echo got-$line; done; exit 5"),
                                     tty=True, stdin=True)))
    space.wait_ready("console")
    screen = Screen(kubectl, "attach", "-it", "console")
    try:
        screen.ask("hello\n", "got-hello")
        screen.type("\x04")
        screen.end(10)
    finally:
        screen.end()
    expect_contains(kubectl("logs", "console"), "got-hello", "the log")
    ended = space.wait_phase("console", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    expect_equal(ended["exitCode"], 5, "exit code of the container")


@case("kubectl attach -i gives a container its input once, and its end")
def attach_once(kubectl, space):
    space.create(pod("reader", dict(shell("cat; echo over; exit 4"), stdin=True, stdinOnce=True)))
    space.wait_ready("reader")
    expect_equal(kubectl("attach", "-i", "reader", given="one\ntwo\n"), "one\ntwo\nover\n", "what the client saw")
    space.wait_phase("reader", "Failed")
    expect_equal(kubectl("logs", "reader"), "one\ntwo\nover\n", "what it read")


@case("kubectl run -i and -it start a container, talk to it and give its exit code")
def run_attached(kubectl, space):
    # kubectl wants an image that looks like one: ours is in the overrides.
    def image(name, command, **fields):
        container = dict({"name": name, "image": "host:///", "command": command, "stdin": True, "stdinOnce": True}, **fields)
        return ["run", name, "--image=host", "--restart=Never", "--overrides", json.dumps(
            {"apiVersion": "v1", "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}})]

    result = kubectl.run(
        *image("talk", ["sh", "-c", "cat; exit 6"]), "-i", "--quiet", given="a word\n", seconds=60,
    )
    expect_contains(result.stdout, "a word\n", f"what came back ({result.stderr})")
    expect_equal(result.returncode, 6, f"exit code ({result.stderr})")
    screen = Screen(kubectl, *image("shell", ["sh"], tty=True), "-it", "--rm")
    try:
        screen.ask("tty\n", "/dev/pts/")
        screen.type("exit 2\n")
        expect_equal(screen.end(30), 2, "exit code of the shell")
    finally:
        screen.end()
    space.wait_gone("shell")


@case("who looks on sees every byte that the container writes, however many they are")
def onlookers(space, world):
    kubectl = world.kubectl(space)
    lines = 200_000
    # Ticks tell that one looks on, until the other begins it.
    script = f"(while :; do echo tick; sleep 0.1; done) & read line; kill $!; wait $!; seq {lines}; echo over"
    space.create(pod("loud", dict(shell(script), stdin=True, stdinOnce=True)))
    space.wait_ready("loud")
    expected = [*map(str, range(1, lines + 1)), "over"]
    with Follower(start(kubectl, "attach", "loud", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)) as other:
        other.until("a tick", lambda line: line == "tick", 20 * WAITING)
        seen = kubectl("attach", "-i", "loud", given="go\n", seconds=60)
        expect_equal([line for line in seen.splitlines() if line != "tick"], expected, "what the one saw who began it")
        space.wait_phase("loud", "Succeeded")
        rest = other.rest(20 * WAITING)
        expect_equal([line for line in rest if line != "tick"], expected, "what the other saw")


@case("nothing stays of a client that was killed: no process, no descriptor")
def killed(kubectl, space, node):
    space.create(pod("victim", idle(), web_server("x")))
    space.wait_ready("victim")
    kubectl("exec", "victim", "-c", "main", "--", "true")
    before = open_descriptors(node)
    port = free_port()
    clients = [
        start(kubectl, "exec", "victim", "-c", "main", "--", "sleep", "98765", stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL),
        start(kubectl, "exec", "-i", "victim", "-c", "main", "--", "sleep", "98765", stdin=subprocess.PIPE,
              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        start(kubectl, "port-forward", "pod/victim", f"{port}:8080", stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL),
    ]
    try:
        eventually("both commands run", lambda: len(commands(space, "98765")) == 2)
    finally:
        for client in clients:
            client.kill()
            client.wait()
            if client.stdin:
                client.stdin.close()
    eventually("no command is left", lambda: not commands(space, "98765"))
    eventually("no descriptor is left", lambda: open_descriptors(node) <= before + 2)


@case("a command that somebody follows ends with the agent, and its container goes on")
def agent_killed(world):
    node = world.new_node("streams").start()
    space = world.space(node)
    kubectl = world.kubectl(space)
    item = pod("steady", idle(), restartPolicy="Always")
    space.create(item)
    before = space.wait_ready("steady")
    processes = node.settled_processes(before["metadata"]["uid"])
    clients = [
        start(kubectl, "exec", "steady", "--", "sleep", "98764", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        start(kubectl, "exec", "steady", "--", "sh", "-c", "sleep 98764; true", stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL),
    ]
    try:
        # The shell and its own child have the word too.
        eventually("the commands run", lambda: len(commands(space, "98764")) == 3)
        node.kill()
        for client in clients:
            expect(client.wait(20) != 0, "a client whose server is gone succeeds")
    finally:
        for client in clients:
            client.kill()
            client.wait()
    eventually("no command is left", lambda: not commands(space, "98764"))
    node.start()
    expect_equal(space.wait_ready("steady")["status"]["containerStatuses"][0]["restartCount"], 0, "restarts")
    expect_equal(node.pod_processes(before["metadata"]["uid"]), processes, "processes of the container")
    expect_equal(kubectl("exec", "steady", "--", "echo", "again"), "again\n", "a command after the restart")
    node.stop_all()


@case("a service account runs commands only where its role says so")
def rights(space):
    space.create(pod("guarded", idle()))
    space.wait_ready("guarded")
    account = f"system:serviceaccount:{space.name}:runner"
    space.api.request("POST", space.path("serviceaccounts"), {"metadata": {"name": "runner"}})
    answer = space.api.request(
        "POST", space.path("serviceaccounts", "runner/token"), {"spec": {"expirationSeconds": 600}}
    )
    token = answer["status"]["token"]
    target = space.path("pods", "guarded/exec") + "?command=true&stdout=1"
    expect_equal(upgrade_status(space, token, target), 403, "exec without a role")
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space.name}"
    rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
    space.api.request("POST", f"{rbac}/roles", {"metadata": {"name": "runner"}, "rules": [rule]})
    space.api.request("POST", f"{rbac}/rolebindings", {
        "metadata": {"name": "runner"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "runner"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": account}],
    })
    expect_equal(upgrade_status(space, token, target), 101, "exec with the role")
    for other in ("attach", "portforward"):
        path = space.path("pods", f"guarded/{other}") + "?stdout=1"
        expect_equal(upgrade_status(space, token, path), 403, f"{other} with a role for exec")


@case("a stream is refused before it begins: without rights, without a stream, with a port that is none")
def refused(kubectl, space, node):
    space.create(pod("closed", idle()))
    space.wait_ready("closed")
    expect_contains(kubectl.refused("port-forward", "pod/closed", ":70000"), "70000", "a port beyond all")
    status = subprocess.run(
        ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Connection: Upgrade", "-H",
         "Upgrade: SPDY/3.1", "-X", "POST",
         f"https://127.0.0.1:{node.port}/api/v1/namespaces/{space.name}/pods/closed/exec?command=true&stdout=1"],
        capture_output=True, text=True, check=False, timeout=20,
    ).stdout
    expect_equal(status, "401", "exec of a stranger")
