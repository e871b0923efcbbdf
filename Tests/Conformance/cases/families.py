"""Pods have an address of each family that the host has, unless they are told otherwise."""

import contextlib
import ipaddress
import socket
import threading

from rig.case import case
from rig.expectation import Skipped, eventually, expect, expect_contains, expect_equal
from rig.neighbour import neighbour
from rig.pods import idle, pod, shell

# Both answer and ask in either family; perl is part of every Debian.
SERVER = """use IO::Socket::IP; $SIG{TERM} = sub { exit 0 };
my $l = IO::Socket::IP->new(LocalHost => '::', V6Only => 0, LocalPort => 8080, Listen => 8, ReuseAddr => 1) or die $@;
while (1) { my $c = $l->accept or next; print $c "hello ", $c->peerhost, "\\n"; close $c }"""
CLIENT = """use IO::Socket::IP;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 5) or die $@; print <$s>;"""


def has_ipv6():
    try:
        return all(
            open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", encoding="ascii").read().strip() == "0"
            for name in ("all", "default")
        )
    except OSError:
        return False


def server(name):
    return pod(name, {"name": "web", "image": "host:///", "command": ["perl", "-e", SERVER]})


def asked_by_pod(space, name, address, port=8080):
    """What a new pod is told by a server."""
    command = ["perl", "-e", CLIENT, str(address), str(port)]
    space.create(pod(name, {"name": "main", "image": "host:///", "command": command}))
    return space.finished_log(name).strip()


@contextlib.contextmanager
def telling_peers(address):
    """A server of ours that tells everyone the address it sees; yields its port."""
    with socket.create_server((str(address), 0), family=socket.AF_INET6) as listener:

        def serve():
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(f"seen {peer[0]}\n".encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def pod_addresses(item):
    return [ipaddress.ip_address(entry["ip"]) for entry in item["status"]["podIPs"]]


@case("by default pods have IPv4 and IPv6, and reach each other, the host and the world over both")
def dual_stack(world):
    if not has_ipv6():
        raise Skipped("this host has no IPv6")
    with neighbour(world) as other:
        node = world.new_node("dual", cidr=None, within=other.within, address=str(other.theirs[4]))
        with node.running():
            space = world.space(node)
            kubectl = world.kubectl(space)
            found = space.api.get(f"/api/v1/nodes/{node.name}")
            networks = [ipaddress.ip_network(text) for text in found["spec"]["podCIDRs"]]
            expect_equal([network.version for network in networks], [4, 6], f"families of {networks}")
            expect_equal(found["spec"]["podCIDR"], str(networks[0]), "podCIDR")
            expect(networks[1].subnet_of(ipaddress.ip_network("fd00::/8")), f"{networks[1]} is not unique local")
            expect_equal(networks[1].prefixlen, 64, "length of the IPv6 network")
            internal = [item["address"] for item in found["status"]["addresses"] if item["type"] == "InternalIP"]
            expect_equal(internal, [str(other.theirs[4]), str(other.theirs[6])], "addresses of the node")

            space.create(server("server"))
            ready = space.wait_ready("server")
            addresses = pod_addresses(ready)
            expect_equal([address.version for address in addresses], [4, 6], f"families of {addresses}")
            expect_equal(ready["status"]["podIP"], str(addresses[0]), "podIP")
            for address, network in zip(addresses, networks):
                expect(address in network, f"{address} is not in {network}")
            expect_contains(kubectl("describe", "pod", "server"), str(addresses[1]), "describe")

            field = {"name": "IPS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}}
            space.create(pod("reader", shell("cat /etc/hosts; echo $IPS", env=[field])))
            log = space.finished_log("reader").splitlines()
            own = [str(address) for address in pod_addresses(space.pod("reader"))]
            for address in own:
                expect(f"{address}\treader" in log, f"/etc/hosts has no {address}: {log}")
            expect_equal(log[-1], ",".join(own), "the downward field status.podIPs")

            for address in addresses:
                eventually(
                    f"the host reaches the pod at {address}",
                    lambda where=str(address): "hello" in other.run("perl", "-e", CLIENT, where, "8080").stdout,
                    15,
                    0.2,
                )
                version = address.version
                answer = asked_by_pod(space, f"neighbour-{version}", address)
                expect_contains(answer, "hello", f"a pod's answer over IPv{version}")
                asker = [item for item in pod_addresses(space.pod(f"neighbour-{version}")) if item.version == version]
                expect_contains(answer, str(asker[0]), "the asking pod is seen with its own address")
            with telling_peers(other.ours[6]) as port:
                answer = asked_by_pod(space, "traveller", other.ours[6], port)
            expect_equal(answer, f"seen {other.theirs[6]}", "what the world sees of a pod: the node's address")

            before = space.pod("server")
            node.kill()
            node.start()
            again = space.api.get(f"/api/v1/nodes/{node.name}")
            expect_equal(again["spec"]["podCIDRs"], found["spec"]["podCIDRs"], "podCIDRs after a restart")
            expect_equal(space.pod("server")["status"]["podIPs"], before["status"]["podIPs"], "podIPs after a restart")
            listing = other.run("nft", "list", "ruleset").stdout
            expect_contains(listing, f"ip6 saddr {networks[1]}", "the node's own table")
        left = other.run("nft", "list", "tables").stdout + other.run("ip", "-o", "link").stdout
        expect(node.identity not in left, f"left in the other host's namespace: {left}")


@case("a pod CIDR that is given is the whole truth: IPv4 alone gives pods IPv4 alone")
def given_family(space, node):
    space.create(pod("plain", idle()))
    addresses = pod_addresses(space.wait_ready("plain"))
    expect_equal([address.version for address in addresses], [4], f"families of {addresses}")
    found = space.api.get(f"/api/v1/nodes/{node.name}")
    expect_equal(found["spec"]["podCIDRs"], [node.cidr], "podCIDRs")
