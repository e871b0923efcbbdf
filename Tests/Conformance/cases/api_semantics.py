"""What the API does for clients beside storing objects: pages, dry runs, strictness, conditions, forms, identities."""

import base64
import json
import subprocess
import urllib.parse

from rig.case import case
from rig.expectation import expect, expect_contains, expect_equal
from rig.pods import config_map, idle, pod

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
# Pages of lists that the endpoint keeps at once; see ContinuationSnapshots.
KEPT_LISTS = 16


def names(listed):
    return [item["metadata"]["name"] for item in listed["items"]]


@case("the pages of a list show one moment, and a list that is too old is told with a way to go on")
def pages(space):
    maps = space.path("configmaps")
    for index in range(9):
        space.create(config_map(f"map-{index}"))
    whole = names(space.api.get(maps))
    page = space.api.get(maps + "?limit=4")
    seen, version = names(page), page["metadata"]["resourceVersion"]
    expect_equal(page["metadata"]["remainingItemCount"], len(whole) - 4, "objects after the first page")
    first = page["metadata"]["continue"]
    space.create(config_map("map-00"))
    space.delete("map-6", plural="configmaps")
    while page["metadata"].get("continue"):
        token = urllib.parse.quote(page["metadata"]["continue"])
        page = space.api.get(f"{maps}?limit=4&continue={token}")
        expect_equal(page["metadata"]["resourceVersion"], version, "the version of a page")
        seen += names(page)
    expect_equal(seen, whole, "all pages together")
    for index in range(KEPT_LISTS + 1):
        space.create(config_map(f"later-{index}"))
        space.api.get(maps + "?limit=1")
    status, body, _ = space.api.exchange("GET", f"{maps}?limit=100&continue={urllib.parse.quote(first)}")
    expect_equal((status, body["reason"]), (410, "Expired"), "an old page")
    onward = space.api.get(f"{maps}?limit=100&continue={urllib.parse.quote(body['metadata']['continue'])}")
    expect("map-8" in names(onward) and "map-6" not in names(onward), f"the rest as it is now: {names(onward)}")
    expect_equal(space.api.exchange("GET", maps + "?continue=nonsense")[0], 400, "a token of nobody")


@case("a dry run of every kind of write answers as the write would, and changes nothing")
def dry(space):
    maps, merge = space.path("configmaps"), "application/merge-patch+json"
    space.create(config_map("kept", color="blue"))
    space.create(pod("kept", idle(), nodeName="nowhere"))
    before = space.api.get(space.path("configmaps"))["metadata"]["resourceVersion"]
    writes = [
        ("POST", maps, config_map("new"), 201), ("PUT", maps + "/kept", config_map("kept", color="red"), 200),
        ("DELETE", maps + "/kept", None, 200), ("DELETE", maps, None, 200),
        ("POST", space.path("pods"), pod("new", idle()), 201),
        ("POST", space.path("pods", "kept/eviction"), {"metadata": {"name": "kept"}}, 201),
        ("DELETE", f"/api/v1/namespaces/{space.name}", None, 200),
    ]
    for method, path, body, wanted in writes:
        status, answer, _ = space.api.exchange(method, path + "?dryRun=All", body)
        expect_equal(status, wanted, f"dry {method} {path}: {answer}")
    status, answer, _ = space.api.exchange(
        "PATCH", maps + "/kept?dryRun=All", {"data": {"color": "red"}}, Content_Type=merge
    )
    expect_equal((status, answer["data"]["color"]), (200, "red"), "dry patch")
    expect_equal(space.api.get(maps + "/kept")["data"], {"color": "blue"}, "the object after all that")
    expect_equal(names(space.api.get(maps)), ["kept", "kube-root-ca.crt"], "the objects after all that")
    changed = [
        item["metadata"]["name"] for item in space.api.get(maps)["items"]
        if int(item["metadata"]["resourceVersion"]) > int(before)
    ]
    expect_equal(changed, [], "what has changed")
    expect_equal(space.api.exchange("POST", maps + "?dryRun=yes", config_map("new"))[0], 400, "a dry run of a kind")


@case("unknown and repeated fields are refused, warned of or ignored, as the client asks")
def strictness(space):
    maps, pods = space.path("configmaps"), space.path("pods")
    bad = pod("bad", idle(color="red"))
    twice = '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
    for path, body, flaw in (
        (pods, bad, 'unknown field "spec.containers[0].color"'), (maps, twice, 'duplicate field "data.a"'),
    ):
        for wanted in ("Strict", "Warn", "Ignore"):
            status, answer, headers = space.api.exchange("POST", f"{path}?dryRun=All&fieldValidation={wanted}", body)
            warnings = " ".join(headers.get_all("Warning") or []).replace("\\", "")
            if wanted == "Strict":
                expect_equal(status, 400, f"strictly: {answer}")
                expect_contains(answer["message"], f"strict decoding error: {flaw}", "the refusal")
            else:
                expect_equal(status, 201, f"{wanted}: {answer}")
                expect_equal(flaw in warnings, wanted == "Warn", f"warned of {flaw}: {warnings}")


@case("generated names, conditions of writes, deletion of many, and the forms of answers")
def conditions(space):
    maps = space.path("configmaps")
    made = space.api.request("POST", maps, {"metadata": {"generateName": "made-", "labels": {"kind": "made"}}})
    name, metadata = made["metadata"]["name"], made["metadata"]
    expect(name.startswith("made-") and len(name) == len("made-") + 5, f"a generated name: {name}")
    for wrong in ({"uid": "another"}, {"resourceVersion": "1"}):
        status, body, _ = space.api.exchange("DELETE", f"{maps}/{name}", {"preconditions": wrong})
        expect_equal((status, body["reason"]), (409, "Conflict"), f"deletion on {wrong}")
    stale = config_map(name)
    stale["metadata"]["resourceVersion"] = "1"
    expect_equal(space.api.exchange("PUT", f"{maps}/{name}", stale)[0], 409, "a stale update")
    form = space.api.exchange("GET", maps + "?labelSelector=kind%3Dmade", None, Accept=TABLE)[1]
    expect_equal([item["name"] for item in form["columnDefinitions"]], ["Name", "Data", "Age"], "the columns")
    expect_equal(form["rows"][0]["object"]["kind"], "PartialObjectMetadata", "what a row is of")
    form = space.api.exchange("GET", f"{maps}/{name}", None, Accept=METADATA)[1]
    expect_equal(sorted(form), ["apiVersion", "kind", "metadata"], "the metadata alone")
    right = {"preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}
    expect_equal(space.api.exchange("DELETE", f"{maps}/{name}", right)[0], 200, "deletion on the right conditions")
    for index in range(3):
        space.api.request("POST", maps, {"metadata": {"name": f"many-{index}", "labels": {"many": str(index % 2)}}})
    space.api.request("DELETE", maps + "?labelSelector=many%3D0")
    expect_equal(names(space.api.get(maps)), ["kube-root-ca.crt", "many-1"], "after deletion by label")


@case("kubectl explains kinds, lists them, and refuses fields that there are not")
def told(kubectl, space):
    for path, part in (
        ("pod.spec.containers.resources", "limits"), ("deployment.spec.strategy", "rollingUpdate"),
        ("pdb.spec", "maxUnavailable"), ("quota.spec.scopeSelector", "matchExpressions"), ("csr.spec", "signerName"),
    ):
        expect_contains(kubectl("explain", path), part, f"explain {path}")
    kinds = kubectl("api-resources", "-o", "name").split()
    for kind in ("pods", "limitranges", "poddisruptionbudgets.policy", "priorityclasses.scheduling.k8s.io"):
        expect(kind in kinds, f"{kind} is among {kinds}")
    said = kubectl.refused("apply", "-f", "-", given=pod("bad", idle(color="red")))
    expect_contains(said, "unknown field", "an unknown field")
    expect_contains(said, "color", "an unknown field")
    shown = kubectl("apply", "--dry-run=server", "-o", "json", "-f", "-", given=config_map("shown", a="b"))
    expect_equal(json.loads(shown)["data"], {"a": "b"}, "apply --dry-run=server")
    expect_equal(space.api.exchange("GET", space.path("configmaps", "shown"))[0], 404, "after that")


@case("kubectl --as has the rights of the other one, and nobody takes them without being allowed to")
def other(kubectl, space):
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "rolebinding", "robot", "--clusterrole=view", f"--serviceaccount={space.name}:robot")
    robot = f"--as=system:serviceaccount:{space.name}:robot"
    kubectl("get", "pods", robot)
    expect_contains(kubectl.refused("create", "configmap", "c", robot), "cannot create resource", "a write as the robot")
    asked = kubectl.run("auth", "can-i", "delete", "pods", robot)
    expect_equal((asked.returncode, asked.stdout.strip()), (1, "no"), "can-i as the robot")
    space.create(pod("idle", idle()))
    space.wait_ready("idle")
    expect_contains(kubectl.refused("exec", "idle", robot, "--", "true"), "cannot create resource", "exec as the robot")
    token = space.api.request("POST", space.path("serviceaccounts", "robot/token"), {"spec": {}})["status"]["token"]
    context = space.api.credentials.context(with_certificate=False)
    status = space.api.exchange(
        "GET", space.path("pods"), None, context=context, Authorization=f"Bearer {token}", Impersonate_User="admin"
    )[0]
    expect_equal(status, 403, "the robot as somebody else")


@case("kubectl certificate approves a request, and what is signed opens the API to its owner")
def certificate(kubectl, world, space):
    place = world.temporary(f"certificate-{space.name}-{kubectl.version}")
    name = f"bob-{space.name}"
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
         str(place / "key.pem"), "-out", str(place / "csr.pem"), "-subj", f"/CN={name}"],
        check=True, capture_output=True, timeout=30,
    )
    request = {
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode((place / "csr.pem").read_bytes()).decode(), "usages": ["client auth"],
            "signerName": "kubernetes.io/kube-apiserver-client", "expirationSeconds": 3600,
        },
    }
    kubectl("create", "-f", "-", given=request)
    expect_contains(kubectl("get", "csr", name), "Pending", "before the approval")
    kubectl("certificate", "approve", name)
    expect_contains(kubectl("get", "csr", name), "Approved,Issued", "after the approval")
    issued = kubectl("get", "csr", name, "-o", "jsonpath={.status.certificate}")
    (place / "cert.pem").write_bytes(base64.b64decode(issued))
    context = space.api.credentials.context(with_certificate=False)
    context.load_cert_chain(str(place / "cert.pem"), str(place / "key.pem"))
    status, answer, _ = space.api.exchange("GET", space.path("pods"), context=context)
    expect_equal(status, 403, "bob without a role")
    expect_contains(answer["message"], f'User "{name}"', "who he is")
    kubectl("create", "rolebinding", "bob", "--clusterrole=view", f"--user={name}")
    expect_equal(space.api.exchange("GET", space.path("pods"), context=context)[0], 200, "bob with a role")
    request["metadata"]["name"] = f"{name}-denied"
    kubectl("create", "-f", "-", given=request)
    kubectl("certificate", "deny", f"{name}-denied")
    expect_contains(kubectl("get", "csr", f"{name}-denied"), "Denied", "after the denial")
    kubectl("delete", "csr", name, f"{name}-denied")
