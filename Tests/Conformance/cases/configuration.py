"""ConfigMaps and Secrets as files."""

from rig.case import case
from rig.expectation import eventually, expect_contains
from rig.pods import config_map, mount, pod, secret, shell


@case("ConfigMap and Secret volumes show their keys; a Secret is on tmpfs and an update arrives")
def projected(space):
    space.create(config_map("settings", color="blue"))
    space.create(secret("login", password="open sesame"))
    space.create(
        pod(
            "reader",
            shell(
                "cat /s/password; echo; stat -f -c %T /s; echo; while :; do cat /c/color; echo; sleep 0.1; done",
                volumeMounts=[mount("c", "/c"), mount("s", "/s")],
            ),
            volumes=[
                {"name": "c", "configMap": {"name": "settings"}},
                {"name": "s", "secret": {"secretName": "login"}},
            ],
        )
    )
    space.wait_ready("reader")
    eventually("the log", lambda: "blue" in space.log("reader"), 10)
    expect_contains(space.log("reader"), "open sesame\ntmpfs", "the Secret")
    space.api.request(
        "PATCH", space.path("configmaps", "settings"), {"data": {"color": "green"}}, "application/merge-patch+json"
    )
    # The node looks after its volumes once a minute.
    return lambda: eventually("the update arrives", lambda: "green" in space.log("reader"), 90, 0.5)
