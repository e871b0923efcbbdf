"""Credentials from programs: a node's credential providers, asked as a kubelet asks them."""

import json

from cases.registry import archive, running, says
from rig.case import case
from rig.expectation import expect_contains, expect_equal
from rig.registry import PASSWORD, USER, Registry

# Writes down each question, its argument and its environment; answers as the file beside it says.
PLUGIN = """#!/bin/sh
question=$(cat)
echo "$1 $PROFILE $question" >> "$(dirname "$0")/questions"
if test -e "$(dirname "$0")/broken"; then echo "no such profile" >&2; exit 3; fi
cat "$(dirname "$0")/answer"
"""

VERSION = "credentialprovider.kubelet.k8s.io/v1"


def provider(place, registry, name="provider", **fields):
    """A provider's program and the file that names it: the flags for both."""
    programs = place / "programs"
    programs.mkdir()
    program = programs / "provider"
    program.write_text(PLUGIN)
    program.chmod(0o755)
    (programs / "answer").write_text(json.dumps({
        "kind": "CredentialProviderResponse", "apiVersion": VERSION, "cacheKeyType": "Registry", "cacheDuration": "1h",
        "auth": {registry.host: {"username": USER, "password": PASSWORD}},
    }))
    settings = {
        "name": name, "matchImages": [f"*.0.0.1:{registry.port}/team"], "defaultCacheDuration": "0s",
        "apiVersion": VERSION, "args": ["get"], "env": [{"name": "PROFILE", "value": "node"}], **fields,
    }
    file = place / "providers.yaml"
    file.write_text(json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [settings],
    }))
    registries = place / "registries.yaml"
    registries.write_text(json.dumps({"registries": [{"host": registry.host, "caFile": str(registry.authority)}]}))
    return programs, [
        "--registries", str(registries),
        "--image-credential-provider-config", str(file), "--image-credential-provider-bin-dir", str(programs),
    ]


@case("a credential provider opens a private registry for pods without secrets, is asked as a kubelet asks, and its answer is kept")
def opened(world):
    place = world.temporary("provider")
    with Registry(place / "registry", secure=True) as registry:
        programs, flags = provider(place, registry)
        one = registry.push(archive(place, "one", "one"), "team/one:1")
        two = registry.push(archive(place, "two", "two"), "team/two:1")
        foreign = registry.push(archive(place, "foreign", "foreign"), "other/app:1")
        node = world.new_node("provider", more=flags)
        with node.running():
            space = world.space(node)
            (programs / "broken").touch()
            running(space, "early", one)
            state = space.wait_waiting("early", "ErrImagePull", 30)
            expect_contains(state["message"], 'credential provider "provider": ended with exit code 3', "the message")
            expect_contains(state["message"], "no such profile", "the message's last words")
            space.delete("early")
            space.wait_gone("early")
            (programs / "broken").unlink()
            (programs / "questions").unlink()
            running(space, "one", one)
            says(space, "one", "one")
            running(space, "two", two)
            says(space, "two", "two")
            # What no pattern fits is not asked for.
            running(space, "foreign", foreign)
            space.wait_waiting("foreign", ("ErrImagePull", "ImagePullBackOff"), 30)
            questions = (programs / "questions").read_text().splitlines()
            expect_equal(len(questions), 1, f"questions: {questions}")
            argument, profile, question = questions[0].split(" ", 2)
            expect_equal((argument, profile), ("get", "node"), "its argument and environment")
            expect_equal(json.loads(question), {
                "apiVersion": VERSION, "kind": "CredentialProviderRequest", "image": f"{registry.host}/team/one",
            }, "the question")
            expect_equal(node.output.read_text().count(PASSWORD), 0, "passwords in the log")


@case("a node with a credential provider that is not there, or that it cannot serve, does not start and says why")
def refused(world):
    place = world.temporary("provider-refused")
    with Registry(place / "registry", secure=True) as registry:
        for name, fields, reason in [
            ("absent", {"name": "absent"}, "absent is not there, or no program"),
            ("tokens", {"tokenAttributes": {"requireServiceAccount": True}}, "tokenAttributes"),
        ]:
            directory = place / name
            directory.mkdir()
            _, flags = provider(directory, registry, **fields)
            node = world.new_node(f"provider-{name}", more=flags)
            node.launch()
            expect_equal(node.process.wait(30), 1, f"exit code of {name}")
            node.is_ended = True
            expect_contains(node.output.read_text(), reason, f"what {name} says")
