"""Reference runtimes: other people's, run with a configuration equal to a pod's."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

from rig.archives import tar
from rig.expectation import Failure, Skipped, eventually
from rig.observation import Observation
from rig.oci import configuration
from rig.probe import layer

# Of the image that rig/probe.py makes: its users' groups.
MEMBERS = {0: (0, []), 12: (34, []), 1500: (1500, [50000])}


class Reference:
    """One runtime, by the name of its program."""

    def __init__(self, name, world):
        if shutil.which(name) is None:
            raise Skipped(f"{name} is not installed")
        self.name = name
        self.world = world
        self.place = world.directory / f"reference-{name}"
        # In its own cgroup, which is removed afterwards; crun does without where it does not know the host's layout.
        self.cgroup = f"/swiftlet-reference-{os.getpid()}"
        self.has_cgroups = name != "crun"
        root = self.place / "rootfs"
        if not root.exists():
            root.mkdir(parents=True)
            archive = self.place / "rootfs.tar"
            archive.write_bytes(tar(layer(world)))
            with tarfile.open(archive) as source:
                source.extractall(root)
            archive.unlink()
        self.started = 0

    def words(self, *arguments):
        """The command, in a mount namespace without the v2 half of a hybrid host for crun, which refuses those."""
        own = [self.name, "--root", str(self.place / "state")]
        if self.has_cgroups:
            return [*own, *arguments]
        script = "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec \"$@\""
        return [
            "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *own,
            "--cgroup-manager=disabled", *arguments,
        ]

    @contextlib.contextmanager
    def running(self, posture, arguments, change=None):
        """A container while it runs: (its name, its process on the host, its bundle)."""
        self.started += 1
        name = f"c{os.getpid()}-{self.started}"
        bundle = self.place / name
        volume = bundle / "volume"
        volume.mkdir(parents=True)
        volume.chmod(0o777)
        (bundle / "rootfs").symlink_to(self.place / "rootfs")
        config = configuration(posture, arguments, volume, f"{self.cgroup}/{name}", MEMBERS)
        if change:
            change(config)
        config["root"]["path"] = str(self.place / "rootfs")
        (bundle / "config.json").write_text(json.dumps(config))
        # What an exec is given: the same, as CRI runtimes do it.
        execution = dict(config["process"], args=["/probe", "turn", *arguments[2:]])
        (bundle / "exec.json").write_text(json.dumps(execution))
        with open(bundle / "errors", "wb") as errors:
            process = subprocess.Popen(
                self.words("run", "--bundle", str(bundle), name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors, text=True)
        try:
            yield name, process, bundle
        finally:
            if process.poll() is None:
                subprocess.run(self.words("kill", name, "KILL"), capture_output=True, timeout=20, check=False)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            if process.poll() is None:
                process.kill()
            subprocess.run(
                self.words("delete", "--force", name), capture_output=True, timeout=20, check=False)
            process.stdout.close()
            shutil.rmtree(bundle, ignore_errors=True)
            self.clear_cgroups()

    def observed(self, posture, attempts=True):
        """(observation of the first process, observation of an exec), as rig.probe.observed() of a pod."""
        verb = "attempts" if attempts else "facts"
        with self.running(posture, ["/probe", "until", "/volume/exec", verb]) as (name, process, bundle):
            def execute():
                if process.poll() is not None:
                    raise Failure(f"{self.name} ended with {process.returncode}: {(bundle / 'errors').read_text()}")
                result = subprocess.run(
                    self.words("exec", "--process", str(bundle / "exec.json"), name), stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, timeout=30, check=False)
                return result.returncode == 0 or (_ for _ in ()).throw(Failure(result.stderr))

            eventually(f"{self.name} executes in its container", execute, 15, 0.1)
            output = process.communicate(timeout=30)[0]
        first, second = output.split("\n{")
        return Observation(first), Observation("{" + second)

    def clear_cgroups(self):
        """Removes what the runtime left of the cgroup made for it, deepest first."""
        base = pathlib.Path("/sys/fs/cgroup")
        for place in [base / self.cgroup[1:], *base.glob(f"*{self.cgroup}")]:
            for directory, _, _ in os.walk(place, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
