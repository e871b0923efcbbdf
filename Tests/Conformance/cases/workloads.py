"""Workloads come alive: deployments, replica sets and jobs, and what becomes of what they own."""

import re

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.pods import idle, shell

APPS = "/apis/apps/v1/namespaces"
BATCH = "/apis/batch/v1/namespaces"


def deployment(name, replicas, container, **spec):
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def job(name, script, **spec):
    template = {
        "spec": {"containers": [shell(script)], "restartPolicy": "Never", "automountServiceAccountToken": False}
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


def pods_of(space, name):
    listed = space.api.get(space.path("pods", query={"labelSelector": f"app={name}"}))["items"]
    return [item for item in listed if "deletionTimestamp" not in item["metadata"]]


@case("a deployment rolls out, scales, rolls a change out and back, and goes with all it made")
def rollout(kubectl, space):
    kubectl("create", "-f", "-", given=deployment("web", 2, idle()))
    expect_contains(
        kubectl("rollout", "status", "deployment/web", "--timeout=60s", seconds=70), "successfully rolled out", "rollout"
    )
    row = kubectl("get", "deployment", "web").splitlines()[1].split()
    expect_equal(row[:4], ["web", "2/2", "2", "2"], "row of get deployment")
    kubectl("scale", "deployment", "web", "--replicas=3")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s", seconds=70)
    expect_equal(len(pods_of(space, "web")), 3, "pods after scaling up")

    def scalings():
        return [text for reason, text in space.events("web") if reason == "ScalingReplicaSet"]

    for step in ("from 0 to 2", "from 2 to 3"):
        eventually(f"the event of scaling {step}", lambda: any(text.endswith(step) for text in scalings()))
    kubectl("set", "env", "deployment/web", "COLOR=green")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s", seconds=70)
    envs = [item["spec"]["containers"][0].get("env") for item in pods_of(space, "web")]
    expect_equal(envs, [[{"name": "COLOR", "value": "green"}]] * 3, "environment after the change")
    words = re.compile(r"(\(combined from similar events\): )?Scaled (up|down) replica set web-\w+ from (\d+) to (\d+)")
    for text in scalings():
        match = words.fullmatch(text)
        expect(match and match[3] != match[4], f"an event of scaling: {text}")
    history = kubectl("rollout", "history", "deployment/web")
    expect(all(f"\n{number} " in history for number in (1, 2)), f"two revisions: {history}")
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s", seconds=70)
    expect(not any(item["spec"]["containers"][0].get("env") for item in pods_of(space, "web")), "environment after undo")
    sets = space.api.get(f"{APPS}/{space.name}/replicasets")["items"]
    expect_equal(sorted(item["spec"]["replicas"] for item in sets), [0, 3], "sizes of the sets")
    kubectl("delete", "deployment", "web")
    eventually("the sets go", lambda: not space.api.get(f"{APPS}/{space.name}/replicasets")["items"])
    eventually("the pods go", lambda: not pods_of(space, "web"))


@case("kubectl create deployment makes one, and a pod that is deleted is replaced")
def replacement(kubectl, space):
    kubectl("create", "-f", "-", given=deployment("kept", 1, idle()))
    kubectl("rollout", "status", "deployment/kept", "--timeout=60s", seconds=70)
    before = pods_of(space, "kept")[0]["metadata"]["name"]
    kubectl("delete", "pod", before)
    eventually(
        "another pod", lambda: [item["metadata"]["name"] for item in pods_of(space, "kept")] not in ([], [before])
    )
    kubectl("create", "deployment", "quick", "--image=registry.invalid/quick")
    expect_contains(kubectl("get", "deployment", "quick", "-o", "wide"), "app=quick", "create deployment")
    kubectl("rollout", "pause", "deployment/kept")
    kubectl("set", "env", "deployment/kept", "A=b")
    expect_equal(len(space.api.get(f"{APPS}/{space.name}/replicasets?labelSelector=app%3Dkept")["items"]), 1, "sets")
    kubectl("rollout", "resume", "deployment/kept")
    kubectl("rollout", "status", "deployment/kept", "--timeout=60s", seconds=70)
    kubectl("delete", "deployment", "--all")


@case("deleting with orphans leaves the pods, and another set of the same selector takes them over")
def orphans(kubectl, space):
    item = deployment("left", 1, idle())
    item["kind"] = "ReplicaSet"
    kubectl("create", "-f", "-", given=item)
    eventually("the pod", lambda: pods_of(space, "left"))
    name = pods_of(space, "left")[0]["metadata"]["name"]
    cascade = "--cascade=orphan"
    kubectl("delete", "replicaset", "left", cascade)
    kept = eventually(
        "the pod is nobody's",
        lambda: next((p for p in pods_of(space, "left") if not p["metadata"].get("ownerReferences")), None),
    )
    expect_equal(kept["metadata"]["name"], name, "the pod that stays")
    kubectl("create", "-f", "-", given=item)
    eventually("the pod has an owner", lambda: pods_of(space, "left")[0]["metadata"].get("ownerReferences"))
    expect_equal([p["metadata"]["name"] for p in pods_of(space, "left")], [name], "pods of the new set")
    foreground = "--cascade=foreground"
    kubectl("delete", "replicaset", "left", foreground)
    expect(not pods_of(space, "left"), "pods after a foreground deletion")


@case("a job runs its pods to the end and goes after its time; one that fails says why")
def jobs(kubectl, space):
    kubectl("create", "-f", "-", given=job("count", "exit 0", completions=3, parallelism=2))
    kubectl("wait", "--for=condition=complete", "job/count", "--timeout=60s", seconds=70)
    status = space.api.get(f"{BATCH}/{space.name}/jobs/count")["status"]
    expect_equal(status["succeeded"], 3, "succeeded pods")
    expect_contains(kubectl("get", "job", "count"), "3/3", "get job")
    kubectl("create", "-f", "-", given=job("bad", "exit 7", backoffLimit=0))
    kubectl("wait", "--for=condition=failed", "job/bad", "--timeout=60s", seconds=70)
    expect_contains(kubectl("describe", "job", "bad"), "BackoffLimitExceeded", "describe job")
    kubectl("create", "-f", "-", given=job("brief", "exit 0", ttlSecondsAfterFinished=1))
    eventually(
        "the job goes by itself",
        lambda: all(
            item["metadata"]["name"] != "brief" for item in space.api.get(f"{BATCH}/{space.name}/jobs")["items"]
        ),
    )
    kubectl("delete", "job", "count", "bad")
    eventually("the pods go", lambda: not space.api.get(space.path("pods"))["items"])
