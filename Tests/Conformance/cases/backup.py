"""A backup of an endpoint that goes on serving, and its return."""

import subprocess

from rig.api import API, Credentials
from rig.apart import Endpoint
from rig.case import case
from rig.expectation import eventually, expect, expect_contains, expect_equal

MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


def config_map(name):
    return {"metadata": {"name": name}, "data": {"a": "b"}}


@case("swiftlet server backup copies a serving endpoint, and restore brings it back with its secrets, and nothing damaged")
def backup_and_restore(world):
    directory = world.temporary("backup")
    endpoint = Endpoint(world.binaries, directory / "endpoint").start()

    def swiftlet(*arguments):
        command = [str(world.binaries / "swiftlet"), "server", *arguments, "--root", str(endpoint.root)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    try:
        api = API(Credentials(endpoint.kubeconfig, directory / "credentials"))
        eventually("the namespace is there", lambda: api.exchange("GET", "/api/v1/namespaces/default")[0] == 200)
        api.request("POST", MAPS, config_map("kept"))
        api.request("POST", SECRETS, {"metadata": {"name": "kept"}, "stringData": {"a": "hidden"}})
        kept = api.get(f"{MAPS}/kept")
        taken = swiftlet("backup", str(directory / "taken"))
        expect_equal((taken.returncode, taken.stderr), (0, ""), "backup")
        again = swiftlet("backup", str(directory / "taken"))
        expect(again.returncode != 0 and "not empty" in again.stderr, f"a second backup there: {again.stderr}")
        stored = (directory / "taken" / "state.db").read_bytes()
        expect(b"kept" in stored and b"hidden" not in stored, "the copy has the objects, and no secret in the clear")
        late = api.request("POST", MAPS, config_map("late"))
        held = swiftlet("restore", str(directory / "taken"))
        expect(held.returncode != 0 and "in use" in held.stderr, f"restore beside a running endpoint: {held.stderr}")
        endpoint.kill()
        damaged = directory / "damaged"
        subprocess.run(["cp", "-a", str(directory / "taken"), str(damaged)], check=True)
        place = stored.rindex(b"kept")
        (damaged / "state.db").write_bytes(stored[:place] + b"kemt" + stored[place + 4:])
        refused = swiftlet("restore", str(damaged))
        expect(refused.returncode != 0, f"restore of a damaged backup: {refused.stdout}")
        expect_contains(refused.stderr, "damaged", "restore of a damaged backup")
        returned = swiftlet("restore", str(directory / "taken"))
        expect_equal(returned.returncode, 0, f"restore: {returned.stderr}")
        endpoint.start()
        eventually("the endpoint answers", lambda: api.exchange("GET", f"{MAPS}/kept")[0] == 200)
        expect_equal(api.get(f"{MAPS}/kept"), kept, "what was kept")
        expect_equal(api.exchange("GET", f"{MAPS}/late")[0], 404, "what came after the backup")
        expect_equal(api.get(f"{SECRETS}/kept")["data"], {"a": "aGlkZGVu"}, "the secret")
        # A version that was given out after the backup never means something else.
        made = api.request("POST", MAPS, config_map("new"))
        expect(
            int(made["metadata"]["resourceVersion"]) > int(late["metadata"]["resourceVersion"]) + 1000,
            f"the version after the restore: {made['metadata']['resourceVersion']}")
        events = list(api.watch(MAPS, {}, late["metadata"]["resourceVersion"], 10))
        expect_equal([(kind, item.get("code")) for kind, item in events[:1]], [("ERROR", 410)], "a watch from before it")
    finally:
        endpoint.kill()
