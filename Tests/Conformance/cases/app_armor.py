"""AppArmor profiles of containers, where the host has AppArmor and the program that loads profiles."""

import shutil
import subprocess

from rig.case import case
from rig.expectation import Skipped, eventually, expect_contains, expect_equal
from rig.pods import idle, pod, shell

OWN = "swiftlet-conformance"
OWN_RULES = f"profile {OWN} flags=(attach_disconnected) {{\n  file,\n  signal,\n  deny /var/tmp/forbidden w,\n}}\n"
PREFIX = "container.apparmor.security.beta.kubernetes.io/"
SHOW = "cat /proc/self/attr/current"
# Where capabilities and seccomp allow it, only a profile is in the way.
MOUNT = {"capabilities": {"add": ["SYS_ADMIN"]}, "seccompProfile": {"type": "Unconfined"}}


def parser():
    """The program that loads profiles."""
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="ascii") as file:
            if not file.read().startswith("Y"):
                raise Skipped("this host has AppArmor switched off")
    except FileNotFoundError:
        raise Skipped("this host has no AppArmor") from None
    program = shutil.which("apparmor_parser")
    if not program:
        raise Skipped("apparmor_parser is not installed")
    return program


def profile(kind, name=None):
    return {"appArmorProfile": {"type": kind, **({"localhostProfile": name} if name else {})}}


@case("a container that names no profile runs under the default one, and so does what is run inside it")
def default_profile(space):
    parser()
    container = shell(
        f"{SHOW}; mount -t tmpfs none /mnt 2>/dev/null || echo refused; while [ ! -e /var/tmp/seen ]; do sleep 0.2; done;"
        " cat /var/tmp/seen; sleep 100000",
        securityContext=MOUNT,
    )
    container["readinessProbe"] = {
        "exec": {"command": ["/bin/sh", "-c", f"{SHOW} > /var/tmp/seen.new && mv /var/tmp/seen.new /var/tmp/seen"]},
        "periodSeconds": 1,
    }
    space.create(pod("confined", container))
    space.wait_ready("confined")
    eventually("both profiles", lambda: space.log("confined").count("swiftlet-default") == 2, 30)
    expect_equal(
        space.log("confined").splitlines(),
        ["swiftlet-default (enforce)", "refused", "swiftlet-default (enforce)"],
        "of the program, its mount, of a command inside",
    )


@case("a container has the profile that it, its annotation or its pod names; one without any, or privileged, has none")
def named_profiles(space):
    subprocess.run([parser(), "--replace"], input=OWN_RULES, text=True, check=True, capture_output=True)
    try:
        own, script = f"{OWN} (enforce)", f"{SHOW}; echo x > /var/tmp/forbidden && echo written; sleep 100000"
        mount = f"{SHOW}; mount -t tmpfs none /mnt && echo mounted; sleep 100000"
        items = {
            "field": (pod("field", shell(script, securityContext=profile("Localhost", OWN))), [own]),
            "annotation": (pod("annotation", shell(script)), [own]),
            "pod": (pod("pod", shell(script), securityContext=profile("Localhost", OWN)), [own]),
            "unconfined": (
                pod("unconfined", shell(mount, securityContext={**MOUNT, **profile("Unconfined")})),
                ["unconfined", "mounted"],
            ),
            "privileged": (
                pod("privileged", shell(mount, securityContext={"privileged": True})), ["unconfined", "mounted"],
            ),
        }
        items["annotation"][0]["metadata"]["annotations"] = {PREFIX + "main": "localhost/" + OWN}
        for name, (item, _) in items.items():
            space.create(item)
            space.wait_ready(name)
        for name, (_, expected) in items.items():
            eventually(f"the log of {name}", lambda name=name: len(space.log(name).splitlines()) >= 2, 30)
            lines = [line for line in space.log(name).splitlines() if "ermission denied" not in line]
            expect_equal(lines, expected, f"profile of {name}, and what it could do")
    finally:
        # What still runs under it goes on under none.
        subprocess.run([parser(), "--remove"], input=OWN_RULES, text=True, check=False, capture_output=True)


@case("a pod whose profile is not loaded is rejected with its name")
def absent_profile(space):
    parser()
    space.create(pod("absent", idle(securityContext=profile("Localhost", "nobody-has-this"))))
    status = space.wait_phase("absent", "Failed")["status"]
    expect_equal(status["reason"], "AppArmor", "why it was rejected")
    expect_contains(
        status["message"], 'Cannot enforce AppArmor: profile "nobody-has-this" is not loaded', "the message"
    )
