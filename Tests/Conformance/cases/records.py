"""What the node keeps in files may be damaged: it makes do with what the kernel and the endpoint know."""

import contextlib
import os
import pathlib
import shutil
import signal

from rig.case import case
from rig.expectation import Failure, eventually, expect, expect_equal
from rig.oracle import Diary
from rig.space import condition, container_status


def empty(file):
    file.write_bytes(b"")


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def garbage(file):
    file.write_bytes(os.urandom(4096))


def longest(file):
    """Every length in it is the greatest there is."""
    file.write_bytes(file.read_bytes()[:1] + b"\xff" * 4096)


def directory(file):
    file.unlink()
    file.mkdir()
    (file / "inside").touch()


def absent(file):
    file.unlink()


def link(file):
    file.unlink()
    file.symlink_to("/dev/zero")


def other_boot(file):
    """As if it were of an earlier boot."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    content = file.read_bytes()
    expect(boot in content, f"{file} does not name the boot")
    file.write_bytes(content.replace(boot, boot[::-1]))


DAMAGES = (empty, cut, garbage, longest, directory, absent, link, other_boot)


def check_damage(world, name, files, with_strangers=None):
    """Damages a file of each pod while the agent is down; afterwards every pod runs, once, and nothing else is left."""
    node = world.new_node(name).start()
    space = world.space(node)
    place = world.temporary(name)
    diaries = {damage: Diary(place, damage.__name__.replace("_", "-")) for damage in DAMAGES}
    whole = Diary(place, "whole")
    everyone = [whole, *diaries.values()]
    for diary in everyone:
        space.create(diary.pod())
    uids = {diary: space.wait_ready(diary.name)["metadata"]["uid"] for diary in everyone}
    for diary in everyone:
        eventually("the diary begins", diary.lines)
    before = node.settled_processes(uids[whole])
    node.kill()
    contents = {file: file.read_bytes() for file in files(node)}
    for damage, diary in diaries.items():
        found = [file for file, content in contents.items() if uids[diary].encode() in content]
        expect_equal(len(found), 1, f"files of {diary.name}")
        damage(found[0])
    if with_strangers:
        with_strangers(node)
    node.start()
    node.wait_ready()
    problems = []
    for diary in everyone:
        problem = settled(space, node, diary, uids[diary])
        if problem:
            problems.append(f"{diary.name}: {problem}")
    expect_equal(node.pod_processes(uids[whole]), before, "processes of the pod whose files were whole")
    expect_equal(whole.lines(), ["begin"], "its diary")
    expect(not problems, "\n".join(problems))
    eventually("a monitor for each", lambda: len(node.monitors()) == len(everyone), 5)
    # What is read right after the start may still be of before it.
    eventually("a sandbox for each", lambda: len(list((node.run / "sandboxes").iterdir())) == len(everyone), 20)
    # An ended instance keeps both until the next one ends.
    # One that is being removed has lost its layer and is still known.
    def names(place):
        return {file.name for file in (place / "containers").iterdir()}

    eventually("a writable layer for each that is known", lambda: names(node.root) == names(node.run), 20)
    node.stop_all()


def settled(space, node, diary, uid):
    """What is wrong with a pod after the start; None when it runs, once, and its status says how often it did."""

    def now():
        item = space.pod(diary.name)
        lines, restarts = diary.lines(), container_status(item)["restartCount"]
        expect("double" not in lines, f"two at once: {lines}")
        expect_equal(lines.count("begin"), restarts + 1, "instances, and restarts in the status + 1")
        expect_equal(condition(item, "Ready"), "True", "Ready")
        expect_equal(len(node.pod_processes(uid)), 2, "processes")
        return True

    try:
        eventually("it runs", now, 20)
    except Failure as failure:
        return str(failure)
    return None


@case("damaged records of containers: no trap, every pod runs again, once, and nothing is left over")
def container_records(world):
    def strangers(node):
        (node.run / "containers" / "no-directory").write_bytes(b"x")
        (node.run / "containers" / "empty").mkdir()
        (node.run / "containers" / "..link").symlink_to("/etc")
        (node.root / "containers" / "stranger").mkdir()

    check_damage(world, "records", lambda node: list(node.run.glob("containers/*/record")), strangers)


@case("damaged records of sandboxes: no trap, every pod runs again, once, and nothing is left over")
def sandbox_records(world):
    def strangers(node):
        (node.run / "sandboxes" / "no-directory").write_bytes(b"x")
        (node.run / "sandboxes" / "empty").mkdir()
        shutil.copytree("/etc/skel", node.run / "sandboxes" / "skeleton")

    check_damage(world, "sandboxes", lambda node: list(node.run.glob("sandboxes/*/record")), strangers)


@case("damaged exit records: every exit is told, and no code is made up")
def exit_records(world):
    node = world.new_node("exits").start()
    space = world.space(node)
    place = world.temporary("exits")
    damages = (empty, cut, garbage, longest, directory, link)
    diaries = {damage: Diary(place, damage.__name__) for damage in damages}
    for diary in diaries.values():
        space.create(diary.pod(restartPolicy="Never"))
    uids = {diary: space.wait_ready(diary.name)["metadata"]["uid"] for diary in diaries.values()}
    for diary in diaries.values():
        eventually("the diary begins", diary.lines)
    node.kill()
    for uid in uids.values():
        os.kill(node.init_process(uid), signal.SIGTERM)
    eventually("all end", lambda: not node.monitors(), 10)
    contents = {file: file.read_bytes() for file in node.run.glob("containers/*/record")}
    for damage, diary in diaries.items():
        found = [file for file, content in contents.items() if uids[diary].encode() in content]
        expect_equal(len(found), 1, f"records of {diary.name}")
        damage(found[0].with_name("exit"))
    node.start()
    for diary in diaries.values():
        failed = space.wait_phase(diary.name, "Failed")
        expect_equal(container_status(failed)["state"]["terminated"]["exitCode"], 137, f"exit code with {diary.name}")
        expect_equal(diary.lines(), ["begin", "end"], f"diary of {diary.name}")
    node.stop_all()


@case("a FIFO in place of a record keeps nobody waiting: the agent starts and its pods run")
def fifo_records(world):
    node = world.new_node("fifos").start()
    space = world.space(node)
    place = world.temporary("fifos")
    diaries = [Diary(place, name) for name in ("container", "sandbox", "exit")]
    for diary in diaries:
        space.create(diary.pod())
    uids = {diary.name: space.wait_ready(diary.name)["metadata"]["uid"] for diary in diaries}
    for diary in diaries:
        eventually("the diary begins", diary.lines)
    node.kill()
    fifos = []
    for record in [*node.run.glob("containers/*/record"), *node.run.glob("sandboxes/*/record")]:
        kind, content = record.parent.parent.name, record.read_bytes()
        if uids["exit"].encode() in content and kind == "containers":
            fifos.append(record.with_name("exit"))
        elif uids["container" if kind == "containers" else "sandbox"].encode() in content:
            fifos.append(record)
            record.unlink()
    expect_equal(len(fifos), 3, "files to replace")
    for file in fifos:
        os.mkfifo(file)
    try:
        node.start()
        eventually("the agent looks after its pods", lambda: "node is up" in node.output.read_text().rsplit(
            "control endpoint is ready", 1)[1], 10)
        problems = [problem for diary in diaries if (problem := settled(space, node, diary, uids[diary.name]))]
        expect(not problems, "\n".join(problems))
    finally:
        for file in fifos:
            with contextlib.suppress(OSError):
                # An agent that waits for a writer gets one.
                os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK))
        node.stop_all()
