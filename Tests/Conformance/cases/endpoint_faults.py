"""The endpoint goes, comes back or answers nonsense: the agent goes on with what it knows."""

import datetime
import shutil
import time

from rig.apart import Agent
from rig.archives import busybox_layer, docker_archive
from rig.case import case
from rig.expectation import WAITING, eventually, expect, expect_equal
from rig.life import UNTIL_TOLD, Life, says, speaker, steady, waits
from rig.pods import idle, pod
from rig.proxy import LIES, Proxy
from rig.space import condition, container_status, terminated

# How long the endpoint is gone.
AWAY = 20
IMAGE = "example.org/busybox:1"


def apart(world, name, **options):
    """An agent and its endpoint, both running, with an image: that of the host is for an endpoint in the same process."""
    node = Agent(world, name, **options).start()
    archive = docker_archive(node.directory / "busybox.tar", IMAGE, busybox_layer())
    imported = node.swiftlet("image", "import", str(archive))
    expect_equal(imported.returncode, 0, f"import: {imported.stderr}")
    return node


def lease_age(node):
    """Seconds since the node said that it lives."""
    lease = node.api.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node.name}")
    renewed = datetime.datetime.fromisoformat(lease["spec"]["renewTime"].replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.timezone.utc) - renewed).total_seconds()


def identity(item):
    """What must stay as it is for a pod to which nothing happened."""
    status = container_status(item)
    return (
        item["status"]["phase"], condition(item, "Ready"), status["containerID"], status["restartCount"],
        item["status"]["startTime"], item["status"]["podIP"])


@case(f"endpoint and agent apart: while the endpoint is gone for {AWAY} s pods run, crash and restart; then it learns all")
def endpoint_gone(world):
    node = apart(world, "apart")
    space = world.space(node)
    directory = world.temporary("apart")
    still = Life(directory, "still", steady(image=IMAGE))
    once = "test -e /life/crashed || { echo >/life/crashed; exit 7; }; "
    crashes = Life(
        directory, "crashes", speaker(says("begin") + waits("crash") + once + UNTIL_TOLD, image=IMAGE))
    ends = Life(directory, "ends", speaker(says("begin") + waits("end") + "exit 5", image=IMAGE), restartPolicy="Never")
    doomed = Life(directory, "doomed", steady(image=IMAGE))
    before = {}
    for life in (still, crashes, ends, doomed):
        space.create(life.pod)
    for life in (still, crashes, ends, doomed):
        before[life.name] = space.wait_ready(life.name)
        life.said("begin")
    processes = node.settled_processes(before["still"]["metadata"]["uid"])
    node.endpoint.kill()
    gone_at = time.monotonic()
    crashes.open("crash")
    ends.open("end")
    eventually("the crashed container runs again", lambda: crashes.lines() == ["begin", "begin"])

    def end():
        time.sleep(max(0.0, gone_at + AWAY - time.monotonic()))
        expect_equal(node.process.poll(), None, "the agent's exit")
        expect_equal(node.pod_processes(before["still"]["metadata"]["uid"]), processes, "processes of the steady pod")
        node.endpoint.start()
        back_at = time.monotonic()
        space.delete("doomed", grace=1)
        item = space.wait(
            "crashes", "told", lambda item: item and container_status(item)["restartCount"] == 1
            and condition(item, "Ready") == "True", 15)
        expect_equal(terminated(item).get("exitCode"), 7, "exit code that the endpoint missed")
        expect_equal(terminated(space.wait_phase("ends", "Failed", 15))["exitCode"], 5, "exit code of the ended pod")
        space.wait_gone("doomed", 15)
        eventually("a fresh lease", lambda: lease_age(node) < 10, 15)
        eventually("a ready node", node.is_ready, 10)
        expect(time.monotonic() - back_at < 15 * WAITING, f"it took {time.monotonic() - back_at:.1f} s to be exact")
        expect_equal(identity(space.pod("still")), identity(before["still"]), "the steady pod")
        expect_equal(still.lines(), ["begin"], "its lines")
        expect_equal(doomed.lines(), ["begin", "end"], "lines of the deleted pod")
        expect_equal(crashes.lines(), ["begin", "begin"], "lines of the pod that crashed")
        node.stop_all()

    return end


@case("an endpoint that answers 429, 5xx, half JSON, HTML, a redirect or nonsense ends no pod, and is not flooded")
def hostile_endpoint(world):
    node = apart(world, "proxied", with_proxy=True)
    proxy = node.proxy
    space = world.space(node)
    directory = world.temporary("proxied")
    lives = [Life(directory, f"still-{number}", steady(image=IMAGE)) for number in range(2)]
    for life in lives:
        space.create(life.pod)
    before = {life.name: space.wait_ready(life.name) for life in lives}
    for life in lives:
        life.said("begin")
    problems = []
    for lie in LIES:
        told = len(proxy.told)
        proxy.lie(lie)
        eventually(f"the agent asks during {lie}", lambda: len(proxy.told) > told, 15, 0.02)  # pylint: disable=W0640
    began, told = time.monotonic(), len(proxy.told)
    proxy.lie("500")
    # The rate is the test: for how long it is looked at is arbitrary.
    time.sleep(4)
    rate = (len(proxy.told) - told) / (time.monotonic() - began)
    if rate > 10:
        problems.append(f"{rate:.1f} requests each second")
    proxy.lie(None)
    space.create(pod("after", idle(image=IMAGE)))
    space.wait_ready("after", 30)
    eventually("a fresh lease", lambda: lease_age(node) < 10, 15)
    for life in lives:
        if identity(space.pod(life.name)) != identity(before[life.name]) or life.lines() != ["begin"]:
            problems.append(f"{life.name}: {identity(space.pod(life.name))} {life.lines()}")
    for life in lives:
        space.delete(life.name, grace=1)
    for life in lives:
        space.wait_gone(life.name)
    expect(not problems, "; ".join(problems))
    node.stop_all()


@case("a pod deleted by force and created anew while the agent hears nothing: the old one ends, the new one runs")
def replaced_unheard(world):
    node = apart(world, "unheard", with_proxy=True)
    space = world.space(node)
    life = Life(world.temporary("unheard"), "twin", steady(image=IMAGE))
    old = space.create(life.pod)["metadata"]["uid"]
    space.wait_ready("twin")
    life.said("begin")
    told = len(node.proxy.told)
    # After it the agent lists anew.
    node.proxy.lie("410")
    eventually("the agent asks", lambda: len(node.proxy.told) > told)
    space.delete("twin", grace=0)
    new = space.create(life.pod)["metadata"]["uid"]
    node.proxy.lie(None)
    space.wait_ready("twin", 30)
    eventually("the old one is gone", lambda: not node.pod_processes(old), 10)
    expect(node.pod_processes(new), "the new one does not run")
    life.said("begin", times=2)
    expect_equal(life.lines(), ["begin", "end", "begin"], "the lines of both")
    node.stop_all()


@case("an endpoint restored from an older backup ends no pod that it has forgotten, nor does an agent that starts beside it")
def restored_from_backup(world):
    node = apart(world, "restored")
    space = world.space(node)
    root, backup = node.endpoint.root, world.temporary("backup") / "root"
    node.endpoint.kill()
    shutil.copytree(root, backup)
    node.endpoint.start()
    directory = world.temporary("restored")
    lives = [Life(directory, f"kept-{number}", steady(image=IMAGE)) for number in range(3)]
    uids = [space.create(life.pod)["metadata"]["uid"] for life in lives]
    for life in lives:
        space.wait_ready(life.name)
        life.said("begin")
    before = {uid: node.settled_processes(uid) for uid in uids}
    node.endpoint.kill()
    shutil.rmtree(root)
    shutil.copytree(backup, root)
    node.endpoint.start()

    def held():
        events = node.api.get("/api/v1/namespaces/default/events")["items"]
        return [event for event in events if event["reason"] == "DeletionHeld"]

    eventually("the node says that it keeps what the endpoint has forgotten", held, 30)
    expect("lacks 3 of the 3 pods" in held()[0]["message"], f"what it says: {held()[0]['message']}")
    expect_equal({uid: node.pod_processes(uid) for uid in uids}, before, "processes of the forgotten pods")
    told = held()[0]["count"]
    node.kill()
    node.start()
    eventually("the next agent says so, too", lambda: held()[0]["count"] > told or len(held()) > 1, 30)
    # Whoever bears a forgotten pod's name takes its place; nobody else goes.
    twin = space.create(lives[0].pod)["metadata"]["uid"]
    space.wait_ready(lives[0].name)
    eventually("the replaced pod is gone", lambda: not node.pod_processes(uids[0]), 15)
    expect(node.pod_processes(twin), "the new pod does not run")
    lives[0].said("begin", times=2)
    expect_equal(lives[0].lines(), ["begin", "end", "begin"], "lines of the replaced pod and the new one")
    expect_equal({uid: node.pod_processes(uid) for uid in uids[1:]}, {uid: before[uid] for uid in uids[1:]}, "the others")
    node.stop_all()
