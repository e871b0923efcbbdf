"""The example that the quick start shows."""

from rig.case import case
from rig.expectation import eventually, expect_contains
from rig.http import page


@case("the hello example serves its page on the pod's address and keeps its secret")
def hello(world, space, kubectl):
    text = (
        (world.repository / "packaging/examples/hello.yaml")
        .read_text()
        .replace("namespace: default", f"namespace: {space.name}")
    )
    kubectl("apply", "-f", "-", given=text)
    address = space.wait_ready("hello")["status"]["podIP"]
    answer = eventually("the page", lambda: page(address, 8080), 10)
    expect_contains(answer, "Hello from a pod run by Swiftlet", "the page")
    log = eventually("a tick", lambda: kubectl("logs", "hello", "-c", "ticker"), 10)
    expect_contains(log, f"tick 1 on {space.node.name}, the token has 19 bytes", "the ticker's log")
    expect_contains(kubectl("get", "pod", "hello"), "2/2", "both containers")
    expect_contains(space.node.swiftlet("ps").stdout, "hello", "swiftlet ps")
    expect_contains(space.node.swiftlet("top").stdout, "hello", "swiftlet top")
    expect_contains(
        space.node.swiftlet("logs", f"{space.name}/hello", "-c", "ticker").stdout, "tick 1", "swiftlet logs"
    )
