"""Kinds that are kept and shown for controllers of others: kubectl makes, shows, explains, scales and removes them."""

import json

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import idle

LABELS = {"app": "web"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [idle()]}}


def item(version, kind, name="web", **fields):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def workload(kind, **spec):
    return item("apps/v1", kind, spec={"selector": {"matchLabels": LABELS}, "template": TEMPLATE, **spec})


@case("kubectl makes, shows, scales and autoscales the workloads that nobody carries out, and get all shows them")
def workloads(kubectl, space):
    kubectl("create", "-f", "-", given=workload("StatefulSet", serviceName="web"))
    kubectl("create", "-f", "-", given=workload("DaemonSet"))
    kubectl("create", "-f", "-", given=item("v1", "ReplicationController", spec={"template": TEMPLATE}))
    row = kubectl("get", "sts", "web").splitlines()[1].split()
    expect_equal(row[:2], ["web", "0/1"], "row of get sts")
    kubectl("scale", "sts", "web", "--replicas=3")
    kubectl("scale", "rc", "web", "--replicas=2")
    expect_equal(kubectl("get", "sts", "web", "-o", "jsonpath={.spec.replicas}"), "3", "replicas after scale")
    header, row = kubectl("get", "ds", "-o", "wide").splitlines()
    expect_equal(header.split()[:6], ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE"], "get ds")
    expect_equal(row.split()[:7], ["web", "0", "0", "0", "0", "0", "<none>"], "row of get ds")
    expect_equal(kubectl("get", "rc").splitlines()[1].split()[:4], ["web", "2", "0", "0"], "row of get rc")
    job = {"spec": {"template": {"spec": dict(TEMPLATE["spec"], restartPolicy="OnFailure")}}}
    # Old clients' own command makes one of a version that is gone.
    def tick(schedule):
        return item("batch/v1", "CronJob", "tick", spec={"schedule": schedule, "jobTemplate": job})

    kubectl("create", "-f", "-", given=tick("*/5 * * * *"))
    expect_contains(kubectl("get", "cronjob", "tick"), "*/5 * * * *", "get cronjob")
    refused = kubectl.refused("apply", "-f", "-", given=tick("61 * * * *"))
    expect_contains(refused, "spec.schedule", "a schedule that is none")
    kubectl("autoscale", "sts", "web", "--min=2", "--max=5", "--cpu-percent=70")
    shown = kubectl("get", "hpa", "web").splitlines()[1].split()
    expect(shown[:2] == ["web", "StatefulSet/web"] and "2" in shown and "5" in shown, f"get hpa: {shown}")
    for version in ("v1", "v2"):
        path = f"/apis/autoscaling/{version}/namespaces/{space.name}/horizontalpodautoscalers/web"
        found = space.api.get(path)
        expect_equal((found["apiVersion"], found["spec"]["maxReplicas"]), (f"autoscaling/{version}", 5), path)
    everything = kubectl("get", "all")
    for part in (
        "statefulset.apps/web", "daemonset.apps/web", "replicationcontroller/web", "cronjob.batch/tick",
        "horizontalpodautoscaler.autoscaling/web",
    ):
        expect_contains(everything, part, "get all")
    kubectl("delete", "sts,ds,rc,cronjob,hpa", "--all")


@case("kubectl makes, shows and removes ingresses, policies, endpoints and what drivers say of themselves")
def networking(kubectl, space):
    kubectl("create", "-f", "-", given=item(
        "networking.k8s.io/v1", "Ingress", spec={
            "ingressClassName": "own", "rules": [{"host": "a.example.org", "http": {"paths": [{
                "path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}))
    expect_contains(kubectl("get", "ingress"), "a.example.org", "get ingress")
    expect_contains(kubectl("describe", "ingress", "web"), "web:80", "describe ingress")
    kubectl("create", "-f", "-", given=item("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}}))
    kept = json.loads(kubectl("get", "netpol", "web", "-o", "json"))
    expect_equal(kept["spec"]["policyTypes"], ["Ingress"], "what a policy is about")
    kubectl("create", "-f", "-", given=item(
        "v1", "Endpoints", subsets=[{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}]))
    expect_contains(kubectl("get", "endpoints", "web"), "192.0.2.1:80", "get endpoints")
    kubectl("create", "-f", "-", given=item(
        "discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["192.0.2.2"]}],
        ports=[{"port": 81}]))
    expect_equal(
        kubectl("get", "endpointslice", "web").splitlines()[1].split()[:4], ["web", "IPv4", "81", "192.0.2.2"], "slice")
    name = space.name
    for version, kind, plural, fields in (
        ("networking.k8s.io/v1", "IngressClass", "ingressclass", {"spec": {"controller": "example.org/own"}}),
        ("node.k8s.io/v1", "RuntimeClass", "runtimeclass", {"handler": "own"}),
        ("storage.k8s.io/v1", "CSIDriver", "csidriver", {}),
        ("storage.k8s.io/v1", "CSINode", "csinode", {"spec": {"drivers": []}}),
        ("storage.k8s.io/v1", "VolumeAttachment", "volumeattachment", {
            "spec": {"attacher": "own.example.org", "nodeName": "n", "source": {"persistentVolumeName": "v"}}}),
    ):
        kubectl("create", "-f", "-", given=item(version, kind, name, **fields))
        expect_contains(kubectl("get", plural, name), name, f"get {plural}")
        kubectl("delete", plural, name)
    refused = kubectl.refused("create", "-f", "-", given=item("networking.k8s.io/v1", "Ingress", "bad", spec={}))
    expect_contains(refused, "either `defaultBackend` or `rules` must be specified", "an empty ingress")
    kubectl("delete", "ingress,netpol,endpoints,endpointslice", "--all")


@case("an event is the same under both groups, and kubectl explains every kind that it lists")
def events_and_explanations(kubectl, space):
    space.api.request("POST", space.path("events"), {
        "metadata": {"name": "told"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": space.name},
        "reason": "Told", "message": "as it is", "type": "Normal", "reportingComponent": "me",
        "source": {"component": "me"}, "firstTimestamp": None, "lastTimestamp": None})
    path = f"/apis/events.k8s.io/v1/namespaces/{space.name}/events"
    found = space.api.get(f"{path}/told")
    expect_equal(
        (found["apiVersion"], found["regarding"]["name"], found["note"], found["reportingController"]),
        ("events.k8s.io/v1", "p", "as it is", "me"), "the event under events.k8s.io")
    expect("message" not in found and "involvedObject" not in found, f"members of the older form: {found}")
    listed = space.api.get(f"{path}?fieldSelector=regarding.name%3Dp")["items"]
    expect_equal([event["metadata"]["name"] for event in listed], ["told"], "by what it is about")
    space.api.request("PATCH", f"{path}/told", {"note": "now"}, content_type="application/merge-patch+json")
    expect_equal(space.api.get(space.path("events", "told"))["message"], "now", "a change under the other group")
    kinds = kubectl("api-resources", "-o", "name").split()
    for kind in (
        "statefulsets.apps", "daemonsets.apps", "controllerrevisions.apps", "cronjobs.batch", "podtemplates",
        "horizontalpodautoscalers.autoscaling", "ingresses.networking.k8s.io", "endpointslices.discovery.k8s.io",
        "runtimeclasses.node.k8s.io", "csinodes.storage.k8s.io", "events.events.k8s.io",
    ):
        expect(kind in kinds, f"{kind} is among {kinds}")
    for path, part in (
        ("statefulset.spec", "volumeClaimTemplates"), ("daemonset.spec.updateStrategy", "rollingUpdate"),
        ("cronjob.spec.jobTemplate.spec", "backoffLimit"), ("hpa.spec", "scaleTargetRef"),
        ("ingress.spec.rules.http.paths", "pathType"), ("netpol.spec.egress", "ports"),
        ("endpointslice.endpoints", "addresses"), ("csidriver.spec", "attachRequired"),
    ):
        expect_contains(kubectl("explain", path), part, f"explain {path}")
