"""The Kubernetes API, spoken plainly: to prepare and to observe, so that a client under test is never its own judge."""

import base64
import http.client
import json
import re
import ssl
import time
import urllib.parse

from rig.expectation import WAITING, Failure


class APIFailure(Failure):
    """An answer that is no success, with its HTTP status and the Status object of the body."""

    def __init__(self, request, status, body):
        message = body.get("message", body) if isinstance(body, dict) else body
        super().__init__(f"{request}: {status}: {message}")
        self.status = status
        self.body = body
        self.message = str(message)


class Credentials:
    """Server address and certificates out of an admin kubeconfig, written as PEM files for those who want paths."""

    def __init__(self, kubeconfig, directory):
        text = kubeconfig.read_text()
        server = urllib.parse.urlsplit(self._field(text, "server"))
        self.host, self.port = server.hostname, server.port
        directory.mkdir(parents=True, exist_ok=True)
        self.files = {}
        for name in ("certificate-authority", "client-certificate", "client-key"):
            self.files[name] = directory / f"{name}.pem"
            self.files[name].write_bytes(base64.b64decode(self._field(text, f"{name}-data")))

    @staticmethod
    def _field(text, name):
        match = re.search(rf'"?{name}"?:\s*"?([^"\s,}}]+)', text)
        if not match:
            raise Failure(f"the kubeconfig has no field {name}")
        return match.group(1)

    def context(self, with_certificate=True):
        """A TLS context that trusts the node's own authority only."""
        context = ssl.create_default_context(cafile=str(self.files["certificate-authority"]))
        if with_certificate:
            context.load_cert_chain(str(self.files["client-certificate"]), str(self.files["client-key"]))
        return context


class API:
    """One control endpoint as its administrator sees it."""

    def __init__(self, credentials):
        self.credentials = credentials
        self.context = credentials.context()

    def _connection(self, timeout):
        return http.client.HTTPSConnection(
            self.credentials.host, self.credentials.port, timeout=timeout, context=self.context
        )

    def request(self, method, path, body=None, content_type="application/json", timeout=15 * WAITING):
        """The parsed answer (text when it is no JSON). Raises APIFailure, or OSError when nothing answers."""
        return parsed(self._answer(method, path, body, content_type, timeout))

    def text(self, path):
        """The answer as it is, for what a container has written: it may look like JSON."""
        return self._answer("GET", path, None, None, 15 * WAITING)

    def _answer(self, method, path, body, content_type, timeout):
        connection = self._connection(timeout)
        try:
            headers = {"Accept": "application/json"}
            data = None
            if body is not None:
                data = body if isinstance(body, (bytes, str)) else json.dumps(body)
                headers["Content-Type"] = content_type
            connection.request(method, path, body=data, headers=headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise APIFailure(f"{method} {path}", response.status, parsed(text))
        return text

    def exchange(self, method, path, body=None, context=None, **headers):
        """Status, parsed answer and headers, whatever the status; a header's name with _ for -.

        With a TLS context of one's own the request comes from somebody else.
        """
        connection = http.client.HTTPSConnection(
            self.credentials.host, self.credentials.port, timeout=15 * WAITING, context=context or self.context
        )
        try:
            given = {"Accept": "application/json", "Content-Type": "application/json"}
            given.update({name.replace("_", "-"): value for name, value in headers.items()})
            data = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, body=data, headers=given)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        return response.status, parsed(text), response.headers

    def get(self, path):
        return self.request("GET", path)

    def watch(self, path, query, resource_version, seconds):
        """Yields (type, object) until the server ends the watch or the time is over."""
        deadline = time.monotonic() + seconds
        parameters = dict(query, watch="true", resourceVersion=resource_version, timeoutSeconds=str(int(seconds) + 1))
        connection = self._connection(max(0.1, seconds))
        try:
            connection.request(
                "GET", f"{path}?{urllib.parse.urlencode(parameters)}", headers={"Accept": "application/json"}
            )
            response = connection.getresponse()
            if response.status != 200:
                raise APIFailure(f"WATCH {path}", response.status, response.read().decode(errors="replace"))
            while time.monotonic() < deadline:
                if connection.sock is not None:
                    connection.sock.settimeout(max(0.1, deadline - time.monotonic()))
                line = response.readline()
                if not line:
                    return
                event = json.loads(line)
                yield event["type"], event["object"]
        except (TimeoutError, http.client.HTTPException):
            return
        finally:
            connection.close()


def parsed(text):
    """What is JSON as an object, anything else as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
