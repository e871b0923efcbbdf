"""The endpoint's audit log: who asked for what, and never a secret."""

import json

from rig.case import case
from rig.expectation import expect, expect_equal, eventually
from rig.pods import config_map, secret


def events(node):
    """What the log says, oldest first; a line that is being written is left out."""
    text = (node.logs / "swiftlet" / "audit.log").read_text()
    return [json.loads(line) for line in text.split("\n")[:-1]]


def find(node, verb, resource, namespace, name=None):
    """The first event about it."""
    def matches(event):
        about = event.get("objectRef", {})
        return (event["verb"], about.get("resource"), about.get("namespace"), about.get("name")) == (
            verb, resource, namespace, name)

    return eventually(f"{verb} of {resource} in the audit log", lambda: next(filter(matches, events(node)), None))


@case("the audit log says who asked for what and how it ended, and has no bodies")
def metadata(space, node):
    space.create(config_map("noted", key="told-value"))
    space.create(secret("quiet", key="hidden-value"))
    space.delete("noted", plural="configmaps")
    # Others make ConfigMaps in a namespace too.
    made = find(node, "create", "secrets", space.name)
    expect_equal((made["kind"], made["apiVersion"]), ("Event", "audit.k8s.io/v1"), "the event")
    expect_equal(made["level"], "Metadata", "its level")
    expect_equal(made["user"]["username"], "swiftlet-admin", "who")
    expect_equal(made["responseStatus"]["code"], 201, "how it ended")
    expect_equal(find(node, "delete", "configmaps", space.name, "noted")["responseStatus"]["code"], 200, "the deletion")
    text = (node.logs / "swiftlet" / "audit.log").read_text()
    expect("told-value" not in text and "hidden-value" not in text, "a body is in the log")
    expect("/readyz" not in text, "health checks are in the log")
    expect_equal((node.logs / "swiftlet" / "audit.log").stat().st_mode & 0o777, 0o600, "mode of the log")


@case("at level Request the audit log has what was sent, but no secrets")
def request(world):
    node = world.new_node("audited", more=("--audit", "Request")).start()
    space = world.space(node)
    space.create(config_map("noted", key="told-value"))
    space.create(secret("quiet", key="hidden-value"))

    def told():
        objects = [event["requestObject"] for event in events(node) if "requestObject" in event]
        return next((item for item in objects if item.get("metadata", {}).get("name") == "noted"), None)

    expect_equal(eventually("the object", told)["data"], {"key": "told-value"}, "the object")
    expect("requestObject" not in find(node, "create", "secrets", space.name), "the secret is told")
    expect("hidden-value" not in (node.logs / "swiftlet" / "audit.log").read_text(), "the secret's value is told")
    node.stop_all()
