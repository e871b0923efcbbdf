"""Who somebody is and what they may do, with real clients."""

import http.client

from rig.api import APIFailure
from rig.case import case
from rig.expectation import Failure, eventually, expect, expect_contains, expect_equal
from rig.pods import pod, shell
from rig.space import Space


def as_account(space, name):
    """Words that make kubectl speak as a service account, by a token of its own."""
    answer = space.api.request(
        "POST", space.path("serviceaccounts", f"{name}/token"), {"spec": {"expirationSeconds": 600}}
    )
    return answer["status"]["token"]


def status_of(space, token, path):
    """The HTTP status of a plain request with a token and no certificate."""
    credentials = space.api.credentials
    connection = http.client.HTTPSConnection(
        credentials.host, credentials.port, context=credentials.context(with_certificate=False), timeout=10
    )
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


@case("a service account's token says who it is, and roles what it may do")
def roles(kubectl, space):
    kubectl("create", "serviceaccount", "reader")
    token = as_account(space, "reader")
    pods = space.path("pods")
    expect_equal(status_of(space, token, pods), 403, "before any binding")
    kubectl("create", "rolebinding", "reader", "--clusterrole=view", f"--serviceaccount={space.name}:reader")
    expect_equal(status_of(space, token, pods), 200, "with the role view")
    expect_equal(status_of(space, token, space.path("secrets")), 403, "secrets with the role view")
    subject = f"system:serviceaccount:{space.name}:reader"
    expect_contains(kubectl("get", "rolebinding", "reader"), "ClusterRole/view", "get rolebinding")
    review = space.api.request(
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"spec": {"user": subject, "resourceAttributes": {"namespace": space.name, "verb": "get", "resource": "pods"}}},
    )
    expect(review["status"]["allowed"], "a review says the same")
    kubectl("create", "role", "writer", "--verb=create,delete", "--resource=configmaps")
    expect_contains(kubectl("describe", "role", "writer"), "configmaps", "describe role")
    kubectl("delete", "serviceaccount", "reader")
    expect_equal(status_of(space, token, pods), 401, "the token of an account that is gone")


@case("kubectl auth can-i answers for the administrator and lists all he may do")
def can_i(kubectl, space):
    expect_equal(kubectl("auth", "can-i", "delete", "nodes").strip().splitlines()[-1], "yes", "auth can-i")
    expect_contains(kubectl("auth", "can-i", "--list"), "*.*", "auth can-i --list")
    if kubectl.is_new:
        expect_contains(kubectl("auth", "whoami"), "system:masters", "auth whoami")
        token = kubectl("create", "token", "default", "--duration=10m").strip()
        expect_equal(status_of(space, token, "/api"), 200, "a token from kubectl create token")
        expect_contains(
            kubectl.refused("create", "token", "default", "--duration=1m"), "10 minutes", "a token too short"
        )


@case("every namespace has the certificate its pods trust the API by, also when it is removed")
def root_certificate(kubectl, space):
    def published():
        items = space.api.get(space.path("configmaps"))["items"]
        return next((item for item in items if item["metadata"]["name"] == "kube-root-ca.crt"), None)

    first = eventually("the ConfigMap", published)
    expect_contains(first["data"]["ca.crt"], "BEGIN CERTIFICATE", "its content")
    space.delete("kube-root-ca.crt", plural="configmaps")
    eventually("it is made again", published)


INSIDE = """
cd /var/run/secrets/kubernetes.io/serviceaccount
cat namespace; echo
ask() {
    curl -s --max-time 10 --cacert ca.crt -H "Authorization: Bearer $(cat token)" -o /dev/null -w '%{http_code}\\n' \\
        "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat namespace)/$1"
}
ask pods
ask secrets
touch token 2>/dev/null || echo read-only
"""


def account_of(space, name):
    """A role binding that lets the namespace's default account see its pods."""
    space.api.request(
        "POST",
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space.name}/rolebindings",
        {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": space.name}],
        },
    )


@case("a program in a pod talks to the API as the pod's account, with what every client looks for")
def inside(space):
    account_of(space, "view")
    space.create(pod("client", shell(INSIDE), hostNetwork=True))
    expect_equal(space.finished_log("client"), f"{space.name}\n200\n403\nread-only\n", "what it saw")
    quiet = space.create(pod("quiet", shell("true"), automountServiceAccountToken=False))
    expect("volumes" not in quiet["spec"], "a pod that wants no token has no volume")
    try:
        space.create(pod("ghostly", shell("true"), serviceAccountName="ghost"))
        raise Failure("a pod of an account that does not exist was taken")
    except APIFailure as failure:
        expect_equal(failure.status, 403, "a pod of an account that does not exist")


@case("a pod with a network of its own reaches an API that listens for it")
def opened(world):
    node = world.new_node("opened", address="0.0.0.0")
    with node.running():
        space = Space(node, "opened")
        account_of(space, "view")
        space.create(pod("client", shell(INSIDE)))
        expect_equal(space.finished_log("client"), "opened\n200\n403\nread-only\n", "what it saw")
