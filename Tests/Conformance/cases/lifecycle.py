"""From start to end of a pod: order, restarts, phases, graceful deletion."""

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.pods import idle, pod, shell
from rig.space import condition, container_status, terminated, waiting


def shared(path="/shared"):
    return [{"name": "shared", "mountPath": path}]


@case("init containers run one after the other, before the others")
def init_order(space):
    def step(number):
        return shell(
            f"echo begin {number} >>/shared/log; sleep 0.1; echo end {number} >>/shared/log",
            f"init-{number}",
            volumeMounts=shared(),
        )

    space.create(
        pod(
            "ordered",
            shell("cat /shared/log", volumeMounts=shared()),
            initContainers=[step(1), step(2), step(3)],
            volumes=[{"name": "shared", "emptyDir": {}}],
        )
    )
    expected = "".join(f"begin {number}\nend {number}\n" for number in (1, 2, 3))
    expect_equal(space.finished_log("ordered"), expected, "the order")
    states = [item["state"]["terminated"]["reason"] for item in space.pod("ordered")["status"]["initContainerStatuses"]]
    expect_equal(states, ["Completed"] * 3, "states of the init containers")


@case("an init container that fails ends a pod that never restarts, and its containers never start")
def init_failure(space):
    space.create(pod("stuck", idle(), initContainers=[shell("exit 3", "first")]))
    failed = space.wait_phase("stuck", "Failed")
    expect_equal(failed["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 3, "exit code")
    expect(not container_status(failed).get("state", {}).get("running"), "the container runs although its init failed")


@case("restartPolicy Never: exit codes become phases")
def never(kubectl, space):
    space.create(pod("good", shell("exit 0")))
    space.create(pod("bad", shell("exit 42")))
    expect_equal(terminated(space.wait_phase("good", "Succeeded"))["reason"], "Completed", "reason of exit 0")
    ended = terminated(space.wait_phase("bad", "Failed"))
    expect_equal((ended["exitCode"], ended["reason"]), (42, "Error"), "end of exit 42")
    expect_equal(container_status(space.pod("bad"))["restartCount"], 0, "restarts")
    rows = {line.split()[0]: line.split()[2] for line in kubectl("get", "pods").splitlines()[1:]}
    expect_equal((rows["good"], rows["bad"]), ("Completed", "Error"), "STATUS column")


@case("restartPolicy OnFailure restarts until success")
def on_failure(space):
    script = "test -e /shared/once && exit 0; touch /shared/once; exit 7"
    space.create(
        pod(
            "retry",
            shell(script, volumeMounts=shared()),
            restartPolicy="OnFailure",
            volumes=[{"name": "shared", "emptyDir": {}}],
        )
    )
    status = container_status(space.wait_phase("retry", "Succeeded", 30))
    expect_equal(status["restartCount"], 1, "restarts")
    expect_equal(status["lastState"]["terminated"]["exitCode"], 7, "the first exit")


@case("restartPolicy Always: a crash is seen as CrashLoopBackOff with reason and message")
def crash_loop(kubectl, space):
    space.create(pod("crasher", shell("echo attempt; exit 5"), restartPolicy="Always"))
    state = space.wait_waiting("crasher", "CrashLoopBackOff", 30)
    expect_contains(state["message"], "back-off", "the message")
    expect_contains(state["message"], "crasher", "the message")
    status = container_status(space.pod("crasher"))
    expect_equal(status["lastState"]["terminated"]["exitCode"], 5, "the last exit")
    expect_contains(kubectl("get", "pod", "crasher"), "CrashLoopBackOff", "get")
    space.wait_event("crasher", "BackOff", 5)
    expect_equal(space.pod("crasher")["status"]["phase"], "Running", "phase")
    again = space.wait("crasher", "restarted", lambda item: container_status(item).get("restartCount", 0) >= 1, 25)
    expect_equal(condition(again, "Ready"), "False", "Ready")
    expect_contains(kubectl("logs", "crasher", "--previous"), "attempt", "logs of the instance before")


@case("deletion sends SIGTERM, waits for the handler, and the object goes only after the processes")
def graceful(kubectl, space):
    space.create(
        pod(
            "polite",
            shell("trap 'echo bye; sleep 1; echo gone; exit 0' TERM; echo up; sleep 100000 & wait"),
            terminationGracePeriodSeconds=10,
        )
    )
    uid = space.wait_ready("polite")["metadata"]["uid"]
    eventually("the handler is set", lambda: "up" in space.log("polite"))
    with Follower(kubectl.follow("logs", "-f", "polite")) as follower:
        follower.until("the log", lambda line: line == "up")
        space.delete("polite")
        deleted = space.pod("polite")
        expect(deleted["metadata"].get("deletionTimestamp"), "a pod in deletion has a deletionTimestamp")
        gone_with = []
        space.wait(
            "polite",
            "gone",
            lambda item: item is None and (gone_with.append(space.node.pod_processes(uid)) or True),
            15,
        )
        expect_equal(gone_with[-1], set(), "processes when the object is gone")
        expect_equal([line for line in follower.rest() if line != "up"], ["bye", "gone"], "the handler's words")
    space.wait_event("polite", "Killing")


@case("a container that ignores SIGTERM is killed when its grace is over")
def stubborn(space):
    space.create(
        pod("stubborn", shell("trap '' TERM; echo up; while :; do sleep 0.1; done"), terminationGracePeriodSeconds=1)
    )
    uid = space.wait_ready("stubborn")["metadata"]["uid"]
    eventually("the handler is set", lambda: "up" in space.log("stubborn"))
    ended = []

    def follow(item):
        if item is not None and terminated(item):
            ended.append(terminated(item)["exitCode"])
        return item is None

    space.delete("stubborn")
    space.wait("stubborn", "gone", follow, 15)
    expect(set(ended) <= {137}, f"exit codes of the killed container: {ended}")
    expect_equal(space.node.pod_processes(uid), set(), "processes when the object is gone")


@case("a pod that waits for nothing has no reason to wait in its status")
def running_state(space):
    space.create(pod("calm", idle()))
    ready = space.wait_ready("calm")
    expect_equal(waiting(ready), {}, "waiting")
    expect("startedAt" in container_status(ready)["state"]["running"], "running since")
