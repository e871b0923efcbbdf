"""Image archives in docker's format, well made or hostile, from busybox and Python's tarfile."""

import hashlib
import io
import json
import pathlib
import tarfile

from rig.expectation import Skipped


APPLETS = "sh cat ls sleep id wc ln mv touch head readlink stat true tr grep".split()


def entry(name, data=b"", mode=0o755, kind=tarfile.REGTYPE, link=""):
    """A member of a layer and its content."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname = len(data), mode, kind, link
    return info, data


def tar(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def busybox_layer():
    """A root with the static busybox as the only program."""
    program = next((path for path in map(pathlib.Path, ("/bin/busybox", "/usr/bin/busybox")) if path.exists()), None)
    if program is None:
        raise Skipped("busybox-static is not installed")
    links = [entry(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox") for name in APPLETS]
    return [
        entry("bin", kind=tarfile.DIRTYPE),
        entry("bin/busybox", program.read_bytes()),
        *links,
        entry("etc", kind=tarfile.DIRTYPE),
        entry("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:12:34::/:/bin/sh\n", 0o644),
    ]


def docker_archive(path, reference, *layers, **config):
    """Writes an archive as `docker save` does; each layer is a list of entries."""
    return docker_archive_of(path, reference, [tar(layer) for layer in layers], **config)


def docker_archive_of(path, reference, blobs, **config):
    """The same of layers that are packed already."""
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict({"Env": ["PATH=/bin", "FROM=image"]}, **config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(blob).hexdigest()}" for blob in blobs]},
    }
    names = [f"layer-{index}.tar" for index in range(len(blobs))]
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": names}]
    members = [
        entry("manifest.json", json.dumps(manifest).encode(), 0o644),
        entry("config.json", json.dumps(settings).encode(), 0o644),
    ]
    members += [entry(name, blob, 0o644) for name, blob in zip(names, blobs)]
    path.write_bytes(tar(members))
    return path
