"""Metrics, usage and health, for those who may see them."""

import http.client
import json
import re
import ssl

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import idle, pod

PATHS = ("/healthz", "/metrics", "/stats/summary")


def node_api(node, path, with_certificate=True):
    context = node.api.credentials.context(with_certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", node.node_port, timeout=15, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def check_answers(get, space, node):
    expect_equal(get("/healthz")[0], 200, "/healthz")
    status, metrics = get("/metrics")
    expect_equal(status, 200, "/metrics")
    for name in ("kubelet_running_pods", "process_start_time_seconds"):
        expect(re.search(rf"^{name}(\{{| )", metrics, re.M), f"/metrics has no {name}: {metrics[:600]}")
    for line in metrics.splitlines():
        expect(
            re.fullmatch(r"#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? \S+( \d+)?", line), f"not Prometheus text: {line!r}"
        )
    summary = json.loads(get("/stats/summary")[1])
    expect_equal(summary["node"]["nodeName"], node.name, "node of the summary")
    mine = [item for item in summary["pods"] if item["podRef"]["namespace"] == space.name]
    expect(mine and mine[0]["containers"][0]["memory"].get("workingSetBytes", 0) > 0, f"usage of the pod: {mine}")


@case("metrics, usage and health over the unix socket")
def over_socket(space, node):
    space.create(pod("measured", idle()))
    space.wait_ready("measured")
    check_answers(node.local, space, node)
    expect_equal((node.run / "swiftlet.sock").stat().st_mode & 0o777, 0o600, "mode of the socket")


@case("metrics, usage and health over the node's API, for the administrator's certificate only")
def over_tls(space, node):
    space.create(pod("measured", idle()))
    space.wait_ready("measured")
    check_answers(lambda path: node_api(node, path), space, node)
    for path in PATHS:
        try:
            status, _ = node_api(node, path, with_certificate=False)
        except (ssl.SSLError, OSError, http.client.HTTPException):
            continue
        expect(status in (401, 403), f"{path} without a certificate: {status}")


@case("the kubeconfig is the administrator's alone, and the endpoint wants a certificate")
def protected(node):
    expect_equal(node.kubeconfig.stat().st_mode & 0o777, 0o600, "mode of the kubeconfig")
    connection = http.client.HTTPSConnection(
        "127.0.0.1", node.port, timeout=10, context=node.api.credentials.context(False)
    )
    try:
        connection.request("GET", "/api/v1/pods")
        response = connection.getresponse()
        expect(response.status in (401, 403), f"pods without a certificate: {response.status}")
    except (ssl.SSLError, OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


@case("swiftlet check and version answer with the node's state")
def verbs(node):
    version = node.swiftlet("version")
    expect_equal(version.returncode, 0, f"version: {version.stderr}")
    expect_contains(version.stdout, "swiftlet", "version")
    listed = node.swiftlet("ps", "-o", "json")
    expect(isinstance(json.loads(listed.stdout), (dict, list)), "ps -o json is JSON")
    absent = node.swiftlet("logs", "absent-pod")
    expect(absent.returncode != 0 and "absent-pod" in absent.stderr, f"logs of an absent pod: {absent.stderr}")
