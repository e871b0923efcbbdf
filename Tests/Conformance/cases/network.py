"""Pods talk to each other, to the host, and share the host's network when they ask."""

from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal
from rig.http import page
from rig.pods import pod, shell, web_server

FETCH = """use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => $ENV{PEER}, PeerPort => 8080, Timeout => 5) or die $@;
print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print <$s>;"""


@case("pods reach each other by address, and the host reaches them")
def pod_to_pod(space):
    space.create(pod("server", web_server("hello neighbour")))
    address = space.wait_ready("server")["status"]["podIP"]
    eventually("the server answers the host", lambda: page(address, 8080) == "hello neighbour", 10)
    space.create(
        pod(
            "client",
            {
                "name": "main",
                "image": "host:///",
                "command": ["perl", "-e", FETCH],
                "env": [{"name": "PEER", "value": address}],
            },
        )
    )
    expect_contains(space.finished_log("client"), "hello neighbour", "the neighbour's answer")
    other = space.pod("client")["status"]["podIP"]
    expect(other != address, f"two pods have one address: {address}")


@case("a pod has its own name, hosts file and loopback; hostNetwork has the host's")
def names(space):
    script = "hostname; cat /etc/hosts; cat /proc/net/dev; test -s /etc/resolv.conf && echo resolver"
    space.create(pod("private", shell(script)))
    log = space.finished_log("private")
    address = space.pod("private")["status"]["podIP"]
    expect_equal(log.splitlines()[0], "private", "host name")
    expect_contains(log, address, "/etc/hosts")
    expect_contains(log, "eth0:", "the pod's interface")
    expect_contains(log, "resolver", "/etc/resolv.conf")
    space.create(pod("public", shell("cat /proc/net/dev"), hostNetwork=True))
    log = space.finished_log("public")
    expect_contains(log, f"sl-{space.node.identity}", "interfaces of a pod on the host's network")
    status = space.pod("public")["status"]
    expect_equal(status["podIP"], status["hostIP"], "address of a pod on the host's network")
