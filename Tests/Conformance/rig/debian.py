"""Debian's own programs as images: packages with the libraries they need, unpacked on a small root."""

import os
import pathlib
import re
import subprocess
import tarfile

from rig.archives import busybox_layer, docker_archive_of, entry, tar
from rig.expectation import PATIENCE, Failure, Skipped

# What dependencies bring along that no program here opens: compilers, interpreters, what sets packages up.
UNUSED = re.compile(r"lib(llvm|z3|perl|.*-perl|semanage|sepol|pam-modules|newt|slang|textwrap|debian|bpf|elogind).*")
NEEDED = re.compile(r"lib.*|zlib1g|tzdata|gcc-.*-base")
# Neither read nor run.
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/lib/postgresql/15/lib/bitcode", "usr/share/lintian")
# Beside those of every small root.
APPLETS = "mkdir chmod rm date ps kill sync sed".split()


def run(*command, seconds=300, error=Failure, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds * PATIENCE, check=False, stdin=subprocess.DEVNULL,
        **options)
    if done.returncode != 0:
        raise error(f"{' '.join(command[:3])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def closure(packages):
    """The packages, and the libraries that they need, as apt knows them."""
    limits = [f"--no-{kind}" for kind in "recommends suggests conflicts breaks replaces enhances".split()]
    listed = run("apt-cache", "depends", "--recurse", *limits, "--important", *packages, error=Skipped)
    names = {line for line in listed.splitlines() if re.match(r"[a-z0-9]", line)}
    names = {name.split(":")[0] for name in names}
    return sorted(set(packages) | {name for name in names if NEEDED.fullmatch(name) and not UNUSED.fullmatch(name)})


def archives(packages):
    """Files of the packages, fetched once: they are kept between runs."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "swiftlet-tests/debian"
    cache.mkdir(parents=True, exist_ok=True)

    def find(name):
        return next(iter(sorted(cache.glob(f"{name}_*.deb"))), None)

    missing = [name for name in packages if find(name) is None]
    if missing:
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *missing, cwd=cache, error=Skipped)
    return [find(name) for name in packages]


def make_image(place, name, packages, users, **config):
    """An archive of an image with these packages; users: lines of /etc/passwd."""
    tree = place / f"{name}-root"
    tree.mkdir()
    for file in archives(closure(packages)):
        run("dpkg-deb", "--extract", str(file), str(tree))
    for dropped in DROPPED:
        run("rm", "-rf", str(tree / dropped))
    packed = place / f"{name}-root.tar"
    run("tar", "-C", str(tree), "--owner=0", "--group=0", "-cf", str(packed), ".")
    base = [item for item in busybox_layer() if item[0].name != "etc/passwd"]
    base += [entry(f"bin/{applet}", kind=tarfile.SYMTYPE, link="busybox") for applet in APPLETS]
    accounts = "root:x:0:0::/:/bin/sh\n" + "".join(line + "\n" for line in users)
    top = [
        entry("etc/passwd", accounts.encode(), 0o644), entry("tmp", kind=tarfile.DIRTYPE, mode=0o1777),
        entry("etc/group", "".join(f"{u[0]}:x:{u[3]}:\n" for u in (line.split(":") for line in users)).encode(), 0o644),
    ]
    blobs = [tar(base), packed.read_bytes(), tar(top)]
    return docker_archive_of(place / f"{name}.tar", f"example.org/{name}:1", blobs, **config)
