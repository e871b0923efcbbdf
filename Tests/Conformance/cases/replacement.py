"""One pod takes the place of another: the old one is gone before the new one begins."""

import json
import os
import threading

from rig.case import case
from rig.expectation import eventually, expect, expect_equal
from rig.oracle import SCRIPT, Diary
from rig.pods import pod, shell
from rig.space import condition, container_status, node_uid, since

RESTARTS = 10
# An end that takes a moment: an instance that begins meanwhile finds the lock taken.
SLOW_SCRIPT = SCRIPT.replace("trap 'echo", "trap 'sleep 0.7; echo")


def slow(diary, **spec):
    """The diary's pod; it takes a moment to end."""
    item = diary.pod(**spec)
    item["spec"]["containers"][0]["command"][2] = SLOW_SCRIPT
    return item


def write(file, item):
    """As editors do: a new file that replaces the old one."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(json.dumps(item))
    os.replace(new, file)


@case("a pod of the same name, created at once after a forced deletion, begins when the old one is gone")
def same_name(space, world):
    diary = Diary(world.temporary(f"same-{space.name}"), "twin")
    uids = set()
    for number in range(3):
        uids.add(space.create(slow(diary))["metadata"]["uid"])
        eventually("it begins", lambda: diary.lines().count("begin") == number + 1)  # pylint: disable=W0640
        space.wait_ready("twin")
        space.delete("twin", grace=0)
    uids.add(space.create(slow(diary))["metadata"]["uid"])
    item = space.wait_ready("twin")
    eventually("the last begins", lambda: diary.lines().count("begin") == 4)
    eventually("only the last runs", lambda: space.node.pod_processes(item["metadata"]["uid"]) and not any(
        space.node.pod_processes(uid) for uid in uids - {item["metadata"]["uid"]}))
    expect_equal(container_status(item)["restartCount"], 0, "restarts")
    expect_equal(len(uids), 4, "UIDs")
    expect_equal(diary.lines(), ["begin", "end"] * 3 + ["begin"], "the diary")


@case("a manifest that is edited again and again runs one pod at a time, and the last edit in the end")
def edited_manifest(space, node, world):
    diary = Diary(world.temporary(f"edited-{space.name}"), "edited")
    item = slow(diary, terminationGracePeriodSeconds=5)
    item["metadata"]["namespace"] = space.name
    name, file = f"edited-{node.name}", node.manifests / f"edited-{space.name}.json"
    try:
        write(file, item)
        space.wait_ready(name)
        eventually("it begins", diary.lines)
        # The second comes while the first ends, and is overtaken by the third.
        for number in range(1, 4):
            item["metadata"]["labels"]["edit"] = str(number)
            write(file, item)
            space.wait(
                name, f"edit {number}", lambda found: found and found["metadata"]["labels"].get("edit") == str(number),
                20)  # pylint: disable=W0640
        space.wait_ready(name)
        eventually("the last begins", lambda: diary.lines()[-1] == "begin" and diary.lines().count("begin") >= 2)
        lines = diary.lines()
        expect_equal(lines, ["begin", "end"] * (len(lines) // 2) + ["begin"], "the diary")
    finally:
        file.unlink(missing_ok=True)
    space.wait_gone(name)


@case("a manifest edited while the agent is down: the old pod is gone before the new one begins")
def edited_while_down(world):
    node = world.new_node("edited").start()
    space = world.space(node)
    place = world.temporary("edited")
    changed, same, gone = (Diary(place, name) for name in ("changed", "same", "gone"))
    files = {}
    for diary in (changed, same, gone):
        item = slow(diary, terminationGracePeriodSeconds=5)
        item["metadata"]["namespace"] = space.name
        files[diary] = node.manifests / f"{diary.name}.json"
        write(files[diary], item)
    before = {diary: space.wait_ready(f"{diary.name}-{node.name}") for diary in files}
    for diary in files:
        eventually("it begins", diary.lines)
    for round_ in range(2):
        if round_ == 0:
            expect_equal(node.terminate(), 0, "exit status")
        else:
            node.kill()
        item = slow(changed, terminationGracePeriodSeconds=5)
        item["metadata"]["namespace"] = space.name
        item["metadata"]["labels"]["round"] = str(round_)
        write(files[changed], item)
        files[gone].unlink(missing_ok=True)
        node.start()
        eventually("the new one begins", lambda: changed.lines().count("begin") == round_ + 2)  # pylint: disable=W0640
        expect_equal(changed.lines(), ["begin", "end"] * (round_ + 1) + ["begin"], "the diary")
        space.wait_gone(f"gone-{node.name}")
        expect_equal(gone.lines(), ["begin", "end"], "the diary of the pod whose file went")
    after = space.wait_ready(f"changed-{node.name}")
    expect(after["metadata"]["annotations"] != before[changed]["metadata"]["annotations"], "the mirror is the old one")
    expect_equal(same.lines(), ["begin"], "the diary of the pod whose file stayed")
    expect_equal(
        container_status(space.pod(f"same-{node.name}"))["containerID"], container_status(before[same])["containerID"],
        "its container")
    node.stop_all()


@case(f"{RESTARTS} quick restarts of the agent restart no container and flip no Ready")
def quick_restarts(world):
    node = world.new_node("quick").start()
    space = world.space(node)
    place = world.temporary("quick")
    api, static = Diary(place, "api"), Diary(place, "static")
    space.create(api.pod())
    item = static.pod()
    item["metadata"]["namespace"] = space.name
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    space.create(pod("probed", shell("trap 'exit 0' TERM; sleep 100000 & wait", readinessProbe=probe)))
    write(node.manifests / "static.json", item)
    names = ("api", f"static-{node.name}", "probed")
    before = {name: space.wait_ready(name) for name in names}
    for diary in (api, static):
        eventually("it begins", diary.lines)
    # Probes come and go in the third.
    processes = {name: node.settled_processes(node_uid(before[name])) for name in names[:2]}
    flips = []

    def look():
        for name in names:
            found = space.pod(name)
            state = (condition(found, "Ready"), since(found, "Ready"), container_status(found)["restartCount"],
                     container_status(found)["containerID"])
            expected = ("True", since(before[name], "Ready"), 0, container_status(before[name])["containerID"])
            if state != expected or found["metadata"]["uid"] != before[name]["metadata"]["uid"]:
                flips.append(f"{name}: {state}")

    for number in range(RESTARTS):
        # Some before the agent is all there.
        threading.Event().wait(world.random.uniform(0, 0.3))
        if number % 2:
            expect_equal(node.terminate(), 0, "exit status")
        else:
            node.kill()
        node.launch()
        eventually("the endpoint is back", lambda: node.process.poll() is None and node.is_ready(), 20)
        look()
    expect(not flips, "; ".join(flips))
    for name in names[:2]:
        expect_equal(node.pod_processes(node_uid(before[name])), processes[name], f"processes of {name}")
    expect_equal((api.lines(), static.lines()), (["begin"], ["begin"]), "the diaries")
    node.stop_all()
