"""WebSockets and SPDY through the proxy subresources: whatever a pod, a service or a node serves, as kube-apiserver passes it on."""

import base64
import os
import subprocess
import sys

from cases.node_api import account, forget
from rig.case import case
from rig.expectation import WAITING, eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.pods import pod
from rig.websocket import WebSocket, server

SECRET = "not-for-the-pod"


def started(space):
    """A pod `talk` that serves WebSockets, and a service before it."""
    made = pod("talk", server())
    made["metadata"]["labels"] = {"app": "talk"}
    space.create(made)
    space.wait_ready("talk")
    space.create({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "talk"},
        "spec": {"selector": {"app": "talk"}, "ports": [{"name": "talk", "port": 80, "targetPort": "talk"}]},
    })


def connect(node, path, context=None, **more):
    credentials = node.api.credentials
    return WebSocket((credentials.host, credentials.port), path, context or node.api.context, **more)


def count(space, word):
    return space.log("talk").count(word)


@case("a WebSocket through the proxy of a pod and of a service carries every byte, and neither end outlives the other")
def carried(space, node):
    started(space)
    place = f"/api/v1/namespaces/{space.name}"
    big = os.urandom(3 << 20)
    for path in (f"{place}/pods/talk:8080/proxy/any/path?a=b%20c&watch=1", f"{place}/services/talk:talk/proxy/any/path?a=b%20c&watch=1"):
        with connect(node, path, Sec_WebSocket_Protocol="chat") as talk:
            expect_equal((talk.status, talk.headers["upgrade"]), (101, "websocket"), path)
            expect_equal(talk.headers.get("sec-websocket-protocol"), "chat", "the protocol that was chosen")
            expect_equal(talk.headers.get("set-cookie"), "a=b", "the server's own header")
            line, _ = talk.request()
            expect_equal(line, "GET /any/path?a=b%20c&watch=1 HTTP/1.1", "what the server is asked")
            for data in (b"hello", b"", big):
                # The server takes all of a message before it answers, so nobody waits for the other here.
                talk.send(data)
                code, back = talk.next() or (None, b"")
                expect(
                    (code, back) == (2, data),
                    f"{len(data)} bytes come back as {len(back)}, code {code}: {back[:80]}")
            talk.send(b"are you there", code=9)
            expect_equal(talk.next(), (10, b"are you there"), "a ping")
            talk.send(b"bye")
            expect_equal((talk.next(), talk.next()), ((8, b"\x03\xe8"), None), "the server's close, and the end")
    with connect(node, f"{place}/pods/talk/proxy") as talk:
        expect_equal(talk.request()[0], "GET / HTTP/1.1", "without a path nothing is redirected")
        talk.send(b"burst")
        expect(talk.next() == (2, b"x" * (1 << 20)), "what was sent before the end is missing")
        expect_equal(talk.next(), None, "the end after it")
    before = count(space, "closed upgraded")
    with connect(node, f"{place}/pods/talk/proxy/") as talk:
        talk.request()
        # The last word of a client that leaves at once.
        talk.send(b"going, going")
    eventually("the server's connection ends with the client's", lambda: count(space, "closed upgraded") > before, 20, 0.1)
    expect_contains(space.log("talk"), "got 2 12 b'going, going'", "what the client said last")
    with connect(node, f"{place}/pods/talk/proxy/", upgrade="SPDY/3.1", method="POST") as raw:
        expect_equal((raw.status, raw.headers["upgrade"]), (101, "SPDY/3.1"), "another protocol")
        raw.socket.sendall(b"bytes\x00")
        expect_equal(raw.file.read(10), b"raw:BYTES\x00", "its bytes both ways")
    with connect(node, f"{place}/pods/talk/proxy/refused") as talk:
        expect_equal((talk.status, talk.headers.get("x-why")), (418, "tea"), "the server's refusal")
        body = b"7\r\nnothing\r\n5\r\n here\r\n0\r\n\r\n"
        expect_equal((talk.file.read(len(body)), talk.headers.get("connection")), (body, "close"), "and its body")
    eventually("all connections end", lambda: count(space, "closed") == count(space, "opened"), 5, 0.1)
    with connect(node, f"{place}/pods/talk/proxy/") as talk:
        talk.request()
        space.delete("talk", grace=0)
        expect_equal(talk.next(), None, "the end with the pod's")


@case("who may not is refused before anything is passed on, and no credential of whoever may goes to a pod")
def kept(space, node):
    started(space)
    place = f"/api/v1/namespaces/{space.name}"
    path = f"{place}/pods/talk/proxy/"
    context = node.api.credentials.context(False)
    try:
        reader = account(space, "reader", ("get", "pods/proxy"), ("get", "nodes/proxy"))
        nobody = account(space, "nobody")
        coded = "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(reader.encode()).decode().rstrip("=")
        sent = {"Cookie": "c=d", "X_Remote_User": SECRET, "Proxy_Authorization": f"Basic {SECRET}", "X_Forwarded_For": "1.2.3.4"}
        for given in ({"Authorization": f"Bearer {reader}"}, {"Sec_WebSocket_Protocol": f"{coded}, chat"}):
            with connect(node, path, context, **sent, **given) as talk:
                expect_equal(talk.status, 101, f"the reader, by {next(iter(given))}")
                headers = talk.request()[1]
            said = dict(headers)
            expect(reader not in str(headers) and coded not in str(headers), f"the token goes to the pod: {headers}")
            expect(SECRET not in str(headers), f"a word on who asks goes to the pod: {headers}")
            expect_equal(said.get("cookie"), "c=d", "a cookie, which is the server's own")
            expect_equal(said.get("x-forwarded-for"), "1.2.3.4, 127.0.0.1", "where the request is from")
            expect_equal(said.get("x-forwarded-uri"), path, "what it was for")
            expect_equal(said.get("host"), f"{node.api.credentials.host}:{node.api.credentials.port}", "the host")
        with connect(node, path, Impersonate_User="somebody") as talk:
            expect_equal(talk.status, 403, "as somebody who may nothing")
        opened = count(space, "opened")
        for token, status in ((nobody, 403), ("x.y.z", 401), (None, 401)):
            given = {"Authorization": f"Bearer {token}"} if token else {}
            with connect(node, path, context, **given) as talk:
                expect_equal(talk.status, status, f"the status for {token}")
        with connect(node, path, context, method="POST", upgrade="SPDY/3.1", Authorization=f"Bearer {reader}") as talk:
            expect_equal(talk.status, 403, "POST by a reader")
        with connect(node, path, Content_Length=4) as talk:
            expect_equal(talk.status, 400, "a body")
        for other, status in (
            (f"{place}/pods/talk:81/proxy/", 502), (f"{place}/pods/absent/proxy/", 404),
            (f"{place}/services/talk:99/proxy/", 503), (f"{place}/configmaps/talk/proxy/", 404),
        ):
            with connect(node, other) as talk:
                expect_equal(talk.status, status, other)
        # The readiness probe opens connections, too, and sends nothing by them.
        expect(count(space, "got") == 0 and count(space, "opened") >= opened, "something was passed on")
        # A command is run by whoever may create, not by whoever may read.
        command = f"/api/v1/nodes/{node.name}/proxy/exec/{space.name}/talk/talk?command=echo&command=hi&output=1"
        wanted = {"Sec_WebSocket_Protocol": "v4.channel.k8s.io"}
        with connect(node, command, context, Authorization=f"Bearer {reader}", **wanted) as talk:
            expect_equal(talk.status, 403, "a command by a reader of the node")
        with connect(node, command, **wanted) as talk:
            expect_equal(talk.status, 101, "a command by the administrator, through the node's own API")
            frames = []
            while (frame := talk.next()) and frame[0] != 8:
                frames.append(frame[1])
            expect(b"\x01hi\n" in frames, f"what the command says: {frames}")
    finally:
        forget(space, "reader", "nobody")


CLIENT = """
import sys, websocket
talk = websocket.create_connection(sys.argv[1], timeout=20, cookie="a=b")
talk.recv()
talk.send("through kubectl"); print(talk.recv())
talk.send_binary(b"x" * 300000); print(len(talk.recv()))
talk.close()
"""


@case("a WebSocket client of everybody's talks to a pod and to a service through kubectl proxy")
def by_kubectl(kubectl, world, space):
    started(space)
    with Follower(kubectl.follow("proxy", "--port=0")) as follower:
        line = follower.until("it serves", lambda line: "Starting to serve on" in line)
        for path in ("pods/talk:8080/proxy/", "services/talk/proxy/deep?x=y"):
            url = f"ws://{line.split()[-1]}/api/v1/namespaces/{space.name}/{path}"
            result = subprocess.run(
                [sys.executable, "-c", CLIENT, url], text=True, capture_output=True, check=False, timeout=60 * WAITING,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(world.clients / "python")})
            expect_equal((result.stdout, result.stderr), ("through kubectl\n300000\n", ""), path)
