"""What pods use is told, rightly, and alike by everybody who tells it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.pods import idle, pod, shell

MEBIBYTE = 1 << 20
PAGES = ("/metrics", "/metrics/resource", "/metrics/cadvisor", "/metrics/probes")


def samples(node, page):
    """By name: a list of labels and value."""
    status, text = node.local(page)
    expect_equal(status, 200, page)
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (\d+))?", line)
        expect(match, f"{page} has a line that is no sample: {line!r}")
        labels = dict(re.findall(r'([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
        found.setdefault(match[1], []).append((labels, float(match[3])))
    return found


def value(page, name, **wanted):
    """The one sample with these labels."""
    values = [
        number for labels, number in page.get(name, ()) if all(labels.get(key) == text for key, text in wanted.items())
    ]
    expect_equal(len(values), 1, f"samples {name} {wanted}")
    return values[0]


def summary_of(node, space, name, query=""):
    summary = json.loads(node.local("/stats/summary" + query)[1])
    mine = [item for item in summary["pods"] if item["podRef"] == dict(item["podRef"], name=name, namespace=space.name)]
    expect_equal(len(mine), 1, f"pods {name} in the summary")
    return summary["node"], mine[0]


def close(first, second, share, what):
    expect(abs(first - second) <= share * max(abs(first), abs(second)), f"{what}: {first} and {second}")


@case("a pod that burns a fifth of a core is told to use a fifth, by every surface", alone=True)
def cpu(space, node):
    space.create(pod("burner", shell("while :; do :; done", resources={"limits": {"cpu": "200m"}})))
    space.wait_ready("burner")
    time.sleep(1.1)  # A reading from before may be shared for a second.
    summary_of(node, space, "burner")
    time.sleep(7)  # A rate is over five seconds or more.
    _, told = summary_of(node, space, "burner")
    container = told["containers"][0]
    rate = container["cpu"]["usageNanoCores"]
    expect(150e6 <= rate <= 230e6, f"CPU in use: {rate / 1e6:.0f}m, with a limit of 200m")
    labels = {"namespace": space.name, "pod": "burner", "container": "main"}
    first = value(samples(node, "/metrics/resource"), "container_cpu_usage_seconds_total", **labels)
    second = value(samples(node, "/metrics/cadvisor"), "container_cpu_usage_seconds_total", **labels)
    third = container["cpu"]["usageCoreNanoSeconds"] / 1e9
    # They were read within a second of each other.
    close(first, second, 0.15, "CPU time in /metrics/resource and /metrics/cadvisor")
    close(first, third, 0.25, "CPU time in /metrics/resource and /stats/summary")
    throttled = value(samples(node, "/metrics/cadvisor"), "container_cpu_cfs_throttled_periods_total", **labels)
    expect(throttled > 10, f"periods in which the limit was reached: {throttled}")


@case("a pod that holds 40 MiB is told to hold 40 MiB, by every surface, and its limit is told")
def memory(space, node):
    script = "my $x = 'x' x (40 << 20); $| = 1; print qq(held\\n); sleep 100000"
    program = {"name": "main", "image": "host:///", "command": ["perl", "-e", script]}
    space.create(pod("holder", dict(program, resources={"limits": {"memory": "128Mi"}})))
    space.wait_ready("holder")
    eventually("the memory to be held", lambda: "held" in space.log("holder"), 20)
    time.sleep(1.1)  # A reading from before may be shared for a second.
    _, told = summary_of(node, space, "holder")
    sizes = told["containers"][0]["memory"]
    # Perl keeps the constant and the copy: 40 or 80 MiB.
    held = sizes["workingSetBytes"]
    expect(40 * MEBIBYTE <= held <= 95 * MEBIBYTE, f"working set {held / MEBIBYTE:.1f} MiB")
    expect(40 * MEBIBYTE <= sizes["rssBytes"] <= held, f"anonymous memory {sizes}")
    close(sizes["availableBytes"], 128 * MEBIBYTE - held, 0.01, "memory that is left of the limit")
    labels = {"namespace": space.name, "pod": "holder", "container": "main"}
    resource, cadvisor = samples(node, "/metrics/resource"), samples(node, "/metrics/cadvisor")
    close(value(resource, "container_memory_working_set_bytes", **labels), held, 0.05, "working set, resource")
    close(value(cadvisor, "container_memory_working_set_bytes", **labels), held, 0.05, "working set, cadvisor")
    expect_equal(value(cadvisor, "container_spec_memory_limit_bytes", **labels), 128 * MEBIBYTE, "limit")
    whole = value(resource, "pod_memory_working_set_bytes", namespace=space.name, pod="holder")
    expect(held * 0.95 <= whole <= held + 8 * MEBIBYTE, f"the pod's working set {whole}, its container's {held}")


@case("bytes that a pod sends and receives are told of its own interface, and of the pod, not of a container")
def network(space, node):
    amount = 4 * MEBIBYTE
    receiver = (
        "use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => 9000, Listen => 1, ReuseAddr => 1) or die $@;"
        " my $c = $l->accept; my $n = 0; while (my $r = sysread($c, my $b, 65536)) { $n += $r }"
        " $| = 1; print qq(got $n\\n); sleep 100000"
    )
    space.create(pod("receiver", {"name": "main", "image": "host:///", "command": ["perl", "-e", receiver]}))
    address = space.wait_ready("receiver")["status"]["podIP"]
    sender = (
        f"use IO::Socket::INET; my $c; for (1..100) {{ $c = IO::Socket::INET->new('{address}:9000') and last;"
        f" select undef, undef, undef, 0.1 }} print $c 'x' x {amount}; close $c; sleep 100000"
    )
    space.create(pod("sender", {"name": "main", "image": "host:///", "command": ["perl", "-e", sender]}))
    space.wait_ready("sender")
    eventually("the bytes to arrive", lambda: f"got {amount}" in space.log("receiver"), 20)
    time.sleep(1.1)
    page = samples(node, "/metrics/cadvisor")
    for name, metric, field in (("receiver", "receive", "rxBytes"), ("sender", "transmit", "txBytes")):
        labels = {"namespace": space.name, "pod": name, "interface": "eth0"}
        count = value(page, f"container_network_{metric}_bytes_total", **labels)
        # Headers of packets come on top: at most a twentieth.
        expect(amount <= count <= amount * 1.05, f"bytes of {name}: {count}, sent {amount}")
        rows = [entry for entry, _ in page[f"container_network_{metric}_bytes_total"] if entry["pod"] == name]
        expect_equal([row["container"] for row in rows], [""], f"containers of the network rows of {name}")
        _, told = summary_of(node, space, name)
        expect(amount <= told["network"][field] <= amount * 1.05, f"{field} of {name}: {told['network']}")


@case("a pod with two containers has both, and is at least their sum")
def sums(space, node):
    space.create(pod("pair", idle("one"), shell("while :; do :; done", "two", resources={"limits": {"cpu": "100m"}})))
    space.wait_ready("pair")
    time.sleep(2)
    _, told = summary_of(node, space, "pair")
    expect_equal([container["name"] for container in told["containers"]], ["one", "two"], "containers")
    total = told["cpu"]["usageCoreNanoSeconds"]
    parts = [container["cpu"]["usageCoreNanoSeconds"] for container in told["containers"]]
    expect(total >= sum(parts) * 0.95 and parts[1] > parts[0], f"the pod used {total}, its containers {parts}")
    # A shell and what it started, in each.
    count = told["process_stats"]["process_count"]
    expect(2 <= count <= 4, f"processes: {count}")


@case("the summary of CPU and memory has only these, and agrees with the whole one")
def brief(space, node):
    space.create(pod("small", idle()))
    space.wait_ready("small")
    time.sleep(1.1)  # A reading from before may be shared for a second.
    machine, told = summary_of(node, space, "small", "?only_cpu_and_memory=true")
    expect("cpu" in machine and "memory" in machine and "fs" not in machine, f"node: {sorted(machine)}")
    expect_equal(
        set(told["containers"][0]) - {"name", "startTime"}, {"cpu", "memory"}, "what is told of the container"
    )
    whole, _ = summary_of(node, space, "small")
    for field in ("fs", "runtime", "rlimit", "memory", "cpu", "network"):
        expect(field in whole, f"the summary's node has no {field}: {sorted(whole)}")
    close(whole["memory"]["workingSetBytes"], machine["memory"]["workingSetBytes"], 0.2, "the node's working set")
    expect(whole["fs"]["capacityBytes"] >= whole["fs"]["usedBytes"] > 0, f"file system: {whole['fs']}")


@case("what a pod keeps on disk is told by its parts, with the time it was measured")
def disk(space, node):
    write = (
        "head -c 3145728 /dev/urandom > /var/tmp/layer; head -c 2097152 /dev/urandom > /data/file;"
        " head -c 1048576 /dev/zero | tr '\\0' x | fold -w 1000; echo done"
    )
    container = shell(write + "; sleep 100000")
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}, {"name": "ram", "mountPath": "/ram"}]
    volumes = [{"name": "data", "emptyDir": {}}, {"name": "ram", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
    space.create(pod("keeper", container, volumes=volumes))
    space.wait_ready("keeper")
    eventually("the files to be written", lambda: space.log("keeper").endswith("done\n"), 20)

    def measured():
        _, told = summary_of(node, space, "keeper")
        return told if "ephemeral-storage" in told else None

    told = eventually("a measurement, which the first who asks starts", measured, 30)
    container = told["containers"][0]
    sizes = {name: container[name]["usedBytes"] for name in ("rootfs", "logs")}
    expect(3 * MEBIBYTE <= sizes["rootfs"] <= 4 * MEBIBYTE, f"writable layer: {sizes}")
    expect(MEBIBYTE <= sizes["logs"] <= 2 * MEBIBYTE, f"logs: {sizes}")
    mine = {volume["name"]: volume for volume in told["volume"]}
    expect(2 * MEBIBYTE <= mine["data"]["usedBytes"] <= 3 * MEBIBYTE, f"volume on disk: {mine}")
    expect_equal(mine["ram"]["capacityBytes"], MEBIBYTE, "size of the volume in memory")
    whole = told["ephemeral-storage"]["usedBytes"]
    parts = sum(sizes.values()) + mine["data"]["usedBytes"]
    expect(parts <= whole <= parts + MEBIBYTE, f"all of it: {whole}, its parts {parts}")
    labels = {"namespace": space.name, "pod": "keeper", "container": "main"}
    expect_equal(
        value(samples(node, "/metrics/cadvisor"), "container_fs_usage_bytes", **labels), sizes["rootfs"], "cadvisor"
    )
    # Nobody walks the trees for each who asks.
    expect_equal(measured()["ephemeral-storage"]["time"], told["ephemeral-storage"]["time"], "time of a second answer")


@case("what a container writes to a disk is told of it and of its pod, in bytes and operations")
def disk_io(space, node):
    script = "dd if=/dev/zero of=/data/file bs=65536 count=64 oflag=direct 2>&1 && echo written; sleep 100000"
    container = shell(script)
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    space.create(pod("writer", container, volumes=[{"name": "data", "emptyDir": {}}]))
    space.wait_ready("writer")
    eventually("the writes", lambda: "written" in space.log("writer") or "nvalid" in space.log("writer"), 20)
    if "written" not in space.log("writer"):
        raise Skipped("the disk of this node takes no direct writes")
    time.sleep(1.1)  # A reading from before may be shared for a second.
    page = samples(node, "/metrics/cadvisor")

    def written(name, container):
        labels = {"namespace": space.name, "pod": "writer", "container": container}
        return [number for found, number in page.get(name, ()) if labels.items() <= found.items()]

    if not written("container_fs_writes_bytes_total", "main"):
        raise Skipped("this host accounts no disks: no device of its own, or no io controller")
    for who in ("main", ""):
        size, count = (max(written(f"container_fs_writes{unit}_total", who)) for unit in ("_bytes", ""))
        expect(4 * MEBIBYTE <= size <= 8 * MEBIBYTE, f"bytes written by {who or 'the pod'}: {size}")
        expect(32 <= count <= 1000, f"write operations of {who or 'the pod'}: {count}")


@case("the agent's own work is counted under the names that dashboards look for")
def operations(space, node):
    before = samples(node, "/metrics")
    space.create(pod("worked-on", idle()))
    space.wait_ready("worked-on")
    after = samples(node, "/metrics")

    def count(page, name, **labels):
        return sum(number for found, number in page.get(name, ()) if labels.items() <= found.items())

    for operation in ("run_podsandbox", "create_container", "start_container"):
        name = "kubelet_runtime_operations_total"
        growth = count(after, name, operation_type=operation) - count(before, name, operation_type=operation)
        expect(growth >= 1, f"{operation}: {growth}")
    for name in (
        "kubelet_started_pods_total",
        "kubelet_started_containers_total",
        "kubelet_pod_start_duration_seconds_count",
        "kubelet_pod_worker_duration_seconds_count",
        "kubelet_runtime_operations_duration_seconds_count",
    ):
        expect(count(after, name) > count(before, name), f"{name}: {count(before, name)}, then {count(after, name)}")


@case("every page of metrics satisfies promtool")
def promtool(space, node):
    program = shutil.which("promtool")
    if not program:
        raise Skipped("promtool is not installed: apt-get install prometheus")
    space.create(pod("measured", idle()))
    space.wait_ready("measured")
    for page in PAGES:
        text = node.local(page)[1]
        result = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
        # Names are the peers', and so are their sins against the naming rules: status 3 is advice, 1 a broken page.
        expect(result.returncode in (0, 3), f"{page}: {result.stdout}{result.stderr}")
        broken = [line for line in result.stderr.splitlines() if "error while linting" in line or "no help" in line]
        expect(not broken, f"{page}: {broken}")


def processor_seconds(pid):
    """CPU time of a process, by proc(5)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case("kubectl top shows the node and pods, by namespace, by label and by container")
def top(space, node, kubectl):
    burner = space.create(pod("burner", shell("while :; do :; done", resources={"limits": {"cpu": "200m"}})))
    space.create(pod("idler", idle()))
    space.wait_ready("burner")
    space.wait_ready("idler")
    program = node.init_process(burner["metadata"]["uid"])
    time.sleep(1)
    nodes = kubectl("top", "node")
    expect(re.search(rf"^{node.name}\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%", nodes, re.M), f"kubectl top node: {nodes}")
    before, began = processor_seconds(program), time.monotonic()
    time.sleep(6)
    pods = kubectl("top", "pod")
    # What it got of a machine that others use as well, by the kernel's account of the process.
    share = 1000 * (processor_seconds(program) - before) / (time.monotonic() - began)
    match = re.search(r"^burner\s+(\d+)m\s+(\d+)Mi", pods, re.M)
    expect(match and 0.6 * share <= int(match[1]) <= 1.4 * share + 1, f"kubectl top pod, true {share:.0f}m: {pods}")
    expect(share <= 240, f"a limit of 200m, and {share:.0f}m used")
    expect(re.search(r"^idler\s+\d+m\s+\d+Mi", pods, re.M), f"kubectl top pod: {pods}")
    labelled = kubectl("top", "pod", "-l", "app=idler")
    expect("idler" in labelled and "burner" not in labelled, f"kubectl top pod -l: {labelled}")
    containers = kubectl("top", "pod", "burner", "--containers")
    expect(re.search(r"^burner\s+main\s+\d+m", containers, re.M), f"kubectl top pod --containers: {containers}")
    everywhere = kubectl("top", "pod", "-A")
    expect(space.name in everywhere and "burner" in everywhere, f"kubectl top pod -A: {everywhere}")


@case("swiftlet top prints one table where nobody watches")
def local_top(space, node):
    space.create(pod("shown", idle()))
    space.wait_ready("shown")
    result = node.swiftlet("top")
    expect_equal(result.returncode, 0, f"top: {result.stderr}")
    lines = result.stdout.splitlines()
    expect(lines[0].startswith("NAMESPACE"), f"head of the table: {lines[0]}")
    expect(any("(node)" in line for line in lines), f"the node's line: {result.stdout}")
    mine = [line.split() for line in lines if line.startswith(space.name + " ")]
    expect_equal([line[:3] for line in mine], [[space.name, "shown", "main"]], "rows of the pod")
    expect("\x1b" not in result.stdout, "no escape sequences without a terminal")


@case("swiftlet check scores the host, with a fix for what is amiss")
def host_score(node):
    result = node.swiftlet("check", "-o", "json")
    report = json.loads(result.stdout)
    expect(0 <= report["score"] <= 100 and len(report["findings"]) > 10, f"report: {report}")
    for finding in report["findings"]:
        expect(finding["severity"] == "ok" or finding["fix"], f"a finding without a fix: {finding}")
    expect_contains(node.swiftlet("check").stdout, f"score    {report['score']} of 100", "the text's score")


@case("swiftlet check explains what opens a pod, and has nothing against a closed one")
def exposure(space, node):
    open_pod = pod("open", idle(securityContext={"privileged": True}), hostPID=True)
    closed = pod(
        "closed",
        idle(
            securityContext={
                "runAsUser": 1000,
                "runAsNonRoot": True,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            resources={"limits": {"memory": "32Mi", "cpu": "100m"}},
        ),
    )
    space.create(closed)
    space.wait_ready("closed")
    report = json.loads(node.swiftlet("check", f"{space.name}/closed", "-o", "json").stdout)
    fields = {point["field"] for point in report["points"]}
    # The host's root is its image, as of every pod here.
    expect(report["score"] < 40 and "spec.containers[main].image" in fields, f"a closed pod: {report}")
    space.create(open_pod)
    eventually("the pod on the node", lambda: node.swiftlet("check", f"{space.name}/open").returncode == 0, 20)
    result = node.swiftlet("check", f"{space.name}/open")
    expect_contains(result.stdout, "spec.containers[main].securityContext.privileged", "an open pod")
    report = json.loads(node.swiftlet("check", f"{space.name}/open", "-o", "json").stdout)
    expect(report["level"] == "critical", f"level of an open pod: {report['level']}")
    absent = node.swiftlet("check", f"{space.name}/absent")
    expect(absent.returncode != 0 and "absent" in absent.stderr, f"an absent pod: {absent.stderr}")
