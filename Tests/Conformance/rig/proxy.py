"""A proxy between agent and endpoint that lies when it is told to."""

import base64
import contextlib
import select
import socket
import ssl
import threading

from rig.disk import command


def answer(status, body=b"", *headers, length=None):
    """The bytes of an HTTP answer; `length` is what it claims to be long."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


JSON = "Content-Type: application/json"
LIES = {
    "410": answer(
        "410 Gone",
        b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old"}', JSON),
    "429": answer("429 Too Many Requests", b"", "Retry-After: 1"),
    "500": answer("500 Internal Server Error", b"oops\n"),
    "503": answer("503 Service Unavailable"),
    "half JSON": answer("200 OK", b'{"kind":"PodList","apiVersion":"v1","items":[{"ki', JSON, length=4000),
    "wrong JSON": answer("200 OK", b'{"kind":"PodList","items":[}', JSON),
    "an object without anything": answer("200 OK", b"{}", JSON),
    "deep JSON": answer("200 OK", b"[" * 100_000, JSON),
    "HTML": answer("200 OK", b"<html>log in!</html>", "Content-Type: text/html"),
    "a redirect": answer("302 Found", b"", "Location: http://127.0.0.1:1/"),
    "no HTTP": b"\x00\x01\x02 SSH-2.0-nonsense\r\n\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * (4 << 20),
    "nothing": b"",
}


class Proxy:
    """Passes every byte on while `lie` is None; else each request gets the lie's bytes as its answer.

    It shows a certificate of its own, which `kubeconfig` trusts, and goes to the endpoint with the given credentials.
    """

    def __init__(self, credentials, directory):
        directory.mkdir(parents=True)
        self._server = self._identity(directory)
        self._credentials = credentials
        self._client = credentials.context()
        # (lie, request line) of every request that was not passed on.
        self.told = []
        self._lie = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(self._kubeconfig(directory))
        self._open = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def lie(self, name):
        """From now on, or the truth again for None; connections that are open break."""
        self._lie = name
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.close()
        self.lie(None)

    @staticmethod
    def _identity(directory):
        certificate, key = directory / "proxy.pem", directory / "proxy.key"
        command([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=proxy", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1",
            "-out", str(certificate), "-keyout", str(key)])
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(str(certificate), str(key))
        return context

    def _kubeconfig(self, directory):
        def data(file):
            return base64.b64encode(file.read_bytes()).decode()

        files = self._credentials.files
        return f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{
  server: "https://127.0.0.1:{self.port}", certificate-authority-data: {data(directory / "proxy.pem")}}}}}]
users: [{{name: u, user: {{client-certificate-data: {data(files["client-certificate"])},
  client-key-data: {data(files["client-key"])}}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain):
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(plain.close)
            plain.settimeout(30)
            connection = self._keep(stack, self._server.wrap_socket(plain, server_side=True))
            if self._lie is None:
                target = (self._credentials.host, self._credentials.port)
                upstream = self._client.wrap_socket(
                    socket.create_connection(target, 10), server_hostname=self._credentials.host)
                self._pass_on(connection, self._keep(stack, upstream))
            else:
                self._tell(connection, self._lie)

    def _keep(self, stack, connection):
        def forget():
            with self._lock:
                self._open.discard(connection)
            connection.close()

        with self._lock:
            self._open.add(connection)
        stack.callback(forget)
        return connection

    def _tell(self, connection, lie):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return
            request += part
        self.told.append((lie, request.split(b"\r\n", 1)[0].decode(errors="replace")))
        connection.sendall(LIES[lie])
        if not LIES[lie]:
            # Until the truth is told again, or the other side gives up.
            connection.recv(1)

    @staticmethod
    def _pass_on(one, other):
        """One thread for both directions: a TLS connection is not to be used by two at once."""
        while True:
            ready = [end for end in (one, other) if end.pending()] or select.select([one, other], [], [], 60)[0]
            if not ready:
                return
            for source in ready:
                part = source.recv(65536)
                if not part:
                    return
                (other if source is one else one).sendall(part)
