"""Manifests and objects that nobody writes by accident: each is one clear error, and the rest goes on."""

import json
import os
import pathlib
import stat

from rig.api import APIFailure
from rig.case import case
from rig.expectation import eventually, expect, expect_equal
from rig.pods import idle, pod, shell
from rig.space import terminated, waiting

# RSS that the node may reach, in KiB.
MEMORY_LIMIT = 256 << 10


def is_well(node):
    """It answers, it is ready and it did not grow out of all proportion."""
    expect_equal(node.process.poll(), None, "the agent's exit")
    expect(node.is_ready(), "the node is not ready")
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    expect(resident < MEMORY_LIMIT, f"the agent uses {resident} KiB")


def bomb():
    """Each line names the one before nine times: 9^20 things for whoever expands it."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 21)]
    return "\n".join(lines)


def manifest(text):
    """A sound pod in JSON with something more in its metadata."""
    return '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x",' + text + '},"spec":{"containers":[]}}'


# What is wrong, the file, and a word that the error has beside the file's name.
FILES = {
    "deep JSON": ("deep.json", "[" * 100_000 + "]" * 100_000, "nest"),
    "deep JSON in a field": ("nested.json", manifest('"labels":' + '{"a":' * 50_000 + "1" + "}" * 50_000), "nest"),
    "deep YAML": ("deep.yaml", "a: " + "[" * 50_000 + "]" * 50_000, "deep.yaml"),
    "deep YAML by indentation": ("steps.yaml", "\n".join(" " * n + "a:" for n in range(3000)), "steps.yaml"),
    "aliases of aliases": ("bomb.yaml", bomb(), "bomb.yaml"),
    "a file too large": ("huge.yaml", "#" * (11 << 20), "limit"),
    "a duplicate key in JSON": ("twice.json", manifest('"name":"y"'), "duplicate key"),
    "a duplicate key in YAML": ("twice.yaml", "kind: Pod\napiVersion: v1\nkind: Pod\n", "duplicate key"),
    "invalid UTF-8": ("bytes.yaml", b"kind: Pod\nname: \xff\xfe\n", "UTF-8"),
    "UTF-16": ("wide.yaml", "kind: Pod\n".encode("utf-16"), "wide.yaml"),
    "a lone surrogate": ("surrogate.json", manifest('"uid":"\\ud800"'), "surrogate"),
    "a NUL": ("nul.yaml", b"kind: Pod\0\n", "nul.yaml"),
    "a number beyond all": ("number.json", manifest('"generation":1e400'), "number.json"),
    "a name that is a path": (
        "name.json", manifest('"namespace":"a"').replace('"x"', '"../../etc"').replace("[]", json.dumps([idle()])),
        "metadata.name"),
}


@case("a hostile manifest file is one error that names it; the pods of other files and the agent go on")
def hostile_files(world):
    node = world.new_node("hostile").start()
    space = world.space(node)
    for name, text, _ in FILES.values():
        place = node.manifests / name
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    (node.manifests / "link.yaml").symlink_to("link.yaml")
    (node.manifests / "directory.yaml").mkdir()
    item = pod("sound", idle())
    item["metadata"]["namespace"] = space.name
    (node.manifests / "sound.json").write_text(json.dumps(item))
    space.wait_ready(f"sound-{node.name}")

    def errors(name):
        path = str(node.manifests / name)
        return [line for line in node.output.read_text(errors="replace").splitlines() if f"{path}:" in line]

    eventually("every file has its error", lambda: all(errors(name) for name, _, _ in FILES.values()), 20)
    problems = []
    for what, (name, _, word) in FILES.items():
        lines = errors(name)
        if len(lines) != 1 or word not in lines[0]:
            problems.append(f"{what}: expected one line with {word!r}: {[line[:400] for line in lines]}")
        problems += [f"{what}: a line of {len(line)} characters" for line in lines if len(line) > 4000]
    expect(not problems, "\n".join(problems))
    is_well(node)
    mirrors = {found["metadata"]["name"] for found in space.api.get("/api/v1/pods")["items"]}
    expect_equal(mirrors, {f"sound-{node.name}"}, "pods of all files")
    expect_equal(node.terminate(), 0, "exit status")
    node.start()
    expect_equal(space.wait_ready(f"sound-{node.name}")["status"]["containerStatuses"][0]["restartCount"], 0, "restarts")
    node.stop_all()


def stored(**fields):
    """JSON text of a sound pod with text put in as it is."""
    text = json.dumps(pod("w", idle(), **{name: f"@{name}@" for name in fields}))
    for name, raw in fields.items():
        text = text.replace(f'"@{name}@"', raw)
    return text


# What is wrong, the body, and the answers that are right.
BODIES = {
    "deep": ("[" * 100_000, (400,)),
    "deep in a field": ('{"kind":"Pod","metadata":{"labels":' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}}", (400,)),
    "more than 3 MiB": (json.dumps(pod("w", idle(env=[{"name": "A", "value": "x" * (3 << 20)}]))), (413,)),
    "a duplicate key": (json.dumps(pod("w", idle())).replace('"spec"', '"kind":"Pod","spec"'), (400,)),
    "privileged false and true": (
        json.dumps(pod("w", idle(securityContext={"privileged": False}))).replace(
            '"privileged": false', '"privileged":false,"privileged":true'),
        (400,),
    ),
    "invalid UTF-8": (json.dumps(pod("w", idle())).encode().replace(b"host:///", b"host:///\xff"), (400,)),
    "UTF-16": (json.dumps(pod("w", idle())).encode("utf-16"), (400,)),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(pod("w", idle())).encode(), (400,)),
    "a lone surrogate": (json.dumps(pod("w", idle())).replace("host:///", "\\ud800"), (400,)),
    "half a document": (json.dumps(pod("w", idle()))[:-20], (400,)),
    "two documents": (json.dumps(pod("w", idle())) * 2, (400,)),
    "nothing": ("", (400, 422)),
    "null": ("null", (400, 422)),
    "a grace of 2^63": (stored(terminationGracePeriodSeconds=str(1 << 63)), (400, 422)),
    "a grace of 1e400": (stored(terminationGracePeriodSeconds="1e400"), (400, 422)),
    "a grace of 1000 digits": (stored(terminationGracePeriodSeconds="9" * 1000), (400, 422)),
    "a grace of NaN": (stored(terminationGracePeriodSeconds="NaN"), (400,)),
    "a fraction of a second": (stored(terminationGracePeriodSeconds="1.5"), (400, 422)),
    "a grace of -1": (stored(terminationGracePeriodSeconds="-1"), (422,)),
    "a grace of -2^63": (stored(terminationGracePeriodSeconds=str(-(1 << 63))), (422,)),
    "a deadline of 0": (stored(activeDeadlineSeconds="0"), (422,)),
    "a deadline of -2^63": (stored(activeDeadlineSeconds=str(-(1 << 63))), (422,)),
    "a deadline of 2^63-1": (stored(activeDeadlineSeconds=str((1 << 63) - 1)), (422,)),
    "a deadline of 2^31": (stored(activeDeadlineSeconds=str(1 << 31)), (422,)),
    "a user of 2^32": (stored(securityContext='{"runAsUser":4294967296}'), (422,)),
    "a user of -1": (stored(securityContext='{"runAsUser":-1}'), (422,)),
    "256 KiB of annotations": (
        json.dumps(pod("w", idle())).replace('"labels"', '"annotations":{"a":"' + "x" * (257 << 10) + '"},"labels"'),
        (422,),
    ),
}
for name in ("../x", "a/b", "", "a" * 254, "A", "a\0b", "a\nb", "a\u202eb", "e\u0301", "\u00e9", "\U0001f600", "a."):
    BODIES[f"the name {name[:20]!r}"] = (json.dumps(pod(name, idle())), (422, 400))
for field in ("periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds"):
    for value in (-1, 1 << 31, -(1 << 63), 1 << 64):
        probe = {"exec": {"command": ["true"]}, field: value}
        BODIES[f"a probe's {field} of {value}"] = (json.dumps(pod("w", idle(livenessProbe=probe))), (400, 422))


@case("a hostile object is one 4xx with a short message, and nothing is stored")
def hostile_objects(space, node):
    problems = []
    for what, (body, expected) in BODIES.items():
        try:
            space.api.request("POST", space.path("pods"), body)
            problems.append(f"{what}: accepted")
        except APIFailure as failure:
            if failure.status not in expected or not isinstance(failure.body, dict):
                problems.append(f"{what}: {failure.status} {failure.message[:300]}")
            elif failure.body.get("kind") != "Status" or not 0 < len(failure.message) < 2000:
                problems.append(f"{what}: no short Status: {failure.message[:300]}")
        except OSError as error:
            problems.append(f"{what}: {error!r}")
    expect(not problems, "\n".join(problems))
    expect_equal(space.api.get(space.path("pods"))["items"], [], "pods after all")
    is_well(node)


MOST = (1 << 31) - 1


@case("numbers at the end of their range do what they say: pods with them run, are probed and end")
def extreme_numbers(space, node):
    probe = {"exec": {"command": ["true"]}}
    most = dict(probe, periodSeconds=MOST, timeoutSeconds=MOST, failureThreshold=MOST, initialDelaySeconds=MOST)
    quick = dict(probe, periodSeconds=MOST, timeoutSeconds=MOST, failureThreshold=MOST, successThreshold=MOST)
    zero = dict(probe, periodSeconds=0, timeoutSeconds=0, failureThreshold=0, initialDelaySeconds=0)
    pods = {
        "longest-grace": pod("longest-grace", idle(), terminationGracePeriodSeconds=(1 << 63) - 1),
        "no-grace": pod("no-grace", idle(), terminationGracePeriodSeconds=0),
        "longest-deadline": pod("longest-deadline", idle(), activeDeadlineSeconds=MOST),
        "most": pod("most", idle(livenessProbe=most, startupProbe=dict(probe, periodSeconds=1))),
        "probe-grace": pod("probe-grace", idle(livenessProbe=dict(most, terminationGracePeriodSeconds=(1 << 63) - 1))),
        "zeros": pod("zeros", idle(livenessProbe=zero, readinessProbe=zero)),
        "tolerant": pod("tolerant", idle(), tolerations=[
            {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": value}
            for value in ((1 << 63) - 1, -(1 << 63))]),
        "user": pod("user", idle(securityContext={"runAsUser": MOST, "runAsGroup": MOST}), securityContext={
            "supplementalGroups": [MOST], "fsGroup": MOST}),
        "sleeper": pod("sleeper", idle(lifecycle={"preStop": {"sleep": {"seconds": 1}}}), terminationGracePeriodSeconds=2),
    }
    for item in pods.values():
        space.create(item)
    space.create(pod("slow", idle(readinessProbe=quick)))
    for name in pods:
        space.wait_ready(name)
    space.wait_phase("slow", "Running")
    uids = {item["metadata"]["uid"] for item in space.api.get(space.path("pods"))["items"]}
    for name in (*pods, "slow"):
        # As kubectl does: without a grace of its own.
        space.delete(name)
        if name == "longest-grace":
            space.wait(name, "being deleted", lambda item: item and item["metadata"].get("deletionTimestamp"))
    for name in (*pods, "slow"):
        space.wait_gone(name)
    expect(not [pid for uid in uids for pid in node.pod_processes(uid)], "processes of pods that are gone")
    # A grace that is asked for at deletion has no other end.
    for seconds in (1 << 32, (1 << 63) - 1):
        space.create(pod("asked", shell("trap '' TERM; sleep 100000"), terminationGracePeriodSeconds=1))
        space.wait_ready("asked")
        space.delete("asked", grace=seconds)
        space.wait("asked", "being deleted", lambda item: item and item["metadata"].get("deletionTimestamp"))
        space.delete("asked", grace=1)
        space.wait_gone("asked")
    is_well(node)


@case("a termination message path with .. stays in the container, and what is no file in its place is nobody's words")
def message_paths(space, node):
    canary = pathlib.Path(f"/etc/cron.d/swiftlet-{node.identity}")
    shadow = pathlib.Path("/etc/shadow").read_text().splitlines()[0]
    gate = node.directory / f"gate-{space.name}"
    gate.mkdir()

    def create(name, path, script):
        main = shell(script, terminationMessagePath=path, volumeMounts=[{"name": "gate", "mountPath": "/gate"}])
        space.create(pod(name, main, volumes=[{"name": "gate", "hostPath": {"path": str(gate)}}]))

    replacements = {
        "fifo": os.mkfifo,
        "link": lambda file: file.symlink_to("/etc/shadow"),
        "directory": lambda file: file.mkdir(),
        "device": lambda file: os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 5)),
        "absent": lambda file: None,
    }
    for name in replacements:
        create(name, "/last/words", "until test -e /gate/on; do sleep 0.05; done")
    create("climber", f"/../../etc/cron.d/{canary.name}", f"echo words >/etc/cron.d/{canary.name}")
    create("endless", "/last/words", "truncate -s 1T /last/words")
    create("bytes", "/last/words", "head -c 8192 /dev/urandom >/last/words")
    create("root", "/", "true")
    create("proc", "/proc/self/status", "true")
    for name, replace in replacements.items():
        uid = space.wait_ready(name)["metadata"]["uid"]
        files = list((node.root / "pods" / uid / "containers" / "main").iterdir())
        expect_equal(len(files), 1, "files for last words")
        files[0].unlink()
        replace(files[0])
    (gate / "on").touch()
    for name in (*replacements, "climber", "endless", "bytes", "root", "proc"):
        item = space.wait(
            name, "ended or told why not", lambda item: item and (
                item["status"].get("phase") in ("Succeeded", "Failed")
                or waiting(item).get("reason", "").endswith("Error")))
        message = terminated(item).get("message", "")
        expect(shadow not in message, f"{name}: words from outside")
        expect(len(message.encode(errors="replace")) <= 4096 * 3, f"{name}: {len(message)} characters")
        if name in replacements:
            expect_equal((item["status"]["phase"], message), ("Succeeded", ""), f"phase and words of {name}")
    expect(not canary.exists(), f"{canary} exists on the host")
    expect_equal(terminated(space.pod("climber")).get("message", ""), "words\n", "the message of the climber")
    is_well(node)
