"""What the node says of a pod's past and of what it waits for."""

import json
import re

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell
from rig.space import container_status


def why(node, space, name):
    """The parsed answer of `swiftlet why`."""
    result = node.swiftlet("why", f"{space.name}/{name}", "-o", "json")
    expect_equal(result.returncode, 0, f"why {name}: {result.stderr}")
    return json.loads(result.stdout)


def entries(report, kind, reason=None):
    return [item for item in report["timeline"] if item["kind"] == kind and reason in (None, item["reason"])]


@case("why tells of a crash loop what ended it and when it goes on, also to the agent after a killed one")
def crash_loop(world):
    node = world.new_node("why").start()
    space = world.space(node)
    space.create(pod("crasher", shell("exit 3"), restartPolicy="Always"))
    space.wait(
        "crasher",
        "in its second back-off",
        lambda item: container_status(item).get("restartCount", 0) >= 2
        and container_status(item).get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff",
        40,
    )
    before = why(node, space, "crasher")
    expect(
        re.match(
            r"crasher is not ready: container main crashed \d+ times, last exit code 3 \(Error\) \d+ s ago; "
            r"next start in \d+ s \(back-off 20s\)$",
            before["answer"],
        ),
        f"the answer: {before['answer']}",
    )
    ends = sum(item["count"] for item in entries(before, "ended"))
    expect(ends >= 2, f"ends in the timeline: {entries(before, 'ended')}")
    expect(entries(before, "started"), f"no start in the timeline: {before['timeline']}")
    expect(entries(before, "event", "BackOff"), f"no event in the timeline: {before['timeline']}")
    listed = node.swiftlet("ps").stdout
    expect(re.search(r"CrashLoopBackOff \(next start in \d+s\)", listed), f"ps: {listed}")
    eventually(
        "the timeline is on disk",
        lambda: (node.root / "pods" / before["uid"] / "timeline").read_text().count('"ended"') >= 2,
        5,
    )

    node.kill()
    node.start()
    after = eventually(
        "the next agent has looked at the pod",
        lambda: (lambda report: report if "crashed" in report["answer"] else None)(why(node, space, "crasher")),
        10,
    )
    expect_contains(after["answer"], "last exit code 3 (Error)", "the answer to the next agent")
    expect_equal(len(entries(after, "agent", "AgentStarted")), 1, "entries of the next agent")
    for item in before["timeline"]:
        same = [new for new in after["timeline"] if (new["kind"], new["reason"]) == (item["kind"], item["reason"])]
        expect(
            any(new["first"] == item["first"] and new["count"] >= item["count"] for new in same),
            f"the next agent has lost {item}: {same}",
        )
    text = node.swiftlet("why", "crasher", "-n", space.name)
    expect_equal(text.returncode, 0, f"why: {text.stderr}")
    expect_contains(text.stdout, "ended with exit code 3 (Error)", "the timeline")
    expect_contains(text.stdout, "found the pod", "the timeline")

    uid = after["uid"]
    space.delete("crasher", grace=0)
    space.wait_gone("crasher")
    eventually("its directory goes, with the timeline", lambda: not (node.root / "pods" / uid).exists(), 10)
    gone = eventually(
        "the pod is gone to why",
        lambda: (lambda report: report if report["state"] == "gone" else None)(why(node, space, "crasher")),
        5,
    )
    expect_contains(gone["answer"], "crasher is gone from this node: it was ", "the answer of a deleted pod")
    expect_equal(sum(item["count"] for item in entries(gone, "ended")) >= ends, True, "ends of the deleted pod")
    node.stop_all()


@case("why says that a pod is fine, that it is being deleted, and what a wrong name may have meant")
def answers(space, node):
    space.create(pod("calm", idle()))
    space.wait_ready("calm")
    report = why(node, space, "calm")
    expect_contains(report["answer"], "calm is fine: running and ready", "the answer of a ready pod")
    expect_equal(report["state"], "ready", "state of a ready pod")
    wrong = node.swiftlet("why", f"{space.name}/clam")
    expect_equal(wrong.returncode, 1, "exit status for a name that is not there")
    absent = node.swiftlet("why", f"{space.name}/cal")
    expect_equal(absent.returncode, 1, "exit status for a name that is not there")
    expect_contains(absent.stderr, f"did you mean {space.name}/calm", "the hint")
    space.create(
        pod("stubborn", shell("trap '' TERM; echo up; while :; do sleep 0.1; done"), terminationGracePeriodSeconds=8)
    )
    space.wait_ready("stubborn")
    eventually("the handler is set", lambda: "up" in space.log("stubborn"))
    space.delete("stubborn")
    space.wait("stubborn", "in deletion", lambda item: item and item["metadata"].get("deletionTimestamp"))
    going = why(node, space, "stubborn")["answer"]
    expect(
        re.match(r"stubborn is being deleted: main has \d+ s of its grace left$", going), f"the answer: {going}"
    )
    space.delete("stubborn", grace=0)
    space.wait_gone("stubborn")


@case("why names the image that is not on the node, and the init container that is waited for")
def obstacles(space, node):
    space.create(pod("imageless", dict(idle(), image="example.org/absent:1")))
    space.wait_waiting("imageless", ("ErrImagePull", "ImagePullBackOff"))
    expect_contains(why(node, space, "imageless")["answer"], "example.org/absent:1", "the answer")
    space.create(pod("stuck", idle(), initContainers=[shell("exit 0", "first"), idle("fetch")]))
    space.wait(
        "stuck",
        "in its second init container",
        lambda item: any(
            status["name"] == "fetch" and "running" in status.get("state", {})
            for status in (item or {}).get("status", {}).get("initContainerStatuses", [])
        ),
    )
    expect_contains(
        why(node, space, "stuck")["answer"], "waits for init container fetch (2 of 2), which is running", "the answer"
    )
