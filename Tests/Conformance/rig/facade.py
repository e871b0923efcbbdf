"""A façade over this runtime and over reference ones: one description of a container, in the OCI specification's terms."""

import dataclasses
import subprocess

from rig.expectation import Failure, eventually
from rig.observation import Observation
from rig.pods import pod
from rig.postures import Posture
from rig.probe import IMAGE, imported
from rig.space import terminated, waiting


@dataclasses.dataclass
class Bundle:
    """What a check asks of a runtime: fields of config.json that a pod can carry, too."""

    args: list
    cwd: str = "/"
    env: list = dataclasses.field(default_factory=list)
    hostname: str = ""
    # Path and bytes of memory file systems.
    tmpfs: dict = dataclasses.field(default_factory=dict)
    security: dict = dataclasses.field(default_factory=dict)
    # Sent to the process once it has printed its first line.
    signal: str = ""


@dataclasses.dataclass
class Outcome:
    """What became of it: `started` is false when no program of the container's was run."""

    started: bool
    code: int
    output: str
    message: str = ""

    @property
    def seen(self):
        if not self.started or not self.output.startswith("{"):
            raise Failure(f"no observation: exit {self.code}: {self.output[-300:]} {self.message[-500:]}")
        return Observation(self.output)


class PodRuntime:
    """This runtime, by pods."""

    name = "swiftlet"

    def __init__(self, space, world):
        self.space = space
        imported(space.node, world)
        self.number = 0

    def run(self, bundle):
        self.number += 1
        name = bundle.hostname or f"bundle-{self.number}"
        volumes = [
            {"name": f"t{index}", "emptyDir": {"medium": "Memory", "sizeLimit": str(size)}}
            for index, size in enumerate(bundle.tmpfs.values())
        ]
        container = {
            "name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": bundle.args,
            "workingDir": bundle.cwd, "securityContext": bundle.security,
            "env": [dict(zip(("name", "value"), variable.split("=", 1))) for variable in bundle.env],
            "volumeMounts": [{"name": f"t{index}", "mountPath": path} for index, path in enumerate(bundle.tmpfs)],
        }
        self.space.create(pod(name, container, volumes=volumes, terminationGracePeriodSeconds=20))
        if bundle.signal:
            return self.stopped(name)
        item = self.space.wait(
            name, "ended or refused",
            lambda item: terminated(item or {}) or waiting(item).get("reason", "").endswith("Error"))
        ended = terminated(item)
        if not ended or ended.get("reason") in ("StartError", "ContainerCannotRun"):
            message = ended.get("message") or waiting(item).get("message", "")
            return Outcome(False, ended.get("exitCode", -1), "", message)
        return Outcome(True, ended["exitCode"], self.space.log(name))

    def stopped(self, name):
        self.space.wait_ready(name)
        eventually(f"the first line of {name}", lambda: self.space.log(name))
        ends = []
        self.space.delete(name)
        self.space.wait(name, "gone", lambda item: item is None or (ends.append(terminated(item)) and False))
        codes = [end["exitCode"] for end in ends if end]
        return Outcome(True, codes[-1] if codes else -1, "")


class ReferenceRuntime:
    """Another runtime, by its command line."""

    def __init__(self, reference):
        self.reference = reference
        self.name = reference.name

    def run(self, bundle):
        def change(config):
            process = config["process"]
            process["cwd"] = bundle.cwd
            process["env"] = process["env"] + bundle.env
            if bundle.hostname:
                config["hostname"] = bundle.hostname
            config["mounts"] += [
                {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", f"size={size}"]}
                for path, size in bundle.tmpfs.items()]

        with self.reference.running(Posture("check", bundle.security), bundle.args, change) as (name, process, place):
            first = ""
            if bundle.signal:
                first = process.stdout.readline()
                subprocess.run(self.reference.words("kill", name, bundle.signal), timeout=20, check=True)
            try:
                output = first + process.communicate(timeout=30)[0]
            except subprocess.TimeoutExpired:
                raise Failure(f"{self.name}: {bundle.args}: not over within 30 s") from None
            errors = (place / "errors").read_text()
        # Both say so themselves, before anything of the container's was run.
        not_started = process.returncode != 0 and any(
            text in errors for text in ("unable to start", "executable", "run failed", "error executing", "chdir"))
        return Outcome(not not_started, process.returncode, output, errors)
