"""Clients besides kubectl: helm with a chart of ours, and the client library of Python."""

import json
import os
import pathlib
import subprocess
import sys

from rig.case import case
from rig.expectation import WAITING, Failure, expect, expect_contains, expect_equal

HERE = pathlib.Path(__file__).resolve().parent.parent
CHART = HERE / "charts/web"


def started(world, space, *words, **variables):
    """Runs a client to its end and returns what it says."""
    home = world.directory / "home" / space.node.name
    home.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        [str(word) for word in words], text=True, capture_output=True, check=False, timeout=120 * WAITING,
        stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
    )
    if result.returncode != 0:
        raise Failure(f"{words[0]} {words[1]}: exit {result.returncode}: {result.stdout} {result.stderr.strip()}")
    return result.stdout


@case("helm installs, upgrades, rolls back and uninstalls a chart with a hook")
def chart(world, space):
    def helm(*words):
        start = (world.clients / "helm", "--kubeconfig", space.node.kubeconfig, "--namespace", space.name)
        return started(world, space, *start, *words)

    def text():
        return space.api.get(space.path("configmaps", "demo"))["data"]["text"]

    wait = ("--wait", f"--timeout={int(60 * WAITING)}s")
    expect_contains(helm("install", "demo", CHART, "--dry-run=server"), "kind: Deployment", "a dry run")
    expect_contains(helm("install", "demo", CHART, *wait), "STATUS: deployed", "install")
    expect_equal(text(), "first", "the text after install")
    helm("upgrade", "demo", CHART, "--set", "text=second", *wait)
    expect_equal(text(), "second", "the text after upgrade")
    helm("rollback", "demo", "1", *wait)
    expect_equal(text(), "first", "the text after rollback")
    history = json.loads(helm("history", "demo", "-o", "json"))
    expect_equal([item["status"] for item in history], ["superseded", "superseded", "deployed"], "the history")
    expect_contains(helm("uninstall", "demo", *wait), "uninstalled", "uninstall")
    expect_equal(json.loads(helm("list", "-o", "json")), [], "what is left")
    left = space.api.get(f"/apis/policy/v1/namespaces/{space.name}/poddisruptionbudgets")["items"]
    expect(not left, f"budgets left: {left}")


@case("the client library of Python watches, runs commands, and finds and writes kinds by discovery")
def library(world, space):
    said = started(
        world, space, sys.executable, HERE / "clients/library.py", space.node.kubeconfig, space.name,
        PYTHONPATH=str(world.clients / "python"), PYTHONDONTWRITEBYTECODE="1",
    )
    expect_equal(said.splitlines()[-1], "all done", "the last word")
