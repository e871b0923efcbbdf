"""One session with the Kubernetes client library of Python, in a process of its own.

    library.py KUBECONFIG NAMESPACE

Prints what it has seen, one line each; ends with an error at the first thing that is not as it should be.
"""

import sys
import time

from kubernetes import client, config, dynamic, watch
from kubernetes.stream import stream

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "session", "labels": {"app": "session"}},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "host:///", "command": ["sleep", "100000"]}],
    },
}


def expect(condition, what):
    if not condition:
        sys.exit(f"not so: {what}")
    print(what, flush=True)


def is_ready(pod):
    return any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions or [])


def watched(core, namespace):
    """Creates a pod and watches it become ready."""
    core.create_namespaced_pod(namespace, POD)
    kinds = []
    watcher = watch.Watch()
    for event in watcher.stream(
        core.list_namespaced_pod, namespace, label_selector="app=session", timeout_seconds=60
    ):
        kinds.append(event["type"])
        if is_ready(event["object"]):
            watcher.stop()
    expect(kinds[:1] == ["ADDED"] and set(kinds[1:]) == {"MODIFIED"}, "the watch shows the pod come and become ready")


def executed(core, namespace):
    """Runs commands in the pod over a WebSocket."""
    run = core.connect_get_namespaced_pod_exec
    said = stream(run, "session", namespace, command=["echo", "hello"], stdout=True, stderr=True, stdin=False, tty=False)
    expect(said == "hello\n", "exec gives back what the command says")
    session = stream(
        run, "session", namespace, command=["sh", "-c", "read line; echo got $line; exit 3"], stdin=True, stdout=True,
        stderr=True, tty=False, _preload_content=False,
    )
    session.write_stdin("input\n")
    said, deadline = "", time.monotonic() + 30
    while session.is_open() and time.monotonic() < deadline:
        session.update(timeout=1)
        if session.peek_stdout():
            said += session.read_stdout()
    expect(said == "got input\n", "exec takes input")
    expect(session.returncode == 3, "and gives back the exit code")


def dynamic_client(namespace):
    """Finds kinds by discovery and writes in every way."""
    found = dynamic.DynamicClient(client.ApiClient())
    maps = found.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(body={"metadata": {"name": "colors"}, "data": {"a": "blue"}}, namespace=namespace)
    expect(maps.get(name="colors", namespace=namespace).data.a == "blue", "the dynamic client creates and gets")
    changed = maps.patch(
        name="colors", namespace=namespace, body={"data": {"a": "red"}}, content_type="application/merge-patch+json"
    )
    expect(changed.data.a == "red", "and patches")
    applied = maps.server_side_apply(
        name="colors", namespace=namespace, field_manager="session",
        body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colors"}, "data": {"z": "1"}},
    )
    expect(applied.data.a == "red" and applied.data.z == "1", "and applies")
    seen = [event["type"] for event in maps.watch(namespace=namespace, name="colors", timeout=1)]
    expect(seen[:1] == ["ADDED"], "and watches")
    maps.delete(name="colors", namespace=namespace)
    kinds = {item.kind for item in found.resources.search(group="policy")}
    expect("PodDisruptionBudget" in kinds, "and finds the groups")


def refusals(core, namespace):
    """What fails comes as the exception that programs look for."""
    try:
        core.read_namespaced_pod("absent", namespace)
        expect(False, "an absent pod is an error")
    except client.ApiException as error:
        expect((error.status, error.reason) == (404, "Not Found"), "an absent pod is an error")
    # The library writes False where the API says false.
    listed = core.list_namespaced_pod(namespace, watch=False, limit=1)
    expect(listed.kind == "PodList", "a list that is no watch")


def main(kubeconfig, namespace):
    """All of it."""
    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    watched(core, namespace)
    executed(core, namespace)
    dynamic_client(namespace)
    refusals(core, namespace)
    core.delete_namespaced_pod("session", namespace)
    print("all done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
