"""exec and attach as verbs of the program itself: over the node's own socket, with kubectl's flags and exit codes."""

import os
import subprocess

from cases.streaming import Screen, commands
from rig.case import case
from rig.expectation import WAITING, expect, expect_contains, expect_equal, eventually
from rig.pods import idle, pod, shell


class Program:
    """Starts the verbs as the shared screens want it."""

    def __init__(self, space):
        self.space = space
        self._start = [str(space.node.binaries / "swiftlet")]
        self.environment = dict(os.environ)

    def words(self, verb, name, *flags):
        return [verb, "--run", str(self.space.node.run), "-n", self.space.name, *flags, name]

    def run(self, verb, name, *flags, command=(), given=None):
        return subprocess.run(
            [*self._start, *self.words(verb, name, *flags), *(["--", *command] if command else [])],
            input=given, stdin=None if given is not None else subprocess.DEVNULL, capture_output=True,
            timeout=60 * WAITING, check=False,
        )


@case("swiftlet exec gives each stream its own way and the command's exit code")
def execute(space):
    def named(name):
        return idle(name, env=[{"name": "ME", "value": name}])

    item = pod("worker", named("first"), named("second"))
    space.create(item)
    item["metadata"].update(name="chosen", annotations={"kubectl.kubernetes.io/default-container": "second"})
    space.create(item)
    space.wait_ready("worker")
    space.wait_ready("chosen")
    program = Program(space)
    result = program.run("exec", "worker", command=["sh", "-c", "echo out; echo err >&2; exit 7"])
    expect_equal(result.stdout, b"out\n", "standard output")
    expect_contains(result.stderr, b"err\n", "standard error")
    expect_equal(result.returncode, 7, "exit code")
    expect_equal(program.run("exec", "worker", "-q", command=["false"]).stderr, b"", "standard error of -q")
    for name, flags, answer in (("worker", [], b"first\n"), ("worker", ["-c", "second"], b"second\n"),
                                ("chosen", [], b"second\n")):
        result = program.run("exec", name, *flags, command=["sh", "-c", "echo $ME"])
        expect_equal(result.stdout, answer, f"the container of {name} {flags}")
    content = os.urandom(4 << 20)
    result = program.run("exec", "worker", "-i", command=["cat"], given=content)
    expect_equal((result.returncode, result.stdout == content), (0, True), "cat of 4 MiB")
    result = program.run("exec", "worker", command=["cat"], given=b"not asked for")
    expect_equal((result.returncode, result.stdout), (0, b""), "cat without -i")
    for name, flags, command, text in (
        ("worker", [], ["/no/such/program"], b"no such file"), ("worker", ["-c", "absent"], ["true"], b"absent"),
        ("absent", [], ["true"], b"absent"),
    ):
        result = program.run("exec", name, *flags, command=command)
        expect(result.returncode not in (0, 7), f"{name} {flags} {command}: exit {result.returncode}")
        expect_contains(result.stderr.lower(), text, "the reason")
        expect_equal(len(result.stderr.splitlines()), 1, f"lines of {result.stderr}")


@case("swiftlet exec -it is a terminal that changes its size, and ours is as it was afterwards")
def terminal(space):
    space.create(pod("shell", idle()))
    space.wait_ready("shell")
    program = Program(space)
    # A shell around it tells, after its end, whether lines and echo are back.
    inner = " ".join([*program._start, *program.words("exec", "shell", "-it"), "--", "sh"])
    program._start = ["sh", "-c", f"{inner}; echo code-$?; stty -a"]
    screen = Screen(program, rows=30, columns=100)
    try:
        screen.ask("stty size; tty\n", "30 100")
        screen.until("/dev/pts/")
        screen.type("""perl -e '$SIG{WINCH} = sub { system("stty size"); exit }; print "armed\\n"; sleep 1 while 1'\n""")
        screen.until("armed\r\n")
        screen.resize(41, 77)
        screen.until("41 77")
        screen.type("exit 3\n")
        screen.until("code-3")
        text = screen.until(" echoe")
        expect_contains(text[text.index("code-3"):], " icanon", "the terminal afterwards")
    finally:
        screen.end()


@case("swiftlet attach joins a terminal, and gives a container its input once")
def attach(space):
    space.create(pod("console", dict(shell("echo ready; while read line; do echo got-$line; done; exit 5"),
                                     tty=True, stdin=True)))
    space.create(pod("reader", dict(shell("cat; echo over; exit 4"), stdin=True, stdinOnce=True)))
    space.wait_ready("console")
    space.wait_ready("reader")
    program = Program(space)
    screen = Screen(program, *program.words("attach", "console", "-it"))
    try:
        screen.ask("hello\n", "got-hello")
        screen.type("\x04")
        screen.end(10)
    finally:
        screen.end()
    space.wait_phase("console", "Failed")
    result = program.run("attach", "reader", "-i", given=b"one\ntwo\n")
    expect_equal((result.returncode, result.stdout), (0, b"one\ntwo\nover\n"), f"what the client saw {result.stderr}")
    space.wait_phase("reader", "Failed")


@case("a command of swiftlet exec ends with its client")
def killed(space):
    space.create(pod("victim", idle()))
    space.wait_ready("victim")
    program = Program(space)
    client = subprocess.Popen(
        [*program._start, *program.words("exec", "victim"), "--", "sleep", "98763"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        eventually("the command runs", lambda: len(commands(space, "98763")) == 1)
    finally:
        client.kill()
        client.wait()
    eventually("no command is left", lambda: not commands(space, "98763"))
