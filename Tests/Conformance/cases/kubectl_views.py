"""What kubectl shows and how it finds things: forms of output, selectors, what the API has, proxies, debugging, files."""

import json
import re
import subprocess
import urllib.error
import urllib.request

from cases.workloads import deployment, job, pods_of
from rig.archives import busybox_layer, docker_archive
from rig.case import case
from rig.expectation import WAITING, eventually, expect, expect_contains, expect_equal
from rig.follower import Follower
from rig.pods import config_map, idle, pod, shell, web_server


def three(kubectl):
    """ConfigMaps a, b and c, labelled by their place."""
    for index, name in enumerate("abc"):
        kubectl("create", "configmap", name, f"--from-literal=size={3 - index}")
        kubectl("label", "configmap", name, f"place=p{index}")


OUTPUTS = (
    (("-o", "jsonpath={.items[*].metadata.name}"), "a b c"),
    (("-o", 'jsonpath={range .items[*]}{.metadata.name}={.data.size}{"\\n"}{end}'), "a=3\nb=2\nc=1\n"),
    (("-o", 'jsonpath={.items[?(@.data.size=="2")].metadata.name}'), "b"),
    (("-o", "custom-columns=N:.metadata.name,S:.data.size", "--no-headers"), "a     3\nb     2\nc     1\n"),
    (("-o", 'go-template={{range .items}}{{.metadata.name}};{{end}}'), "a;b;c;"),
    (("-o", "name"), "configmap/a\nconfigmap/b\nconfigmap/c\n"),
    (("-o", "name", "--sort-by=.data.size"), "configmap/c\nconfigmap/b\nconfigmap/a\n"),
    (("-o", "name", "--chunk-size=1"), "configmap/a\nconfigmap/b\nconfigmap/c\n"),
    (("-o", "name", "--field-selector=metadata.name=b"), "configmap/b\n"),
    (("-o", "name", "--field-selector=metadata.name!=b"), "configmap/a\nconfigmap/c\n"),
    (("-o", "name", "-l", "place in (p0,p2)"), "configmap/a\nconfigmap/c\n"),
    (("-o", "name", "-l", "place,place notin (p0)"), "configmap/b\nconfigmap/c\n"),
    (("-o", "name", "-l", "place!=p1,place"), "configmap/a\nconfigmap/c\n"),
)


@case("kubectl get writes in every form, sorts, pages and selects")
def outputs(kubectl, space):
    three(kubectl)
    for arguments, wanted in OUTPUTS:
        # All namespaces have a ConfigMap with the certificate; it has no such label.
        labelled = arguments if "-l" in arguments else (*arguments, "-l", "place")
        expect_equal(kubectl("get", "configmap", *labelled), wanted, f"get {' '.join(labelled)}")
    expect_contains(kubectl("get", "configmap", "a", "-o", "yaml"), 'size: "3"', "-o yaml")
    expect_equal(json.loads(kubectl("get", "configmap", "a", "-o", "json"))["data"], {"size": "3"}, "-o json")
    header, row = kubectl("get", "configmap", "a", "-L", "place", "--show-labels").splitlines()
    expect_equal((header.split()[-2:], row.split()[-2:]), (["PLACE", "LABELS"], ["p0", "place=p0"]), "labels")
    everywhere = kubectl("get", "configmap", "-A", "--no-headers", "--chunk-size=2")
    names = {tuple(line.split()[:2]) for line in everywhere.splitlines()}
    expect({(space.name, name) for name in "abc"} < names and len({name for name, _ in names}) > 3, f"-A: {names}")
    sorted_by_age = kubectl("get", "configmap", "-l", "place", "--sort-by=.metadata.creationTimestamp", "--no-headers")
    expect_equal(len(sorted_by_age.splitlines()), 3, "a table that is sorted")
    expect_equal(kubectl("get", "configmap", "absent", "--ignore-not-found"), "", "--ignore-not-found")
    both = kubectl("get", "configmap/a", "serviceaccount/default", "-o", "name").split()
    expect_equal(both, ["configmap/a", "serviceaccount/default"], "of two kinds")
    expect_contains(kubectl.refused("get", "unknowns"), "the server doesn't have a resource type", "an unknown kind")
    raw = json.loads(kubectl("get", "--raw", f"/api/v1/namespaces/{space.name}/configmaps?limit=1"))
    expect_equal(len(raw["items"]), 1, "get --raw")
    wrong = kubectl.refused("get", "configmap", "--field-selector=data.size=1")
    expect_contains(wrong, "field label not supported", "a field that cannot be selected by")


@case("kubectl delete takes many, by label, by force and at once, and its dry run takes none")
def deletes(kubectl, space):
    three(kubectl)
    expect_contains(kubectl("delete", "configmap", "a", "--dry-run=server"), "server dry run", "delete --dry-run=server")
    kubectl("get", "configmap", "a")
    kubectl("delete", "configmap", "-l", "place=p0")
    kubectl("delete", "configmap", "--field-selector=metadata.name=b")
    left = kubectl("get", "configmap", "-l", "place", "-o", "name")
    expect_equal(left, "configmap/c\n", "what is left")
    kubectl("delete", "configmap", "absent", "--ignore-not-found")
    expect_contains(kubectl.refused("delete", "configmap", "absent"), "NotFound", "delete of nothing")
    kubectl("delete", "configmap", "--all")
    expect_equal(kubectl("get", "configmap", "-l", "place", "-o", "name"), "", "after delete --all")
    stubborn = shell("trap '' TERM; sleep 1000 & wait; wait")
    for name, arguments in (
        ("now", ("--now",)), ("forced", ("--force", "--grace-period=0")), ("brief", ("--grace-period=1",)),
    ):
        space.create(pod(name, stubborn, terminationGracePeriodSeconds=600))
        space.wait_ready(name)
        kubectl("delete", "pod", name, *arguments, seconds=30)
        space.wait_gone(name)
    background = "--cascade=background" if kubectl.is_new else "--cascade=true"
    kubectl("create", "-f", "-", given=deployment("web", 1, idle()))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s", seconds=70)
    kubectl("delete", "deployment,replicaset,pod", "-l", "app=web", background, "--wait=false")
    kubectl("delete", "deployment", "web", "--ignore-not-found")
    eventually("the pods go", lambda: not pods_of(space, "web"))


@case("no verb of kubectl changes anything when it is a dry run")
def dry_runs(kubectl, space):
    kubectl("create", "-f", "-", given=deployment("web", 0, idle()))
    kubectl("apply", "-f", "-", given=config_map("words", color="green"))
    before = {
        kind: kubectl("get", kind, "-o", "jsonpath={.items[*].metadata.resourceVersion}")
        for kind in ("deployment", "configmap", "pod", "service", "hpa")
    }
    changed = config_map("words", color="red")
    for arguments, given in (
        (("create", "-f", "-"), pod("new", idle())), (("apply", "-f", "-"), changed), (("replace", "-f", "-"), changed),
        (("delete", "deployment", "web"), None), (("label", "deployment", "web", "a=b"), None),
        (("annotate", "deployment", "web", "a=b"), None), (("patch", "configmap", "words", "-p", '{"data":{"a":"b"}}'), None),
        (("set", "env", "deployment/web", "A=b"), None), (("expose", "deployment", "web", "--port=80"), None),
        (("run", "new", "--image=x"), None),
        (("create", "configmap", "new"), None), (("taint", "node", space.node.name, "dry=run:NoSchedule"), None),
        (("cordon", space.node.name), None),
        (("drain", space.node.name, "--force", "--ignore-daemonsets", "--pod-selector=app=none"), None),
        # Old clients have no dry run of these.
        *([(("scale", "deployment", "web", "--replicas=5"), None), (("autoscale", "deployment", "web", "--max=2"), None)]
          if kubectl.is_new else []),
    ):
        for kind in ("server", "client"):
            kubectl(*arguments, f"--dry-run={kind}", given=given)
    after = {
        kind: kubectl("get", kind, "-o", "jsonpath={.items[*].metadata.resourceVersion}") for kind in before
    }
    expect_equal(after, before, "the versions after all that")
    found = space.api.get(f"/api/v1/nodes/{space.node.name}")["spec"]
    expect("taints" not in found and not found.get("unschedulable"), f"the node after all that: {found}")


@case("kubectl tells what the API has: kinds, versions, where it is, who may do what")
def discovery(kubectl, space, node):
    kinds = kubectl("api-resources", "--namespaced=true", "--verbs=list,get", "-o", "name").split()
    expect("pods" in kinds and "nodes" not in kinds, f"api-resources --namespaced: {kinds}")
    expect_equal(kubectl("api-resources", "--api-group=policy", "-o", "name").split(), ["poddisruptionbudgets.policy"],
                 "api-resources of a group")
    expect_contains(kubectl("api-resources"), "po ", "api-resources")
    versions = kubectl("api-versions").split()
    expect({"v1", "apps/v1", "metrics.k8s.io/v1beta1", "autoscaling/v2"} <= set(versions), f"api-versions: {versions}")
    told = json.loads(kubectl("version", "-o", "json"))
    expect(re.match(r"v1\.\d+", told["serverVersion"]["gitVersion"]), f"version: {told}")
    expect_contains(kubectl("cluster-info"), f"https://127.0.0.1:{node.port}", "cluster-info")
    place = node.directory / f"dump-{space.name}"
    kubectl("cluster-info", "dump", "--namespaces", space.name, "--output-directory", str(place), seconds=60)
    expect(json.loads((place / "nodes.json").read_text())["items"], "nodes in the dump")
    expect_contains(kubectl("explain", "deployment", "--recursive"), "progressDeadlineSeconds", "explain --recursive")
    expect_contains(kubectl("explain", "pods.spec.containers"), "livenessProbe", "explain")
    expect_equal(kubectl("auth", "can-i", "create", "pods/exec").strip(), "yes", "can-i of a subresource")
    expect_equal(kubectl("auth", "can-i", "get", "/healthz").strip(), "yes", "can-i of a path")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "reader", "namespace": space.name},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    expect_contains(kubectl("auth", "reconcile", "-f", "-", given=role), "reconciled", "auth reconcile")
    expect_equal(kubectl("get", "--raw", "/readyz"), "ok", "get --raw /readyz")
    expect_contains(kubectl("completion", "bash"), "kubectl", "completion")
    kubectl("create", "configmap", "completed")
    if kubectl.is_new:
        # What completes is a program of its own, which takes its settings from where it is run.
        completed = subprocess.run(
            [kubectl.program, "__complete", "-n", space.name, "get", "configmap", "comp"], check=False, text=True,
            capture_output=True, timeout=30 * WAITING, env={**kubectl.environment, "KUBECONFIG": str(node.kubeconfig)})
        expect_contains(completed.stdout, "completed", f"completion of a name ({completed.stderr})")
        expect_contains(kubectl("auth", "whoami", "-o", "json"), "swiftlet-admin", "whoami")


@case("kubectl get events and kubectl events tell of one object, in order, and go on telling")
def events(kubectl, space):
    space.create(pod("told", idle()))
    space.create(pod("other", idle()))
    for name in ("told", "other"):
        space.wait_ready(name)
        space.wait_event(name, "Started")
    about = "--field-selector=involvedObject.kind=Pod,involvedObject.name=told"
    reasons = kubectl("get", "events", about, "--sort-by=.metadata.creationTimestamp", "-o", "jsonpath={.items[*].reason}")
    expect({"Scheduled", "Created", "Started"} <= set(reasons.split()), f"get events: {reasons}")
    expect_contains(kubectl("get", "events", "-o", "wide"), f"kubelet, {space.node.name}", "get events -o wide")
    if kubectl.is_new:
        mine = kubectl("events", "--for", "pod/told")
        expect("Pod/told" in mine and "Pod/other" not in mine, f"events --for: {mine}")
        warnings = kubectl("events", "--for", "pod/told", "--types=Warning")
        expect("Started" not in warnings and "Normal" not in warnings, f"events --types: {warnings}")
        expect_contains(kubectl("events", "-A"), space.name, "events -A")
        with Follower(kubectl.follow("events", "--for", "pod/told", "--watch")) as follower:
            space.delete("told")
            follower.until("the end", lambda line: "Killing" in line, 20 * WAITING)


@case("kubectl top shows one node, sorts pods and sums them")
def top(kubectl, space, node):
    space.create(pod("web", idle(), idle("side")))
    space.wait_ready("web")
    for by in ("cpu", "memory"):
        expect_contains(kubectl("top", "node", node.name, f"--sort-by={by}"), node.name, f"top node --sort-by={by}")
        expect_contains(kubectl("top", "pod", f"--sort-by={by}"), "web", f"top pod --sort-by={by}")
    each = kubectl("top", "pod", "web", "--containers", "--no-headers").splitlines()
    expect_equal(sorted(line.split()[1] for line in each), ["main", "side"], "top pod --containers")
    if kubectl.is_new:
        expect_contains(kubectl("top", "pod", "--sum"), "________", "top pod --sum")
    expect_contains(kubectl.refused("top", "pod", "absent"), "absent", "top of no pod")


@case("kubectl proxy leads to the API, to the node's own, to pods and to services")
def proxied(kubectl, space, node):
    server = web_server("behind the proxy")
    server["ports"] = [{"name": "http", "containerPort": 8080}]
    space.create(pod("web", server))
    space.wait_ready("web")
    kubectl("expose", "pod", "web", "--port=80", "--target-port=http", "--name=web")
    with Follower(kubectl.follow("proxy", "--port=0")) as follower:
        line = follower.until("it serves", lambda line: "Starting to serve on" in line)
        address = line.split()[-1]
        core = f"http://{address}/api/v1"

        def ask(path):
            try:
                with urllib.request.urlopen(core + path, timeout=20 * WAITING) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as failure:
                return failure.code, failure.read().decode()

        here = f"/namespaces/{space.name}"
        expect_equal(json.loads(ask(f"{here}/pods")[1])["kind"], "PodList", "the API through the proxy")
        for path in (
            f"{here}/pods/web:8080/proxy/", f"{here}/pods/http:web:8080/proxy/any/path?query=1",
            f"{here}/services/web/proxy/", f"{here}/services/web:80/proxy/", f"{here}/services/http:web:80/proxy/x",
        ):
            expect_equal(ask(path), (200, "behind the proxy"), path)
        expect_equal(ask(f"/nodes/{node.name}/proxy/healthz"), (200, "ok"), "the node's own API")
        expect_equal(ask(f"{here}/pods/web:81/proxy/")[0], 502, "a port that nobody listens on")
        expect_equal(ask(f"{here}/pods/absent/proxy/")[0], 404, "a pod that is not there")
        expect_equal(ask(f"{here}/services/web:99/proxy/")[0], 503, "a port that the service has not")
    expect_equal(kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/healthz"), "ok", "get --raw of the node's API")


@case("kubectl debug looks into a pod from beside it, into a copy of it, and into the node as far as its policy goes")
def debug(kubectl, world, space, node):
    place = world.temporary("debug")
    # kubectl takes no image whose name is none.
    archive = docker_archive(place / "tools.tar", "example.org/tools:1", busybox_layer())
    result = node.swiftlet("image", "import", str(archive))
    expect_equal(result.returncode, 0, f"image import: {result.stderr}")
    space.create(pod("web", idle()))
    space.wait_ready("web")
    image = ("--image=example.org/tools:1", "--image-pull-policy=Never")
    if kubectl.is_new:
        result = kubectl.run(
            "debug", "web", *image, "--target=main", "-i", "--quiet", "--", "sh", "-c", "read word; echo beside $word",
            given="me\n")
        expect_contains(result.stdout, "beside me\n", f"debug of a pod ({result.stderr})")
        found = space.pod("web")["spec"]["ephemeralContainers"][0]
        expect_equal((found["targetContainerName"], found["image"]), ("main", "example.org/tools:1"), "the ephemeral container")
    kubectl("debug", "web", *image, "--copy-to=copied", "--container=looker", "--", "sleep", "1000")
    space.wait_ready("copied")
    containers = [item["name"] for item in space.pod("copied")["spec"]["containers"]]
    expect_equal(containers, ["main", "looker"], "containers of the copy")
    # Its pod wants to write to the whole host, which no rule of a policy allows; who asked is told.
    result = kubectl.run("debug", f"node/{node.name}", *image, "-i", "--quiet", "--", "true", given="")
    expect(result.returncode != 0, "debug of the node had its way")
    expect_contains(result.stderr, "/ is the whole host", "the reason")
    if kubectl.is_new:
        result = kubectl.run("debug", f"node/{node.name}", *image, "--profile=netadmin", "-i", "--quiet", "--", "sh", "-c",
                             "read word; echo $word; head -n1 /proc/1/status", given="beside\n")
        with open("/proc/1/status", encoding="utf-8") as file:
            expect_contains(result.stdout, f"beside\n{file.readline()}", f"debug of the node ({result.stderr})")


@case("kubectl applies a kustomization, a directory, and prunes what is no longer there")
def directories(kubectl, world):
    place = world.temporary("kustomization")
    (place / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {color: green}\n")
    (place / "kustomization.yaml").write_text(
        "namePrefix: my-\nresources: [map.yaml]\nconfigMapGenerator:\n- {name: made, literals: [a=b]}\n"
        "generatorOptions: {disableNameSuffixHash: true}\n")
    expect_contains(kubectl("kustomize", str(place)), "name: my-words", "kustomize")
    kubectl("apply", "-k", str(place))
    names = kubectl("get", "-k", str(place), "-o", "name").split()
    expect_equal(sorted(names), ["configmap/my-made", "configmap/my-words"], "get -k")
    expect_equal(kubectl.run("diff", "-k", str(place)).returncode, 0, "exit of diff -k")
    kubectl("delete", "-k", str(place))
    tree = world.temporary("tree")
    (tree / "deep").mkdir()
    for name, where in (("one", tree), ("two", tree / "deep")):
        item = config_map(name, a="b")
        item["metadata"]["labels"] = {"set": "tree"}
        (where / f"{name}.json").write_text(json.dumps(item))
    kubectl("apply", "-R", "-f", str(tree))
    expect_equal(kubectl("get", "configmap", "-l", "set=tree", "-o", "name").split(), ["configmap/one", "configmap/two"],
                 "apply -R")
    (tree / "deep" / "two.json").unlink()
    kinds = ("--prune-allowlist=core/v1/ConfigMap",) if kubectl.is_new else ("--prune-whitelist=core/v1/ConfigMap",)
    told = kubectl("apply", "-R", "-f", str(tree), "--prune", "-l", "set=tree", *kinds)
    expect_contains(told, "configmap/two pruned", "apply --prune")
    expect_equal(kubectl("get", "configmap", "-l", "set=tree", "-o", "name").split(), ["configmap/one"], "after that")


CREATED = (
    ("secret tls pair", "secret", "pair", ".type", "kubernetes.io/tls"),
    ("secret docker-registry pull --docker-username=a --docker-password=b --docker-server=registry.invalid", "secret",
     "pull", ".type", "kubernetes.io/dockerconfigjson"),
    ("service nodeport open --tcp=80:8080", "service", "open", ".spec.type", "NodePort"),
    ("service loadbalancer wide --tcp=80", "service", "wide", ".spec.type", "LoadBalancer"),
    ("service externalname far --external-name=example.org", "service", "far", ".spec.externalName", "example.org"),
    ("job now --image=registry.invalid/x -- true", "job", "now", ".spec.template.spec.containers[0].command[0]", "true"),
    ("ingress way --class=own --rule=example.org/x*=open:80,tls=pair --default-backend=open:http", "ingress", "way",
     "..number", "80"),
    ("ingress exact --class=own --rule=example.org/x=open:80", "ingress", "exact", ".spec.rules[0].http.paths[0].pathType",
     "Exact"),
    ("poddisruptionbudget safe --selector=app=web --max-unavailable=1", "pdb", "safe", ".spec.maxUnavailable", "1"),
    ("deployment two --image=registry.invalid/x --replicas=0", "deployment", "two", ".spec.replicas", "0"),
    ("clusterrole NAME --verb=get --resource=pods", "clusterrole", "NAME", ".rules[0].verbs[0]", "get"),
    ("clusterrolebinding NAME --clusterrole=NAME --user=ann", "clusterrolebinding", "NAME", ".subjects[0].name", "ann"),
    ("priorityclass NAME --value=7", "priorityclass", "NAME", ".value", "7"),
    ("namespace NAME-more", "namespace", "NAME-more", ".status.phase", "Active"),
)


@case("kubectl create makes one of each kind that it has a word for, and run one pod")
def created(kubectl, space, world):
    place = world.temporary("files")
    (place / "settings").write_text("color=green\nshape=round\n")
    kubectl("create", "configmap", "lines", f"--from-env-file={place / 'settings'}")
    kubectl("create", "configmap", "file", f"--from-file={place / 'settings'}")
    shown = [kubectl("get", "configmap", name, "-o", "jsonpath={.data}") for name in ("lines", "file")]
    expect('"shape":"round"' in shown[0] or "shape:round" in shown[0], f"a ConfigMap of lines: {shown[0]}")
    expect("settings" in shown[1], f"a ConfigMap of a file: {shown[1]}")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=a",
         "-keyout", str(place / "key"), "-out", str(place / "cert")], check=True, capture_output=True, timeout=30)
    try:
        for words, kind, name, path, wanted in CREATED:
            if kind == "pdb" and not kubectl.is_new:
                # Its own command makes one of a version that is gone.
                continue
            arguments = words.replace("NAME", space.name).split()
            if arguments[:2] == ["secret", "tls"]:
                arguments += [f"--cert={place / 'cert'}", f"--key={place / 'key'}"]
            kubectl("create", *arguments)
            found = kubectl("get", kind, name.replace("NAME", space.name), "-o", f"jsonpath={{{path}}}")
            expect_equal(found, wanted, f"{path} after create {words}")
    finally:
        for kind in ("clusterrolebinding", "clusterrole", "priorityclass"):
            kubectl("delete", kind, space.name, "--ignore-not-found")
        kubectl("delete", "namespace", f"{space.name}-more", "--ignore-not-found", seconds=60)
    way = json.loads(kubectl("get", "ingress", "way", "-o", "json"))["spec"]
    expect_equal(
        (way["ingressClassName"], way["tls"], way["rules"][0]["host"], way["defaultBackend"]["service"]),
        ("own", [{"hosts": ["example.org"], "secretName": "pair"}], "example.org", {"name": "open", "port": {"name": "http"}}),
        "the ingress")
    shown = kubectl("run", "shown", "--image=registry.invalid/x", "--env=A=b", "--labels=a=b", "--port=80",
                    "--dry-run=client", "-o", "yaml")
    expect_contains(shown, "containerPort: 80", "run --dry-run=client -o yaml")
    kubectl("run", "shown", "--image=registry.invalid/x", "--port=80", "--expose")
    expect_equal(kubectl("get", "service", "shown", "-o", "jsonpath={.spec.selector.run}"), "shown", "run --expose")
    tick = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job("x", "exit 0")["spec"]}}}
    kubectl("create", "-f", "-", given=tick)
    if kubectl.is_new:
        kubectl("create", "job", "ticked", "--from=cronjob/tick")
        kubectl("wait", "--for=condition=complete", "job/ticked", "--timeout=60s", seconds=70)
