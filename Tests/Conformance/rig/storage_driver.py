"""A small storage driver: the protocol of CSI 1 in earnest, with directories for volumes.

    driver.py DIRECTORY REGISTRY NAME

Volumes are directories of DIRECTORY/volumes; staging binds one to the staging path, publishing binds that to the target. Every call is
a line in DIRECTORY/calls, every step of one that stages, publishes or takes back a line in DIRECTORY/steps, and all that was asked of
one that stages or publishes a line in DIRECTORY/requests. A call waits at its step (begin, middle, end) as long as there is a file
DIRECTORY/hold-CALL-STEP. What the driver can do is in DIRECTORY/capabilities, as the numbers that CSI has for it; without that file it
stages; what it says of its node is in DIRECTORY/topology, as JSON. Run by Debian's own Python, which has grpc.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from concurrent import futures

import grpc


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    """A field of a message: a number, a text or another message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def parse(data):
    """The fields of a message by number: lists of numbers and of bytes."""
    found, place = {}, 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        tag = number()
        if tag & 7 == 0:
            found.setdefault(tag >> 3, []).append(number())
        else:
            length = number()
            found.setdefault(tag >> 3, []).append(data[place:place + length])
            place += length
    return found


def text(message, number):
    return message.get(number, [b""])[-1].decode()


def mapping(message, number):
    return {text(entry, 1): text(entry, 2) for entry in map(parse, message.get(number, []))}


def is_mounted(place):
    """Whether something is mounted there: a bind mount is of the same device, so only the kernel's table tells."""
    table = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return any(line.split()[4] == os.path.realpath(place) for line in table.splitlines())


class Driver:
    """The volumes, and every call with its fields by their numbers."""

    def __init__(self, directory, registry, name):
        self.directory, self.name = pathlib.Path(directory), name
        self.socket = self.directory / "csi.sock"
        self.registration = pathlib.Path(registry) / f"{name}-reg.sock"

    def note(self, *words):
        with open(self.directory / "calls", "a", encoding="utf-8") as file:
            file.write(" ".join(words) + "\n")

    def step(self, name, request, step):
        """Says how far a call is, and waits there if it is to."""
        staging = {"NodeStageVolume": 3, "NodePublishVolume": 3, "NodeUnstageVolume": 2}
        target = {"NodePublishVolume": 4, "NodeUnpublishVolume": 2}
        line = {"call": name, "step": step, "handle": text(request, 1), "staging": text(request, staging.get(name, 99)),
                "target": text(request, target.get(name, 99))}
        with open(self.directory / "steps", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        while (self.directory / f"hold-{name}-{step}").exists():
            time.sleep(0.01)

    def note_request(self, name, request):
        """What was asked: the same fields have other numbers in the two calls."""
        numbers = {"NodeStageVolume": (4, 5, 6), "NodePublishVolume": (5, 7, 8)}[name]
        capability = parse(request.get(numbers[0], [b""])[-1])
        usage = parse(capability.get(2, [b""])[-1])
        line = {"call": name, "handle": text(request, 1), "publish_context": mapping(request, 2), "group": text(usage, 3),
                "secrets": mapping(request, numbers[1]), "context": mapping(request, numbers[2])}
        with open(self.directory / "requests", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def volume(self, handle):
        place = self.directory / "volumes" / handle
        place.mkdir(parents=True, exist_ok=True)
        return place

    def GetInfo(self, _):
        return field(1, "CSIPlugin") + field(2, self.name) + field(3, str(self.socket)) + field(4, "1.0.0")

    def NotifyRegistrationStatus(self, request):
        self.note("registered" if request.get(1, [0])[-1] else "refused", text(request, 2))
        return b""

    def NodeGetInfo(self, _):
        file = self.directory / "topology"
        segments = json.loads(file.read_text()) if file.exists() else {}
        place = b"".join(field(1, field(1, key) + field(2, value)) for key, value in segments.items())
        return field(1, "this-node") + (field(2, 7) + field(3, place) if segments else b"")

    def NodeGetCapabilities(self, _):
        file = self.directory / "capabilities"
        known = [int(word) for word in file.read_text().split()] if file.exists() else [1]
        return b"".join(field(1, field(1, field(1, number))) for number in known)

    def NodeStageVolume(self, request):
        handle, staging = text(request, 1), text(request, 3)
        self.note_request("NodeStageVolume", request)
        secrets = mapping(request, 5)
        self.note("stage", handle, secrets.get("key", "-"))
        if not is_mounted(staging):
            subprocess.run(["mount", "--bind", str(self.volume(handle)), staging], check=True)
        return b""

    def NodePublishVolume(self, request):
        handle, staging, target = text(request, 1), text(request, 3), text(request, 4)
        self.note_request("NodePublishVolume", request)
        context = mapping(request, 8)
        self.note("publish", handle, context.get("color", "-"), context.get("csi.storage.k8s.io/pod.name", "-"))
        if (self.directory / "broken").exists():
            raise RuntimeError("broken on purpose")
        os.makedirs(target, exist_ok=True)
        if not is_mounted(target):
            subprocess.run(["mount", "--bind", staging or str(self.volume(handle)), target], check=True)
        self.step("NodePublishVolume", request, "middle")
        if request.get(6, [0])[-1]:
            subprocess.run(["mount", "-o", "remount,bind,ro", target], check=True)
        return b""

    def NodeExpandVolume(self, request):
        target, size, staging = text(request, 2), parse(request.get(3, [b""])[-1]).get(1, [0])[-1], text(request, 4)
        self.note("expand", text(request, 1), str(size), "mounted" if is_mounted(target) and is_mounted(staging) else "-")
        if (self.directory / "full").exists():
            raise RuntimeError("no room for more")
        return field(1, size)

    def NodeGetVolumeStats(self, request):
        """Of the directory: its room is a matter of fancy, what is in it is not."""
        self.note("measure", text(request, 1), "mounted" if is_mounted(text(request, 2)) else "-")
        files = [path for path in self.volume(text(request, 1)).rglob("*") if path.is_file()]
        used = sum(path.stat().st_size for path in files)
        amounts = [(1 << 30, used, 1), (1000, len(files), 2)]
        return b"".join(
            field(1, field(1, total - count) + field(2, total) + field(3, count) + field(4, unit))
            for total, count, unit in amounts)

    def NodeUnpublishVolume(self, request):
        self.note("unpublish", text(request, 1))
        self.release(text(request, 2))
        return b""

    def NodeUnstageVolume(self, request):
        self.note("unstage", text(request, 1))
        self.release(text(request, 2), keeps=True)
        return b""

    @staticmethod
    def release(place, keeps=False):
        if is_mounted(place):
            subprocess.run(["umount", place], check=True)
        if not keeps and os.path.isdir(place):
            os.rmdir(place)

    def handler(self, names):
        def serve(method):
            name = method.__name__

            def call(data, context):
                try:
                    request = parse(data)
                    if not name.endswith("Volume"):
                        return method(request)
                    self.step(name, request, "begin")
                    answer = method(request)
                    self.step(name, request, "end")
                    return answer
                except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
                    context.abort(grpc.StatusCode.INTERNAL, str(error))
            return grpc.unary_unary_rpc_method_handler(call)

        return {name: serve(getattr(self, name)) for name in names}

    def run(self):
        node = self.handler(
            "NodeGetInfo NodeGetCapabilities NodeStageVolume NodePublishVolume NodeExpandVolume NodeUnpublishVolume "
            "NodeUnstageVolume NodeGetVolumeStats".split())
        registration = self.handler(["GetInfo", "NotifyRegistrationStatus"])
        servers = []
        for socket, service, methods in (
            (self.socket, "csi.v1.Node", node), (self.registration, "pluginregistration.Registration", registration)):
            socket.unlink(missing_ok=True)
            server = grpc.server(futures.ThreadPoolExecutor(4))
            server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, methods)])
            server.add_insecure_port(f"unix:{socket}")
            server.start()
            servers.append(server)
        for server in servers:
            server.wait_for_termination()


if __name__ == "__main__":
    Driver(*sys.argv[1:]).run()
