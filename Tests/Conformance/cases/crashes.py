"""Death at named moments: of the agent, of a monitor, of a container's first process, of several at once."""

import os
import pathlib
import signal
import subprocess
import time

from rig.case import case
from rig.expectation import eventually, expect, expect_equal
from rig.life import UNTIL_TOLD, Life, hook, says, speaker, steady, waits
from rig.oracle import Diary
from rig.pods import idle, pod
from rig.space import condition, container_status, terminated, waiting

ROUNDS = 5


def counted(item):
    """Restarts of all containers of a pod."""
    status = item["status"]
    return [
        entry.get("restartCount")
        for entry in status.get("initContainerStatuses", []) + status.get("containerStatuses", [])
    ]


class Moment:
    """The pods of one round, each brought to a moment of its life at which the agent is killed."""

    def __init__(self, space, directory, number):
        self.space = space

        def life(name, *containers, **spec):
            made = Life(directory, f"{name}-{number}", *containers, **spec)
            space.create(made.pod)
            return made

        self.starting = life(
            "starting", steady(lifecycle={"postStart": hook(says("hook") + waits("go") + says("hooked"))}))
        self.stopping = life(
            "stopping", steady(lifecycle={"preStop": hook(says("hook") + waits("go") + says("hooked"))}))
        self.preparing = life(
            "preparing", steady(), initContainers=[speaker(says("init") + waits("go") + says("done"), "init")])
        space.wait_ready(self.stopping.name)
        self.stopping.said("begin")
        space.delete(self.stopping.name)
        for one in (self.starting, self.stopping):
            one.said("hook")
        self.preparing.said("init")
        # Not waited for: the agent dies while it makes these.
        self.new = [life(f"new{index}", steady()) for index in range(2)]

    def go_on(self):
        for one in (self.starting, self.stopping, self.preparing):
            one.open("go")

    def check(self):
        space = self.space
        space.wait_gone(self.stopping.name, 30)
        lines = self.stopping.lines()
        expect_equal((lines[0], lines[-1]), ("begin", "end"), f"first and last of {lines}")
        expect_equal((lines.count("begin"), lines.count("end")), (1, 1), f"begin and end of {lines}")
        expect("hooked" in lines, f"the preStop hook came to no end: {lines}")
        for one in (self.starting, self.preparing, *self.new):
            item = space.wait_ready(one.name)
            expect_equal(set(counted(item)), {0}, f"restarts of {one.name}")
        for one in (self.starting, self.preparing):
            one.said("begin")
        expect_equal(self.starting.lines().count("begin"), 1, f"begin in {self.starting.lines()}")
        expect_equal(self.preparing.lines(), ["init", "done", "begin"], "an init container and its pod")
        for one in self.new:
            one.said("begin")
            expect_equal(one.lines(), ["begin"], f"lines of {one.name}")
        for one in (self.starting, self.preparing, *self.new):
            space.delete(one.name, grace=1)
        for one in (self.starting, self.preparing, *self.new):
            space.wait_gone(one.name)
            expect_equal(one.lines()[-1], "end", f"the end of {one.name}")


@case(f"killed {ROUNDS} times in hooks, init containers, back-off and creation, the agent goes on where it was")
def named_moments(world):
    node = world.new_node("moments").start()
    space = world.space(node)
    directory = world.temporary("moments")
    crasher = Life(directory, "crasher", speaker("date +%s.%N >>/life/log; exit 3"))
    space.create(crasher.pod)
    space.wait_waiting("crasher", "CrashLoopBackOff")
    for number in range(ROUNDS):
        moment = Moment(space, directory, number)
        # The random moment is the test, not a wait for something.
        time.sleep(world.random.uniform(0, 0.05))
        node.kill()
        node.start()
        moment.go_on()
        moment.check()
    eventually("nothing but the crashing pod", lambda: len(node.pod_processes()) <= 1, 10)

    def end():
        item = space.wait("crasher", "waiting again", lambda item: counted(item)[0] >= 2 and waiting(item), 40)
        begins = [float(line) for line in crasher.lines()]
        expect_equal(len(begins), counted(item)[0] + 1, "instances of a container that restarted so often")
        # The first restart is made at once.
        for number, seconds in enumerate((0, 10, 20, 40)[: len(begins) - 1]):
            pause = begins[number + 1] - begins[number]
            expect(pause > seconds, f"back-off {number} was cut short: {begins}")
        expect_equal(terminated(item)["exitCode"], 3, "its exit code")
        node.stop_all()

    return end


@case("the agent killed around a postStart hook: one that had not ended is run again, one that had failed still ends its container")
def hooks_and_deaths(world):
    node = world.new_node("hooks").start()
    space = world.space(node)
    directory = world.temporary("hooks")
    cut = Life(directory, "cut", steady(lifecycle={"postStart": hook(says("hook") + waits("go"))}))
    space.create(cut.pod)
    for words in ("begin", "hook"):
        cut.said(words)
    # Deaf to what it is told, so that its grace is still running when the agent dies.
    deaf = f"trap '{says('told')}' TERM; {says('begin')}while :; do {UNTIL_TOLD}; done"
    failing = Life(
        directory, "failing",
        speaker(deaf, lifecycle={"postStart": hook(says("hook") + "test -e /life/better")}),
        terminationGracePeriodSeconds=4)
    space.create(failing.pod)
    failing.said("told")
    node.kill()
    failing.open("better")
    node.start()
    eventually("the hook is run again", lambda: cut.lines().count("hook") == 2)
    expect_equal(condition(space.pod("cut"), "Ready"), "False", "a container is ready whose hook has not ended")
    space.wait("failing", "killed and begun anew", lambda item: item and counted(item) == [1] and condition(item, "Ready") == "True", 30)
    failing.said("begin", times=2)
    # Each agent tells it to stop.
    lines = sorted(line for line in failing.lines() if line != "told")
    expect_equal(lines, ["begin", "begin", "hook", "hook"], "its life")
    cut.open("go")
    item = space.wait_ready("cut")
    expect_equal((counted(item), sorted(cut.lines())), ([0], ["begin", "hook", "hook"]), "restarts and lines")
    # What has ended well is not run a third time.
    node.kill()
    node.start()
    space.wait_ready("cut")
    space.delete("cut", grace=1)
    space.wait_gone("cut")
    expect_equal((sorted(cut.lines()), cut.lines()[-1]), (["begin", "end", "hook", "hook"], "end"), "lines after another death")
    node.stop_all()


@case("agent and monitor killed together: nothing lives on, runs twice or is taken for alive")
def agent_and_monitor(world):
    node = world.new_node("both").start()
    space = world.space(node)
    directory = world.temporary("both")
    diaries = [Diary(directory, f"steady-{number}") for number in range(2)]
    for diary in diaries:
        space.create(diary.pod())
    never = Diary(directory, "never")
    space.create(never.pod(restartPolicy="Never"))
    spared = Diary(directory, "spared")
    space.create(spared.pod())
    uids = {}
    for diary in (*diaries, never, spared):
        uids[diary.name] = space.wait_ready(diary.name)["metadata"]["uid"]
        eventually("the diary begins", diary.lines)
    before = {name: node.settled_processes(uid) for name, uid in uids.items()}
    victims = [pid for pid in node.monitors() if uid_of(pid, node) not in (None, uids["spared"])]
    expect_equal(len(victims), 3, "monitors to kill")
    node.process.kill()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    node.process.wait()
    node.start()
    for diary in diaries:
        item = space.wait(
            diary.name, "restarted", lambda item: item and counted(item) == [1] and condition(item, "Ready") == "True")
        expect_equal(container_status(item)["lastState"]["terminated"]["exitCode"], 137, "exit code of the first")
        eventually("the second begins", lambda: diary.lines().count("begin") == 2)  # pylint: disable=W0640
        expect_equal(diary.lines(), ["begin", "begin"], f"diary of {diary.name}")
        expect(not before[diary.name] & node.pod_processes(uids[diary.name]), "the first instance lives on")
    failed = space.wait_phase("never", "Failed", 5)
    expect_equal(terminated(failed)["exitCode"], 137, "exit code of a container that never restarts")
    expect_equal(node.pod_processes(uids["never"]), set(), "its processes")
    expect_equal(never.lines(), ["begin"], "its diary")
    expect_equal(node.pod_processes(uids["spared"]), before["spared"], "processes of a pod whose monitor was spared")
    expect_equal(counted(space.pod("spared")), [0], "its restarts")
    node.stop_all()


def uid_of(monitor, node):
    """The UID of the pod whose container a monitor watches, by the cgroup of its child."""
    with open(f"/proc/{monitor}/task/{monitor}/children", encoding="ascii") as file:
        children = file.read().split()
    for child in children:
        with open(f"/proc/{child}/cgroup", encoding="ascii") as file:
            for line in file:
                if f"/swiftlet-{node.identity}/" in line and "/pod" in line:
                    return line.split("/pod", 1)[1].split("/")[0]
    return None


@case("a monitor that is killed takes its container with it within 5 s, also in a pod that never restarts")
def monitor_of_never(space, node):
    others = set(node.monitors())
    space.create(pod("never", idle()))
    uid = space.wait_ready("never")["metadata"]["uid"]
    mine = set(node.monitors()) - others
    expect_equal(len(mine), 1, "monitors of one container")
    os.kill(mine.pop(), signal.SIGKILL)
    began = time.monotonic()
    failed = space.wait_phase("never", "Failed", 5)
    expect(time.monotonic() - began < 5, "it took more than 5 s")
    expect_equal(terminated(failed)["exitCode"], 137, "exit code")
    expect_equal(node.pod_processes(uid), set(), "processes")


@case("a container's first process killed under its probes and hook: one true exit, no process left, one restart")
def init_under_probes(space, node):
    hanging = {"exec": {"command": ["sleep", "31536001"]}, "periodSeconds": 1, "timeoutSeconds": 3600}
    directory = node.directory / f"life-{space.name}"
    directory.mkdir()
    script = says("begin") + "exec sleep 100000"
    life = Life(
        directory, "probed",
        speaker(script, livenessProbe=hanging, readinessProbe=hanging,
                lifecycle={"postStart": hook(says("hook") + "test -e /life/again || sleep 31536001")}))
    uid = space.create(life.pod)["metadata"]["uid"]
    life.said("hook")
    # Two probes and a hook, the container, and the hook's shell.
    eventually("the probes hang, or wait for the hook", lambda: len(node.pod_processes(uid)) >= 3)
    pid = node.init_process(uid)
    expect(pid is not None, "no first process")
    before = node.pod_processes(uid)
    life.open("again")
    os.kill(pid, signal.SIGKILL)
    eventually("everything of the first instance ends", lambda: not before & node.pod_processes(uid), 2)
    item = space.wait(
        "probed", "restarted", lambda item: item and counted(item) == [1] and container_status(item)["state"].get(
            "running"), 20)
    expect_equal(container_status(item)["lastState"]["terminated"]["exitCode"], 137, "exit code")
    expect_equal(container_status(item)["lastState"]["terminated"]["reason"], "Error", "reason")
    life.said("begin", times=2)
    expect_equal(life.lines().count("begin"), 2, "instances")


def process_with_number(pid):
    """A process of the host's with just this pid: what the kernel may give any program once the number is free."""
    for _ in range(200):
        pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1), encoding="ascii")
        stranger = subprocess.Popen(["/bin/sleep", "31536000"], start_new_session=True)
        if stranger.pid == pid:
            return stranger
        stranger.kill()
        stranger.wait()
    raise AssertionError(f"pid {pid} was not to be had")


@case("processes of the host that got the numbers of a dead container and its monitor are never signalled", alone=True)
def reused_pids(world):
    node = world.new_node("reused").start()
    space = world.space(node)
    directory = world.temporary("reused")
    diary = Diary(directory, "gone")
    space.create(diary.pod(restartPolicy="Never"))
    uid = space.wait_ready("gone")["metadata"]["uid"]
    eventually("the diary begins", diary.lines)
    numbers = [node.init_process(uid), *node.monitors()]
    expect_equal(len(numbers), 2, "the container's first process and its monitor")
    node.process.kill()
    for pid in numbers:
        os.kill(pid, signal.SIGKILL)
    node.process.wait()
    eventually("both are gone", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in numbers))
    strangers = [process_with_number(pid) for pid in numbers]
    try:
        node.start()
        failed = space.wait_phase("gone", "Failed", 5)
        expect_equal(terminated(failed)["exitCode"], 137, "exit code")
        space.delete("gone", grace=1)
        space.wait_gone("gone")
        node.stop_all()
        for stranger in strangers:
            expect_equal(stranger.poll(), None, f"exit status of the stranger with pid {stranger.pid}")
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()


@case("a monitor that does not answer delays its own pod alone when the agent comes back")
def silent_monitor(world):
    node = world.new_node("silent").start()
    space = world.space(node)
    directory = world.temporary("silent")
    diaries = [Diary(directory, name) for name in ("silent", "other")]
    uids = {}
    for diary in diaries:
        space.create(diary.pod())
        uids[diary.name] = space.wait_ready(diary.name)["metadata"]["uid"]
        eventually("the diary begins", diary.lines)
    before = {name: node.settled_processes(uid) for name, uid in uids.items()}
    stopped = next(pid for pid in node.monitors() if uid_of(pid, node) == uids["silent"])
    node.kill()
    os.kill(stopped, signal.SIGSTOP)
    try:
        node.start()
        space.delete("other", grace=1)
        space.wait_gone("other", 10)
        space.create(pod("new", idle()))
        space.wait_ready("new", 10)
        expect_equal(condition(space.pod("silent"), "Ready"), "True", "Ready of the pod whose monitor is silent")
    finally:
        os.kill(stopped, signal.SIGCONT)
    space.delete("silent", grace=1)
    space.wait_gone("silent")
    expect_equal(diaries[0].lines(), ["begin", "end"], "diary of the pod whose monitor was silent")
    expect(not before["silent"] & node.pod_processes(), "its processes live on")
    node.stop_all()


@case("monitors that come late, even after the agent's death and return: one instance of each container, once they come")
def late_monitors(world):
    place = world.temporary("late")
    binaries = place / "bin"
    binaries.mkdir()
    os.link(world.binaries / "swiftlet", binaries / "swiftlet")
    os.link(world.binaries / "swiftlet-monitor", binaries / "on-time")
    held = place / "held"
    script = binaries / "swiftlet-monitor"
    begun = place / "begun"
    begun.touch()
    # Only those of containers come late, which get no words that begin like this.
    script.write_text(
        f'#!/bin/sh\ncase "$1" in probe | unmount) exec {binaries}/on-time "$@" ;; esac\n'
        f'echo $$ >>{begun}\nwhile test -e {held}; do sleep 0.05; done\nexec {binaries}/on-time "$@"\n')
    script.chmod(0o755)
    node = world.new_node("late")
    node.binaries = binaries
    node.start()
    space = world.space(node)
    diaries = [Diary(place, f"late-{number}") for number in range(3)]

    def waiting_monitors():
        """Of those that have begun, the ones that are still the script's shell."""
        found = 0
        for pid in begun.read_text().split():
            try:
                found += pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/bin/sh\0")
            except OSError:
                continue
        return found

    held.touch()
    try:
        for diary in diaries[:2]:
            space.create(diary.pod())
        eventually("two monitors are late", lambda: waiting_monitors() == 2)
        node.kill()
        node.start()
        space.create(diaries[2].pod())
        eventually("three containers wait", lambda: waiting_monitors() >= 3)
    finally:
        # Whatever came of it, nothing may wait for ever.
        held.unlink()
    for diary in diaries:
        uid = space.wait_ready(diary.name)["metadata"]["uid"]
        eventually("the diary begins", diary.lines)
        eventually("one instance", lambda: len(node.pod_processes(uid)) == 2)  # pylint: disable=W0640
        expect_equal(diary.lines(), ["begin"], f"diary of {diary.name}")
    eventually("no monitor is late", lambda: waiting_monitors() == 0)
    node.stop_all()
