"""Environment variables from everywhere."""

from rig.case import case
from rig.expectation import expect_equal
from rig.pods import config_map, pod, secret, shell


@case("the environment comes from values, ConfigMap, Secret and the pod itself")
def sources(space, node):
    space.create(config_map("settings", color="blue", SIZE="7"))
    space.create(secret("login", password="open sesame"))
    fields = {"POD": "metadata.name", "SPACE": "metadata.namespace", "NODE": "spec.nodeName", "IP": "status.podIP"}
    variables = [
        {"name": "PLAIN", "value": "a$(MISSING)b"},
        {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        {"name": "OPTIONAL", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "none", "optional": True}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
        {"name": "JOINED", "value": "$(COLOR)-$(POD)"},
    ]
    space.create(
        pod(
            "reader",
            shell(
                "env",
                env=variables,
                envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "FROM_"}],
                resources={"limits": {"memory": "64Mi"}},
            ),
        )
    )
    log = space.finished_log("reader")
    seen = dict(line.split("=", 1) for line in log.splitlines() if "=" in line)
    expected = {
        "PLAIN": "a$(MISSING)b",
        "COLOR": "blue",
        "PASSWORD": "open sesame",
        "LIMIT": str(64 << 20),
        "POD": "reader",
        "SPACE": space.name,
        "NODE": node.name,
        "IP": space.pod("reader")["status"]["podIP"],
        "JOINED": "blue-reader",
        "FROM_SIZE": "7",
        "FROM_color": "blue",
    }
    expect_equal({name: seen.get(name) for name in expected}, expected, "environment")
    expect_equal(seen.get("OPTIONAL"), None, "an optional variable without a source")
