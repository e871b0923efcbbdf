"""A WebSocket (RFC 6455), spoken plainly: a client whose every byte is its own, and a server for a pod."""

import base64
import json
import os
import socket
import struct

from rig.expectation import WAITING, Failure

# Answers the request with its head as JSON, then every message with itself; "bye" with a close, "cut" with the end of the connection,
# "burst" with a mebibyte and the end right after it. What it gets that is no WebSocket is refused in chunks, and the connection kept.
SERVER = r"""
import base64, hashlib, json, socketserver, struct, sys

class Handler(socketserver.StreamRequestHandler):
    is_upgraded = False

    def handle(self):
        print("opened", flush=True)
        try:
            self.serve()
        except (OSError, struct.error):
            pass
        # A probe's connection is closed, too.
        print("closed", "upgraded" if self.is_upgraded else "", flush=True)

    def serve(self):
        line = self.rfile.readline().decode().strip()
        headers = []
        while (text := self.rfile.readline().decode().strip()):
            name, _, value = text.partition(":")
            headers.append((name.lower(), value.strip()))
        known = dict(headers)
        if known.get("upgrade") == "SPDY/3.1":
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nraw:")
            while (data := self.request.recv(65536)):
                self.wfile.write(data.upper())
            return
        if "/refused" in line or known.get("upgrade", "").lower() != "websocket":
            body = b"7\r\nnothing\r\n5\r\n here\r\n0\r\n\r\n"
            self.wfile.write(b"HTTP/1.1 418 I'm a teapot\r\nX-Why: tea\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
            self.rfile.read()
            return
        key = known["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.is_upgraded = True
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        extra = "Sec-WebSocket-Protocol: chat\r\n" if "chat" in known.get("sec-websocket-protocol", "") else ""
        self.wfile.write((
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: a=b\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n").encode() + self.frame(1, json.dumps([line, headers]).encode()))
        while True:
            first, second = struct.unpack("!BB", self.rfile.read(2))
            size = second & 127
            if size == 126:
                size, = struct.unpack("!H", self.rfile.read(2))
            elif size == 127:
                size, = struct.unpack("!Q", self.rfile.read(8))
            mask = self.rfile.read(4) * (size // 4 + 1)
            data = self.rfile.read(size)
            data = (int.from_bytes(data, "big") ^ int.from_bytes(mask[:size], "big")).to_bytes(size, "big")
            code = first & 15
            print("got", code, size, data[:20], flush=True)
            if code == 8 or data == b"bye":
                self.wfile.write(self.frame(8, b"\x03\xe8"))
                return
            if data == b"cut":
                return
            if data == b"burst":
                self.wfile.write(self.frame(2, b"x" * (1 << 20)))
                return
            self.wfile.write(self.frame(10 if code == 9 else code, data))

    @staticmethod
    def frame(code, data):
        size = len(data)
        head = struct.pack("!BB", 128 | code, size) if size < 126 else struct.pack("!BBQ", 128 | code, 127, size)
        return head + data

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64

Server(("", int(sys.argv[1])), Handler).serve_forever()
"""


def server(port=8080, name="talk"):
    """A container that serves WebSockets."""
    return {
        "name": name, "image": "host:///", "command": ["python3", "-c", SERVER, str(port)],
        "ports": [{"name": "talk", "containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
    }


class WebSocket:
    """A client's end; use with `with`."""

    def __init__(self, address, path, context=None, upgrade="websocket", method="GET", **headers):
        self.socket = socket.create_connection(address, timeout=20 * WAITING)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=address[0])
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"{method} {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Connection: keep-alive, Upgrade",
            f"Upgrade: {upgrade}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while text := self.file.readline().decode().strip():
            name, _, value = text.partition(":")
            self.headers[name.lower()] = value.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data, code=2):
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 128 | code, 128 | size)
        else:
            head = struct.pack("!BBQ", 128 | code, 128 | 127, size)
        long = mask * (size // 4 + 1)
        hidden = (int.from_bytes(data, "big") ^ int.from_bytes(long[:size], "big")).to_bytes(size, "big")
        self.socket.sendall(head + mask + hidden)

    def next(self):
        """(code, data) of the next frame; None at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        size = head[1] & 127
        if size == 126:
            (size,) = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.file.read(8))
        data = self.file.read(size)
        if len(data) < size:
            raise Failure(f"a frame of {size} bytes ends after {len(data)}")
        return head[0] & 15, data

    def request(self):
        """(request line, headers) as the server got them: its first message."""
        line, headers = json.loads(self.next()[1])
        return line, [tuple(item) for item in headers]
