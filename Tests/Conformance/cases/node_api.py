"""The node's own HTTPS API: who may, and the pages that are about the node."""

import http.client
import json
import os
import ssl

from rig.apart import Agent
from rig.case import case
from rig.expectation import WAITING, expect, expect_contains, expect_equal, eventually
from rig.pods import idle, pod


def ask(node, path, token=None, context=None, method="GET", headers=None):
    """(status, body) of the node's API; without a context it is as a stranger, who verifies nothing."""
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", node.node_port, timeout=15 * WAITING, context=context)
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def account(space, name, *rules):
    """The token of a service account with a role of these (verb, resource) of the node."""
    space.api.request("POST", space.path("serviceaccounts"), {"metadata": {"name": name}})
    rbac, full = "/apis/rbac.authorization.k8s.io/v1", f"{space.name}-{name}"
    space.api.request("POST", f"{rbac}/clusterroles", {
        "metadata": {"name": full},
        "rules": [{"apiGroups": [""], "resources": [resource], "verbs": [verb]} for verb, resource in rules],
    })
    space.api.request("POST", f"{rbac}/clusterrolebindings", {
        "metadata": {"name": full},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": full},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space.name}],
    })
    path = space.path("serviceaccounts", f"{name}/token")
    return space.api.request("POST", path, {"spec": {"expirationSeconds": 600}})["status"]["token"]


def forget(space, *names):
    for name in names:
        for kind in ("clusterrolebindings", "clusterroles"):
            space.api.request("DELETE", f"/apis/rbac.authorization.k8s.io/v1/{kind}/{space.name}-{name}")


UPGRADE = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"}


def check_rights(space, node):
    """What a token may with the rights of a scraper, of a reader and of nobody."""
    space.create(pod("guarded", idle()))
    space.wait_ready("guarded")
    scraper = account(space, "scraper", ("get", "nodes/metrics"))
    reader = account(space, "reader", ("get", "nodes/proxy"))
    logs, run = f"/containerLogs/{space.name}/guarded/main", f"/exec/{space.name}/guarded/main?command=true&output=1"
    try:
        for path in ("/metrics", "/healthz", "/nothing", "/configz", logs):
            expect_equal(ask(node, path)[0], 401, f"{path} for a stranger")
            expect_equal(ask(node, path, "eyJhbGciOiJub25lIn0.e30.")[0], 401, f"{path} for a token of nobody's")
        expect_equal(ask(node, "/metrics/resource", scraper)[0], 200, "/metrics/resource for the scraper")
        for path in ("/stats/summary", "/pods", "/logs/", logs):
            status, text = ask(node, path, scraper)
            expect_equal(status, 403, f"{path} for the scraper")
            expect_contains(text, f"system:serviceaccount:{space.name}:scraper", "who is refused")
        for path in ("/pods", "/configz", "/healthz", logs):
            expect_equal(ask(node, path, reader)[0], 200, f"{path} for the reader")
        for method in ("POST", "GET"):
            status, _ = ask(node, run, reader, method=method, headers=UPGRADE)
            expect_equal(status, 403, f"{method} of a command by the reader")
            expect_equal(ask(node, run, method=method, headers=UPGRADE)[0], 401, f"{method} of it by a stranger")
    finally:
        forget(space, "scraper", "reader")


@case("the node's API asks who it is and whether they may, for each path")
def rights(space, node):
    check_rights(space, node)


@case("a node that joined an API server asks that one, and without an answer lets nobody new in")
def joined(world):
    node = Agent(world, "judged").start()
    space = world.space(node)
    check_rights(space, node)
    late = account(space, "late", ("get", "nodes/metrics"))
    node.endpoint.kill()
    status, _ = ask(node, "/metrics", late)
    expect(status in (401, 500), f"a token that nobody can review: {status}")
    node.endpoint.launch()
    # A refusal for want of an answer is not kept.
    eventually("the endpoint is asked again", lambda: ask(node, "/metrics", late)[0] == 200, 30, 0.2)
    node.stop_all()


@case("/configz, /logs and /checkpoint of the node")
def pages(space, node):
    space.create(pod("shown", idle()))
    space.wait_ready("shown")
    admin = node.api.credentials.context(True)
    status, text = ask(node, "/configz", context=admin)
    expect_equal(status, 200, "/configz")
    configuration = json.loads(text)["kubeletconfig"]
    for name, value in (
        ("kind", "KubeletConfiguration"), ("maxPods", 110), ("port", node.node_port), ("readOnlyPort", 0),
        ("staticPodPath", str(node.manifests)), ("containerLogMaxSize", "10Mi"),
        ("evictionPressureTransitionPeriod", "5m0s"), ("imageMinimumGCAge", "2m0s"),
    ):
        expect_equal(configuration.get(name), value, f"{name} in /configz")
    expect_equal(configuration["authentication"]["anonymous"], {"enabled": False}, "anonymous in /configz")
    expect_equal(json.loads(node.local("/configz")[1])["kubeletconfig"], configuration, "the same over the socket")

    status, text = ask(node, "/logs/", context=admin)
    expect_equal(status, 200, "/logs/")
    expect_contains(text, '<a href="pods/">pods/</a>', "the listing")
    (node.logs / "greeting").write_text("hello\n")
    os.symlink("/etc/passwd", node.logs / "way-out")
    expect_equal(ask(node, "/logs/greeting", context=admin), (200, "hello\n"), "a file")
    for path, expected in (
        ("/logs/way-out", 403), ("/logs/../root/admin.kubeconfig", 400), ("/logs/%2e%2e/root/state.db", 400),
        ("/logs/absent", 404),
    ):
        expect_equal(ask(node, path, context=admin)[0], expected, path)

    status, text = ask(node, f"/checkpoint/{space.name}/shown/main", context=admin, method="POST")
    expect_equal(status, 501, f"/checkpoint ({text})")
    status, _ = ask(node, f"/checkpoint/{space.name}/absent/main", context=admin, method="POST")
    expect_equal(status, 404, "/checkpoint of an absent pod")
