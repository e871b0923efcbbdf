"""exec, attach, port-forward, cp and logs -f, as people use them: with kubectl, old (SPDY) and new (WebSocket)."""

import fcntl
import hashlib
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import urllib.request

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal, eventually
from rig.follower import Follower
from rig.node import free_port
from rig.pods import idle, pod, shell, web_server


def start(kubectl, *arguments, **more):
    """kubectl with its streams as the caller wants them."""
    return subprocess.Popen([*kubectl._start, *arguments], env=kubectl._environment, **more)


def open_descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def commands(space, word):
    """Processes of the node's pods whose command line holds the word."""
    found = []
    for pid in space.node.pod_processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if word.encode() in file.read():
                    found.append(pid)
        except OSError:
            pass
    return found


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
        deadline = time.monotonic() + seconds
        while part not in self.text:
            expect(time.monotonic() < deadline, f"{part!r} on the screen within {seconds} s; it shows {self.text!r}")
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    expect(part in self.text, f"{part!r} on the screen before its end; it shows {self.text!r}")
        return self.text

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


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
        env=kubectl._environment, timeout=60, check=False,
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
    (tree / "deep" / "binary").write_bytes(os.urandom(2 << 20))
    (tree / "deep" / "er" / "empty").write_bytes(b"")
    kubectl("cp", str(tree), "store:/tmp/tree", seconds=60)
    back = space.node.directory / f"back-{space.name}"
    kubectl("cp", "store:/tmp/tree", str(back), seconds=60)
    expect_equal(subprocess.run(["diff", "-r", tree, back], check=False).returncode, 0, "diff of the trees")


@case("kubectl exec -it is a terminal that changes its size")
def terminal(kubectl, space):
    space.create(pod("shell", idle()))
    space.wait_ready("shell")
    screen = Screen(kubectl, "exec", "-it", "shell", "--", "sh", rows=30, columns=100)
    try:
        screen.type("stty size; tty; echo $TERM-end\n")
        screen.until("30 100")
        expect_contains(screen.until("xterm-end"), "/dev/pts/", "the terminal's name")
        screen.resize(41, 77)
        os.kill(screen.process.pid, signal.SIGWINCH)
        deadline = time.monotonic() + 10
        while "41 77" not in screen.text and time.monotonic() < deadline:
            screen.type("stty size; echo asked\n")
            screen.until("asked\r\n")
            time.sleep(0.1)
        screen.until("41 77")
        screen.type("exit 3\n")
        expect_equal(screen.process.wait(10), 3, "exit code of the shell")
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
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
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
        deadline = time.monotonic() + 20
        while "got-hello" not in screen.text:
            expect(time.monotonic() < deadline, f"an answer within 20 s; the screen shows {screen.text!r}")
            screen.type("hello\n")
            time.sleep(0.3)
            if select.select([screen.master], [], [], 0)[0]:
                screen.text += os.read(screen.master, 65536).decode(errors="replace")
        screen.type("\x04")
        screen.process.wait(10)
    finally:
        screen.end()
    expect_contains(kubectl("logs", "console"), "got-hello", "the log")
    ended = space.wait_phase("console", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    expect_equal(ended["exitCode"], 5, "exit code of the container")


@case("kubectl attach -i gives a container its input once, and its end")
def attach_once(kubectl, space):
    space.create(pod("reader", dict(shell("cat; echo over; exit 4"), stdin=True, stdinOnce=True)))
    space.wait_ready("reader")
    result = kubectl.run("attach", "-i", "reader", given="one\ntwo\n")
    if result.returncode != 0 or "over" not in result.stdout:
        # The container may have ended before the client saw it; the log is the record.
        pass
    space.wait_phase("reader", "Failed")
    expect_equal(kubectl("logs", "reader"), "one\ntwo\nover\n", "what it read")


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
