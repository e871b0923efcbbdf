"""A node that joined an endpoint of another process: whatever kubectl does with a pod leads there, and to nobody else."""

import base64
import re
import socket
import subprocess
import urllib.request

from rig.apart import Agent
from rig.case import case
from rig.expectation import WAITING, eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.node import free_port
from rig.pods import idle, pod, shell, web_server

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def proves_its_name(node):
    """Whether the node's API is there and shows a certificate of its name that the endpoint signed."""
    context = node.api.credentials.context(False)
    try:
        with socket.create_connection(("127.0.0.1", node.node_port), 5) as connection:
            context.wrap_socket(connection, server_hostname=node.name).close()
    except OSError:
        # It does not listen yet, or cannot prove it.
        return False
    return True


def check_streams(space, kubectl):
    """Logs, exec, attach, cp, port-forward and top of pods on the node."""
    node = space.node
    speaker = shell("echo one; until test -e /tmp/go; do sleep 0.05; done; echo two; sleep 100000")
    space.create(pod("speaker", speaker))
    space.create(pod("web", web_server("from afar")))
    space.create(pod("reader", dict(shell("cat; exit 4"), stdin=True, stdinOnce=True)))
    for name in ("speaker", "web", "reader"):
        space.wait_ready(name)
    with Follower(kubectl.follow("logs", "-f", "speaker")) as follower:
        follower.until("the first line", lambda line: line == "one", 20 * WAITING)
        result = kubectl.run("exec", "-i", "speaker", "--", "sh", "-c", "cat; touch /tmp/go; exit 3", given="in and out")
        expect_equal((result.stdout, result.returncode), ("in and out", 3), f"exec ({result.stderr})")
        follower.until("the second line", lambda line: line == "two", 20 * WAITING)
    expect_equal(kubectl("logs", "speaker", "--tail=1"), "two\n", "the tail of the log")
    expect_contains(kubectl.refused("logs", "speaker", "--previous"), "not found", "a log that is not there")
    expect_contains(kubectl("attach", "-i", "reader", given="a word\n"), "a word", "attach")
    place = node.directory / f"copied-{space.name}"
    place.write_text("carried\n")
    kubectl("cp", str(place), "speaker:/tmp/carried")
    expect_equal(kubectl("exec", "speaker", "--", "cat", "/tmp/carried"), "carried\n", "cp")
    port = free_port()
    with Follower(kubectl.follow("port-forward", "pod/web", f"{port}:8080", "--address", "127.0.0.1")) as follower:
        follower.until("it listens", lambda line: "Forwarding from" in line)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20 * WAITING) as answer:
            expect_equal(answer.read(), b"from afar", "through port-forward")
    expect(re.search(rf"^{node.name}\s+\d+m", kubectl("top", "node"), re.M), "top node shows the node")
    expect(re.search(r"^web\s+\d+m\s+\d+Mi", kubectl("top", "pod"), re.M), "top pod shows the pod")
    expect("speaker" not in kubectl("top", "pod", "-l", "app=web"), "top pod -l shows that pod alone")
    expect_equal(kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/healthz"), "ok", "the node's own API")


@case("kubectl reaches the pods of a node that joined an endpoint, once that has signed the node's certificate")
def reached(world):
    node = Agent(world, "reached", as_node=True).start()
    eventually("the node shows what the endpoint signed", lambda: proves_its_name(node), 20)
    signed = [item for item in node.api.get(REQUESTS)["items"] if item["spec"]["signerName"].endswith("/kubelet-serving")]
    expect_equal([item["spec"]["username"] for item in signed], [f"system:node:{node.name}"], "who asked for it")
    for program in world.programs:
        space = world.space(node)
        check_streams(space, world.kubectl(space, program))
    # The certificate is kept: the next agent shows it at once, and asks for no other.
    node.kill()
    node.start()
    eventually("the next agent shows it", lambda: proves_its_name(node), 20)
    check_streams(space := world.space(node), world.kubectl(space))
    asked = [item for item in node.api.get(REQUESTS)["items"] if item["spec"]["signerName"].endswith("/kubelet-serving")]
    expect_equal(len(asked), 1, "requests of both agents")
    node.stop_all()


@case("a node that cannot prove its name is not believed: neither logs nor commands go there")
def doubted(world):
    place = world.temporary("doubted")
    (place / "config.yaml").write_text("serverTLSBootstrap: false\n")
    node = Agent(world, "doubted", as_node=True, more=("--config", str(place / "config.yaml"))).start()
    space = world.space(node)
    kubectl = world.kubectl(space)
    space.create(pod("there", idle()))
    space.wait_ready("there")
    expect(not proves_its_name(node), "the node shows a certificate of the endpoint's")
    for arguments in (("logs", "there"), ("exec", "there", "--", "true")):
        said = kubectl.refused(*arguments)
        expect(re.search("certificate|CERTIFICATE", said), f"{arguments[0]}: {said}")
    node.stop_all()


@case("a node gets no certificate for the endpoint's name or address, another node's, or one without its own")
def refused(world):
    node = Agent(world, "greedy", as_node=True).start()
    eventually("the node shows what the endpoint signed", lambda: proves_its_name(node), 20)
    node.api.request("POST", "/api/v1/nodes", {
        "metadata": {"name": "other"}, "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}]}})
    place = world.temporary("greedy")
    identity = node.identity_file
    kubectl = world.kubectl(world.space(node))
    for number, names in enumerate((
        "DNS:other", "IP:192.0.2.7", "IP:127.0.0.1", "DNS:localhost", "DNS:kubernetes.default.svc",
        f"DNS:{node.name},DNS:other", f"DNS:{node.name},IP:192.0.2.9", f"DNS:{node.name},URI:spiffe://x",
    )):
        subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             f"/O=system:nodes/CN=system:node:{node.name}", "-addext", f"subjectAltName={names}", "-keyout",
             str(place / "key"), "-out", str(place / "csr")], check=True, capture_output=True, timeout=30)
        kubectl("create", "-f", "-", "--kubeconfig", str(identity), given={
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": f"greedy-{number}"}, "spec": {
                "request": base64.b64encode((place / "csr").read_bytes()).decode(), "usages": ["server auth"],
                "signerName": "kubernetes.io/kubelet-serving"}})
        row = kubectl("get", "csr", f"greedy-{number}", "--no-headers").split()
        expect_equal(row[-1], "Pending", f"a request for {names}")
    node.stop_all()


@case("with a node's credentials one reads what its pods refer to, by name, and no other secret or ConfigMap")
def contained(world):
    node = Agent(world, "contained", as_node=True).start()
    space = world.space(node)
    kubectl = world.kubectl(space)
    for name in ("used", "unused"):
        kubectl("create", "secret", "generic", name, "--from-literal=word=hidden")
        kubectl("create", "configmap", name, "--from-literal=word=shown")
    space.create(pod(
        "reader", idle(
            env=[{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "used", "key": "word"}}}],
            volumeMounts=[{"name": "map", "mountPath": "/map"}]),
        volumes=[{"name": "map", "configMap": {"name": "used"}}]))
    space.wait_ready("reader")
    own = ("--kubeconfig", str(node.identity_file))
    for kind in ("secret", "configmap"):
        expect_equal(kubectl("get", kind, "used", "-o", "name", *own).strip(), f"{kind}/used", "what the pod refers to")
        said = kubectl.refused("get", kind, "unused", *own)
        expect("no pod on node" in said, f"another {kind}: {said}")
        said = kubectl.refused("get", kind, *own)
        expect("one by one" in said, f"every {kind}: {said}")
    # The agent's own watch is of that kind: what changes still reaches the pod.
    kubectl("patch", "configmap", "used", "-p", '{"data": {"word": "changed"}}')
    eventually(
        "the change is in the pod",
        lambda: kubectl("exec", "reader", "--", "cat", "/map/word").strip() == "changed", 30)
    space.delete("reader", grace=1)
    space.wait_gone("reader")
    expect("no pod on node" in kubectl.refused("get", "secret", "used", *own), "the secret of a pod that is gone")
    node.stop_all()
