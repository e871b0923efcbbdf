"""Another host, as far as the network goes: a namespace with an uplink to ours and a way out over it."""

import contextlib
import ipaddress
import os
import subprocess

from rig.disk import command


class Neighbour:
    """Addresses of the other host and of ours on the cable between the two, by family."""

    def __init__(self, name, networks):
        self.name = name
        self.ours = {network.version: network[1] for network in networks}
        self.theirs = {network.version: network[2] for network in networks}
        self.lengths = {network.version: network.prefixlen for network in networks}
        self.within = ("nsenter", f"--net=/run/netns/{name}")

    def run(self, *words, seconds=20):
        """Runs a program there and returns what became of it."""
        return subprocess.run(
            [*self.within, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


@contextlib.contextmanager
def neighbour(world):
    """A host with addresses of both families, none of which the real one uses."""
    name = f"swn{os.getpid()}"
    # RFC 4193: a random global ID.
    six = ipaddress.ip_network(((0xFD << 40 | world.random.getrandbits(40)) << 80, 64))
    other = Neighbour(name, (ipaddress.ip_network(world.free_network()), six))
    command(["ip", "netns", "add", name])
    try:
        command(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
        inside = [*other.within]
        command(["ip", "link", "set", name, "up"])
        for device in ("lo", "eth0"):
            command([*inside, "ip", "link", "set", device, "up"])
        for version, flags in ((4, []), (6, ["nodad"])):
            length = other.lengths[version]
            command(["ip", "addr", "add", f"{other.ours[version]}/{length}", "dev", name, *flags])
            command([*inside, "ip", "addr", "add", f"{other.theirs[version]}/{length}", "dev", "eth0", *flags])
            command([*inside, "ip", f"-{version}", "route", "add", "default", "via", str(other.ours[version])])
        yield other
    finally:
        # Its interfaces go with it, and with them the other ends of their cables.
        subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
        command(["ip", "netns", "delete", name])
