"""The agent may stop, be killed and start again at any moment: pods do not notice."""

import os
import signal
import subprocess
import threading

from rig.api import APIFailure
from rig.case import case
from rig.expectation import Failure, eventually, expect, expect_equal
from rig.oracle import Diary
from rig.pods import idle, pod, shell
from rig.space import condition, container_status, since, terminated

KILLS = int(os.environ.get("SWIFTLET_CONFORMANCE_KILLS", "50"))


def readiness(item):
    """What must not change, even for a moment: phase, Ready and since when it is so, the container and its restarts."""
    status = container_status(item)
    return (
        item["status"].get("phase"), condition(item, "Ready"), since(item, "Ready"), status.get("containerID"),
        status.get("restartCount"))


@case("SIGTERM ends the agent with 0 and leaves containers running; its restart adopts them without a change of status")
def restart(world):
    node = world.new_node("restart").start()
    space = world.space(node)
    gate = node.directory / "gate"
    gate.mkdir()
    space.create(pod("steady", idle(), restartPolicy="Always"))
    space.create(
        pod(
            "brief",
            shell(
                "until test -e /gate/on; do sleep 0.05; done; exit 4",
                volumeMounts=[{"name": "gate", "mountPath": "/gate"}],
            ),
            volumes=[{"name": "gate", "hostPath": {"path": str(gate)}}],
        )
    )
    before = space.wait_ready("steady")
    space.wait_ready("brief")
    processes = node.settled_processes(before["metadata"]["uid"])
    expect(len(processes) >= 2, f"processes of the pod: {processes}")
    expect_equal(node.terminate(), 0, "exit status after SIGTERM")
    expect_equal(node.pod_processes(before["metadata"]["uid"]), processes, "processes without an agent")
    (gate / "on").touch()
    eventually("the brief pod ends without an agent", lambda: len(node.monitors()) == 1, 10)
    node.start()
    space.wait_phase("brief", "Failed")
    expect_equal(terminated(space.pod("brief"))["exitCode"], 4, "exit code that only the monitor saw")
    expect_equal(readiness(space.pod("steady")), readiness(before), "status after the restart")
    expect_equal(node.pod_processes(before["metadata"]["uid"]), processes, "processes after the restart")
    node.stop_all()


@case("a pod whose namespaces somebody unmounts goes on, and its next container gets them anew, with all of the pod")
def unpinned(world):
    node = world.new_node("unpinned").start()
    space = world.space(node)
    space.create(pod("torn", idle("first"), idle("second"), restartPolicy="Always"))
    uid = space.wait_ready("torn")["metadata"]["uid"]
    records = [path for path in (node.run / "sandboxes").glob("*/record") if uid.encode() in path.read_bytes()]
    expect_equal(len(records), 1, "sandboxes of the pod")
    pin = records[0].parent / "net"
    subprocess.run(["umount", str(pin)], check=True)
    expect_equal(condition(space.pod("torn"), "Ready"), "True", "readiness without the pin")
    before = set(node.init_processes(uid))
    expect_equal(len(before), 2, "containers of the pod")
    os.kill(min(before), signal.SIGKILL)
    again = space.wait(
        "torn",
        "both containers in a new sandbox",
        lambda item: item
        and all(container_status(item, name).get("restartCount") == 1 for name in ("first", "second"))
        and condition(item, "Ready") == "True",
        40,
    )
    expect(not records[0].parent.joinpath("ipc").is_mount(), "the old sandbox has let go of its namespaces")
    after = set(node.init_processes(uid))
    expect(len(after) == 2 and not after & before, f"processes {before} became {after}; status {again['status']}")
    expect_equal(len({os.stat(f"/proc/{pid}/ns/net").st_ino for pid in after}), 1, "networks of the pod")
    node.stop_all()


@case("a killed monitor means a killed container: exit 137, and it is restarted")
def killed_monitor(world):
    node = world.new_node("monitor").start()
    space = world.space(node)
    diary = Diary(world.temporary("monitor"), "orphan")
    space.create(diary.pod())
    uid = space.wait_ready("orphan")["metadata"]["uid"]
    eventually("the diary begins", diary.lines)
    before = node.settled_processes(uid)
    monitors = node.monitors()
    expect_equal(len(monitors), 1, "monitors of one container")
    os.kill(monitors[0], signal.SIGKILL)
    again = space.wait(
        "orphan",
        "restarted",
        lambda item: item and container_status(item).get("restartCount") == 1 and condition(item, "Ready") == "True",
        30,
    )
    expect_equal(container_status(again)["lastState"]["terminated"]["exitCode"], 137, "exit code of the first")
    expect(not before & node.pod_processes(uid), "processes of the first instance are left")
    eventually("the second begins", lambda: diary.lines().count("begin") == 2)
    expect_equal(diary.lines().count("double"), 0, "two at once")
    node.stop_all()


class Churn(threading.Thread):
    """Creates and deletes pods, one at a time, whatever happens to the node."""

    def __init__(self, space, directory):
        super().__init__(daemon=True)
        self.space, self.directory = space, directory
        self.diaries, self.problems = [], []
        self._over = threading.Event()

    def run(self):
        try:
            while not self._over.is_set():
                self._one_life()
        except Failure as failure:
            self.problems.append(str(failure))

    def finish(self):
        self._over.set()
        self.join(timeout=150)
        if self.is_alive():
            self.problems.append("the last pod of the churn does not come to its end within 150 s")

    def _one_life(self):
        diary = Diary(self.directory, f"churn-{len(self.diaries)}")
        self.diaries.append(diary)
        self._insist(lambda: self.space.create(diary.pod()), 409)
        # An agent that is killed twice a second may start nothing on a slow machine before that is over.
        item = self.space.wait(
            diary.name, "running", lambda item: item and item["status"].get("phase") == "Running", 60
        )
        if container_status(item).get("restartCount"):
            self.problems.append(f"{diary.name} is counted as restarted: {container_status(item)}")
        self._insist(lambda: self.space.delete(diary.name, grace=1), 404)
        self.space.wait_gone(diary.name, 60)
        if diary.lines() not in (["begin"], ["begin", "end"], ["end"], []):
            self.problems.append(f"{diary.name}: {diary.lines()}")

    @staticmethod
    def _insist(request, done):
        """Repeats a request until it is answered; an answer may have been lost, then `done` is the second one."""

        def answered():
            try:
                request()
            except APIFailure as failure:
                if failure.status != done:
                    raise Failure(str(failure)) from failure
            except OSError:
                return False
            return True

        eventually("an answer of the endpoint", answered, 40)


@case(f"killed {KILLS} times at random moments, the node loses, doubles and restarts no pod", alone=True)
def killed_agent(world):
    node = world.new_node("kill").start()
    space = world.space(node)
    directory = world.temporary("diaries")
    diaries = [Diary(directory, f"steady-{number}") for number in range(3)]
    for diary in diaries:
        space.create(diary.pod())
    before = {diary.name: space.wait_ready(diary.name) for diary in diaries}
    uids = {name: item["metadata"]["uid"] for name, item in before.items()}
    for diary in diaries:
        eventually("the diary begins", diary.lines)
    processes = {name: node.settled_processes(uid) for name, uid in uids.items()}
    churn = Churn(space, directory)
    churn.start()
    pause = threading.Event()
    for _ in range(KILLS):
        # The random moment is the test, not a wait for something.
        pause.wait(world.random.uniform(0, 1.0))
        node.kill()
        node.launch()
    node.wait_ready()
    churn.finish()
    expect(not churn.problems, "; ".join(churn.problems))
    expect(len(churn.diaries) > 1, "no pod came and went during the kills")
    for diary in diaries:
        item = space.wait_ready(diary.name)
        expect_equal(readiness(item), readiness(before[diary.name]), f"status of {diary.name}")
        expect_equal(diary.lines(), ["begin"], f"diary of {diary.name}")
        expect_equal(node.pod_processes(uids[diary.name]), processes[diary.name], f"processes of {diary.name}")
    expected = set().union(*processes.values())
    eventually("only the steady pods run", lambda: node.pod_processes() == expected, 10)
    eventually("only their monitors run", lambda: len(node.monitors()) == len(diaries), 10)
    listed = {item["metadata"]["name"] for item in space.api.get(space.path("pods"))["items"]}
    expect_equal(listed, set(uids), "pods in the endpoint")
    kept = {path.name for path in (node.root / "pods").iterdir()}
    expect(set(uids.values()) <= kept, "directories of running pods are gone")
    eventually(
        "directories of deleted pods go",
        lambda: {path.name for path in (node.root / "pods").iterdir()} == set(uids.values()),
        10,
    )
    node.stop_all()
