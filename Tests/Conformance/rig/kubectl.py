"""A real client: kubectl of one version, with the administrator's kubeconfig of one node."""

import json
import os
import subprocess

from rig.expectation import WAITING, Failure


class Kubectl:
    """kubectl bound to a node and a namespace."""

    def __init__(self, program, node, namespace, home):
        self.version = program.name.removeprefix("kubectl-")
        self.is_new = self.version != "1.20"
        home.mkdir(parents=True, exist_ok=True)
        self.program = str(program)
        self._start = [
            self.program,
            "--kubeconfig",
            str(node.kubeconfig),
            "--cache-dir",
            str(home / "cache"),
            "--namespace",
            namespace,
        ]
        # What kubectl edit could not apply it leaves in the temporary directory.
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}

    def run(self, *arguments, given=None, seconds=30, environment=None):
        """Runs to the end, whatever that is. `given` goes to standard input, objects as JSON."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        return subprocess.run(
            [*self._start, *arguments],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            text=True,
            capture_output=True,
            timeout=seconds * WAITING,
            env={**self.environment, **(environment or {})},
            check=False,
        )

    def __call__(self, *arguments, given=None, seconds=30):
        """Its standard output; fails when kubectl does."""
        result = self.run(*arguments, given=given, seconds=seconds)
        if result.returncode != 0:
            raise Failure(
                f"kubectl-{self.version} {' '.join(arguments)}: exit {result.returncode}: {result.stderr.strip()}"
            )
        return result.stdout

    def refused(self, *arguments, given=None):
        """Its standard error; fails when kubectl succeeds."""
        result = self.run(*arguments, given=given)
        if result.returncode == 0:
            raise Failure(f"kubectl-{self.version} {' '.join(arguments)} should fail, but said {result.stdout.strip()}")
        return result.stderr

    def follow(self, *arguments):
        """Starts it and returns the process, its output line by line in `stdout`. The caller ends it."""
        return subprocess.Popen(
            [*self._start, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
