"""The OCI runtime specification's promises that apply to pods, held against this runtime and against a reference."""

from rig.case import case
from rig.expectation import Failure, expect, expect_contains, expect_equal
from rig.facade import Bundle, PodRuntime, ReferenceRuntime
from rig.reference import Reference

FACTS = ["/probe", "facts"]


def arguments(runtime):
    """config.md, process.args: the vector as it is written."""
    words = ["/probe", "facts", "/volume/none/../../nonsense", "", "two words", "$HOME `id` $(id) \\ '\"", "ü"]
    script = "for word in \"$@\"; do echo \"[$word]\"; done"
    seen = runtime.run(Bundle(["/bin/sh", "-c", script, *words]))
    expect_equal(seen.output.splitlines(), [f"[{word}]" for word in words[1:]], "arguments")


def environment(runtime):
    """config.md, process.env: what is given, after what the image says; an empty value stays."""
    seen = runtime.run(Bundle(FACTS, env=["EMPTY=", "A=1=2", "SPACED=a b\tc", "LONG=" + "x" * 5000])).seen
    expect("EMPTY=" in seen.raw["environment"], "the empty variable")
    expect("A=1=2" in seen.raw["environment"], "a variable with an equals sign")
    expect("SPACED=a b\tc" in seen.raw["environment"], "a variable with blanks")
    expect("LONG=" + "x" * 5000 in seen.raw["environment"], "a long variable")


def working_directory(runtime):
    """config.md, process.cwd."""
    expect_equal(runtime.run(Bundle(FACTS, cwd="/etc")).seen.raw["cwd"], "/etc", "the working directory")
    expect_equal(runtime.run(Bundle(["../probe", "facts"], cwd="/etc")).seen.raw["cwd"], "/etc", "a relative program")


def search(runtime):
    """A program without a slash is looked for in PATH of the container's own environment."""
    outcome = runtime.run(Bundle(["cat", "/etc/passwd"]))
    expect_contains(outcome.output, "root:x:0:0", "the output")


def absent(runtime):
    """config.md, process: a program that is not there, or is none, is an error of the start."""
    for program in ("/none", "none", "/etc/passwd", "/etc", "/probe/x"):
        outcome = runtime.run(Bundle([program]))
        expect(not outcome.started and outcome.code != 0, f"{program}: {outcome}")


def exit_codes(runtime):
    """runtime.md: the process's own end."""
    for code in (0, 1, 42, 255):
        expect_equal(runtime.run(Bundle(["/bin/sh", "-c", f"exit {code}"])).code, code, "exit code")
    immune = runtime.run(Bundle(["/bin/sh", "-c", "kill -9 $$; exit 3"]))
    expect_equal(immune.code, 3, "exit code of a first process that kills itself, which the kernel ignores")


def kill(runtime):
    """runtime.md, kill: the signal reaches the process, which may handle it."""
    script = "trap 'exit 17' TERM; echo up; while :; do sleep 0.05; done"
    expect_equal(runtime.run(Bundle(["/bin/sh", "-c", script], signal="TERM")).code, 17, "exit code of the handler")


def hostname(runtime):
    """config.md, hostname."""
    expect_equal(runtime.run(Bundle(FACTS, hostname="named-so")).seen.raw["hostname"], "named-so", "hostname")


def first_process(runtime):
    """config-linux.md: number 1 of a PID namespace of its own, its session's leader, without a parent it could see."""
    seen = runtime.run(Bundle(FACTS)).seen
    expect_equal((seen.raw["pid"], seen.raw["ppid"], seen.raw["session"]), (1, 0, 1), "pid, ppid, session")
    expect_equal(seen.raw["processes"], [1], "processes")


def default_file_systems(runtime):
    """config-linux.md, default file systems: /proc, /sys, /dev/pts and /dev/shm."""
    seen = runtime.run(Bundle(FACTS)).seen
    for point, kind in {"/proc": "proc", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs"}.items():
        expect_equal(seen.mounts.get(point, ("nothing",))[0], kind, f"what is mounted on {point}")
    expect("ptmxmode=666" in seen.mounts["/dev/pts"][2], "mode of the pty multiplexer")


def default_devices(runtime):
    """config-linux.md, default devices and symbolic links: there, and they do what they should."""
    script = (
        "echo x >/dev/null && test \"$(head -c 3 /dev/zero | wc -c)\" = 3 && "
        "test \"$(head -c 3 /dev/urandom | wc -c)\" = 3 && ! echo x 2>/dev/null >/dev/full && "
        "test \"$(readlink /dev/fd)\" = /proc/self/fd && "
        "test \"$(readlink /dev/stdin)\" = /proc/self/fd/0 && test \"$(readlink /dev/ptmx)\" = pts/ptmx -o -c /dev/ptmx")
    for security in ({}, {"runAsUser": 1000}):
        outcome = runtime.run(Bundle(["/bin/sh", "-c", script], security=security))
        expect_equal(outcome.code, 0, f"devices as {security}: {outcome.output} {outcome.message}")


def memory_file_system(runtime):
    """config.md, mounts: a tmpfs of a size takes no more than that."""
    script = "head -c 4000000 /dev/zero >/memory/file; stat -f -c %T /memory; wc -c </memory/file"
    outcome = runtime.run(Bundle(["/bin/sh", "-c", script], tmpfs={"/memory": 1 << 20}))
    expect_contains(outcome.output, "tmpfs", "type of the file system")
    expect_equal(int(outcome.output.split()[-1]), 1 << 20, "bytes that went in")


def nested_mounts(runtime):
    """config.md, mounts: in order, so that one may be inside another."""
    script = "touch /a/b/x && grep -c ' /a/*b* tmpfs ' /proc/mounts"
    outcome = runtime.run(Bundle(["/bin/sh", "-c", script], tmpfs={"/a": 65536, "/a/b": 65536}))
    expect_equal(outcome.output, "2\n", f"mounts of {outcome}")


def read_only_root(runtime):
    """config.md, root.readonly; mounts on it stay as they are."""
    outcome = runtime.run(
        Bundle(["/bin/sh", "-c", "touch /etc/x 2>/dev/null && exit 9; touch /memory/x && touch /dev/shm/x"],
               security={"readOnlyRootFilesystem": True}, tmpfs={"/memory": 65536}))
    expect_equal(outcome.code, 0, f"the script: {outcome.output} {outcome.message}")


def ends_together(runtime):
    """config-linux.md, PID namespace: with the first process everything ends, and its end is not held up."""
    script = "sleep 31536007 & (trap '' TERM; sleep 31536007) & exit 5"
    expect_equal(runtime.run(Bundle(["/bin/sh", "-c", script])).code, 5, "exit code")


CHECKS = [
    arguments, environment, working_directory, search, absent, exit_codes, kill, hostname, first_process,
    default_file_systems, default_devices, memory_file_system, nested_mounts, read_only_root, ends_together,
]


def judge(runtime):
    problems = []
    for check in CHECKS:
        try:
            check(runtime)
        except Failure as failure:
            problems.append(f"{check.__name__}: {failure}")
    expect(not problems, "\n".join(problems))


@case("the OCI runtime specification's promises hold for containers of pods")
def ours(space, world):
    judge(PodRuntime(space, world))


@case("the checks of the OCI runtime specification hold for runc")
def runc(world):
    judge(ReferenceRuntime(Reference("runc", world)))


@case("the checks of the OCI runtime specification hold for crun")
def crun(world):
    judge(ReferenceRuntime(Reference("crun", world)))
