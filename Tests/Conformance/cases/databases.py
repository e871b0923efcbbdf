"""Real programs from Debian in real images: web server, cache and database, with claims, settings and their own users."""

import subprocess

from cases.claims import claim, stored
from rig.case import case
from rig.debian import make_image
from rig.expectation import WAITING, eventually, expect_contains, expect_equal
from rig.pods import config_map, mount
from rig.registry import Registry, pulling_node
from rig.space import container_status

APPS = "/apis/apps/v1/namespaces"

PAGES = """
error_log stderr; pid /tmp/nginx.pid; daemon off; worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 8080; root /srv; location / { } }
}
"""
CACHE = "bind 127.0.0.1\nport 6379\ndir /data\nappendonly yes\nappendfsync always\n"
DATABASE = """
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then initdb --username=postgres --auth=trust --locale=C.UTF-8 --pgdata="$PGDATA"; fi
# The group that owns the claim may write everything in it; the database wants its directory for itself.
chmod 0700 "$PGDATA"
exec postgres -c config_file=/etc/database/postgresql.conf
"""
SETTINGS = "listen_addresses = ''\nunix_socket_directories = '/tmp'\nshared_buffers = 16MB\nmax_connections = 10\njit = off\n"


def deployment(name, container, configured, **spec):
    """One pod with a claim at /data or elsewhere, which no second pod may have while the first goes."""
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": name}},
        {"name": "settings", "configMap": {"name": configured}},
    ]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 30, "volumes": volumes,
                    "containers": [container | {"name": "main"}], **spec,
                },
            },
        },
    }


def web(image):
    """As www-data, whose number the pod names."""
    first = {
        "name": "content", "image": image, "volumeMounts": [mount("data", "/srv")],
        "command": ["/bin/sh", "-c", "date +%s >>/srv/starts; [ -e /srv/index.html ] || echo made once >/srv/index.html"],
    }
    return deployment("web", {
        "image": image, "command": ["/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/web/nginx.conf"],
        "volumeMounts": [mount("data", "/srv", readOnly=True), mount("settings", "/etc/web")],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/index.html", "port": 8080}, "periodSeconds": 1},
    }, "web", initContainers=[first],
        securityContext={"runAsUser": 33, "runAsGroup": 33, "fsGroup": 33, "runAsNonRoot": True})


def cache(image):
    """As the image's own user."""
    return deployment("cache", {
        "image": image, "command": ["/usr/bin/redis-server", "/etc/cache/redis.conf"],
        "volumeMounts": [mount("data", "/data"), mount("settings", "/etc/cache")],
        "readinessProbe": {
            "exec": {"command": ["/usr/bin/redis-cli", "ping"]}, "periodSeconds": 1, "timeoutSeconds": 20},
    }, "cache", securityContext={"fsGroup": 105, "fsGroupChangePolicy": "OnRootMismatch"})


def database(image):
    return deployment("database", {
        "image": image, "command": ["/bin/sh", "-c", DATABASE],
        "env": [{"name": "PGDATA", "value": "/data/main"}],
        "volumeMounts": [mount("data", "/data"), mount("settings", "/etc/database")],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "--host=/tmp"]}, "periodSeconds": 1, "timeoutSeconds": 20},
    }, "database", securityContext={"runAsUser": 70, "runAsGroup": 70, "fsGroup": 70})


def images(place, registry):
    path = "PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    made = {
        "web": make_image(place, "nginx", ["nginx"], ["www-data:x:33:33::/:/bin/sh"], User="www-data", Env=[path]),
        "cache": make_image(
            place, "redis", ["redis-server", "redis-tools"], ["redis:x:105:105::/data:/bin/sh"], User="redis", Env=[path]),
        "database": make_image(
            place, "postgres", ["postgresql-15", "postgresql-client-15", "libc-bin"],
            ["postgres:x:70:70::/data:/bin/sh"], User="postgres", Env=[path]),
    }
    return {name: registry.push(file, f"debian/{name}:12", compression="zstd") for name, file in made.items()}


class Programs:
    """The three deployments in a space."""

    NAMES = ("web", "cache", "database")

    def __init__(self, space):
        self.space = space

    def pod(self, name):
        """The one pod of a deployment that is not on its way out; None while there is none."""
        listed = self.space.api.get(self.space.path("pods", query={"labelSelector": f"app={name}"}))["items"]
        alive = [item for item in listed if "deletionTimestamp" not in item["metadata"]]
        return alive[0] if len(alive) == 1 else None

    def is_ready(self, name):
        return container_status(self.pod(name) or {}).get("ready", False)

    def wait_ready(self):
        for name in self.NAMES:
            eventually(f"{name} is ready", lambda: self.is_ready(name), 90, 0.2)

    def run(self, name, *command):
        node = self.space.node
        words = ["exec", "--run", str(node.run), "-n", self.space.name, self.pod(name)["metadata"]["name"], "--"]
        done = subprocess.run(
            [str(node.binaries / "swiftlet"), *words, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60 * WAITING, check=False)
        expect_equal(done.returncode, 0, f"exit code of {command[0]} in {name}, which says {done.stderr!r}")
        return done.stdout

    def query(self, text):
        return self.run("database", "psql", "--host=/tmp", "--username=postgres", "-qtA", "-c", text)

    def expect_data(self):
        """What was written in the beginning, read through the programs."""
        expect_equal(self.run("cache", "redis-cli", "get", "fruit"), "quince\n", "what the cache has")
        expect_equal(self.query("SELECT sum(n) FROM numbers"), "500500\n", "what the database has")
        expect_equal(self.run("web", "cat", "/srv/index.html"), "made once\n", "what the web server has")


@case("nginx, redis and PostgreSQL run as their own users and keep their data over kill -9 of the agent and new pods")
def programs(world):
    place = world.temporary("databases")
    with Registry(place / "registry") as registry:
        pushed = images(place, registry)
        with pulling_node(world, "databases", registry) as node:
            space = world.space(node)
            space.create(config_map("web", **{"nginx.conf": PAGES}))
            space.create(config_map("cache", **{"redis.conf": CACHE}))
            space.create(config_map("database", **{"postgresql.conf": SETTINGS}))
            for name, make in (("web", web), ("cache", cache), ("database", database)):
                space.create(claim(name, accessModes=["ReadWriteOncePod"]))
                space.api.request("POST", f"{APPS}/{space.name}/deployments", make(pushed[name]))
            running = Programs(space)
            running.wait_ready()
            for name in Programs.NAMES:
                expect_equal(stored(space, name)["status"]["phase"], "Bound", f"the claim of {name}")
            running.run("cache", "redis-cli", "set", "fruit", "quince")
            running.query("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 1000) n")
            running.expect_data()
            expect_contains(running.run("web", "id"), "uid=33(www-data)", "the web server's user")
            expect_contains(running.run("cache", "id"), "uid=105(redis)", "the cache's user")
            before = {name: running.pod(name) for name in Programs.NAMES}
            node.kill()
            node.start()
            running.wait_ready()
            running.expect_data()
            for name, item in before.items():
                now = running.pod(name)
                expect_equal(
                    [now["metadata"]["uid"], container_status(now)["containerID"], container_status(now)["restartCount"]],
                    [item["metadata"]["uid"], container_status(item)["containerID"], 0], f"{name} after kill -9")
            for name, item in before.items():
                space.delete(item["metadata"]["name"])
            for item in before.values():
                space.wait_gone(item["metadata"]["name"], 60)
            running.wait_ready()
            running.expect_data()
            expect_equal(len(running.run("web", "cat", "/srv/starts").splitlines()), 2, "pods of the web server")
            for name in Programs.NAMES:
                space.api.request("DELETE", f"{APPS}/{space.name}/deployments/{name}")
            eventually("every pod goes", lambda: not space.api.get(space.path("pods"))["items"], 60, 0.2)
