"""Pods as the cases write them: short, on the host's own root file system."""


def shell(script, name="main", **fields):
    """A container that runs a shell script on image host:///."""
    return dict({"name": name, "image": "host:///", "command": ["/bin/sh", "-c", script]}, **fields)


def pod(name, *containers, **spec):
    """A pod of these containers; it never restarts and ends at once unless the spec says otherwise."""
    fields = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": list(containers)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": dict(fields, **spec),
    }


def mount(name, path, **fields):
    """Where a container sees a volume."""
    return dict({"name": name, "mountPath": path}, **fields)


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def idle(name="main", **fields):
    """A container that stays until it is told to go."""
    return shell("trap 'exit 0' TERM; sleep 100000 & wait", name, **fields)


def web_server(text, port=8080, name="web"):
    """A container that answers every HTTP request with the text; perl is part of every Debian."""
    program = (
        "use IO::Socket::INET; $SIG{TERM} = sub { exit 0 }; "
        f"my $l = IO::Socket::INET->new(LocalPort => {port}, Listen => 8, ReuseAddr => 1) or die $@; "
        "while (1) { my $c = $l->accept or next; while (<$c>) { last if /^\\r?\\n$/ } "
        f'print $c "HTTP/1.0 200 OK\\r\\nContent-Length: {len(text)}\\r\\n\\r\\n{text}"; close $c }}'
    )
    return {"name": name, "image": "host:///", "command": ["perl", "-e", program]}
