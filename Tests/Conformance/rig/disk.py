"""A small disk of a case's own: an ext4 file system on a loop device, to be filled, sealed and freed again."""

import contextlib
import errno
import os
import pathlib
import subprocess

from rig.expectation import Failure, Skipped, eventually


class Disk:
    """A mounted file system and what a case did to fill it."""

    def __init__(self, place, image):
        self.place = place
        self._image = image
        self._ballast = place / ".ballast"

    def fill(self):
        """Takes every block that is free."""
        with open(self._ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 16, 4096, 512):
                while True:
                    try:
                        if file.write(b"\1" * size) < size:
                            break
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break
            os.fsync(file.fileno())

    def fill_inodes(self):
        """Takes every inode that is free, and hardly a block."""
        directory = self.place / ".inodes"
        directory.mkdir(exist_ok=True)
        number = 0
        while True:
            try:
                (directory / f"{number}").touch()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return
            number += 1

    def free(self):
        """Gives back what was taken."""
        self._ballast.unlink(missing_ok=True)
        for file in self.place.glob(".inodes/*"):
            file.unlink()

    def mount(self):
        command(["mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.place)])

    def fail(self):
        """An error of the disk: the kernel takes no more writes, not even to files that are open."""
        line = next(line for line in mounts() if line.split()[4] == str(self.place))
        device = pathlib.Path(line.split(" - ")[1].split()[1]).name
        trigger = pathlib.Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
        if not trigger.exists():
            raise Skipped("this kernel cannot pretend that an ext4 file system has an error")
        trigger.write_text("1\n")

    def repair(self):
        """What an administrator does then. Nobody may use it."""
        unmount(self.place)
        # 1: errors were corrected.
        command(["fsck.ext4", "-f", "-y", str(self._image)], accepted=(0, 1))
        self.mount()

    @contextlib.contextmanager
    def sealed(self):
        """For as long: whoever opens something below the place meets a read-only file system.

        The kernel seals no mount on which a file is open for writing, so a read-only one is put over it.
        """
        command(["mount", "--bind", str(self.place), str(self.place)])
        try:
            command(["mount", "-o", "remount,bind,ro", str(self.place)])
            yield
        finally:
            unmount(self.place)


@contextlib.contextmanager
def small_disk(place, mebibytes, *options):
    """Mounts a new file system of that size on a directory; it is gone at the end, with all that was on it."""
    image = place.with_name(place.name + ".img")
    with open(image, "wb") as file:
        file.truncate(mebibytes << 20)
    command(["mkfs.ext4", "-q", "-F", "-m", "0", *options, str(image)])
    place.mkdir(parents=True, exist_ok=True)
    disk = Disk(place, image)
    disk.mount()
    try:
        yield disk
    finally:
        unmount(place)
        image.unlink()


def mounts():
    return pathlib.Path("/proc/self/mountinfo").read_text().splitlines()


def command(words, accepted=(0,)):
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode not in accepted:
        raise Failure(f"{' '.join(words)}: exit {result.returncode}: {result.stderr.strip()}")


def unmount(place):
    """Whoever still uses it gets a moment; then it is taken away anyway and told."""

    def now():
        command(["umount", str(place)])
        return True

    try:
        eventually(f"unmount {place}", now, 5, 0.1)
    except Failure:
        subprocess.run(["umount", "--lazy", str(place)], check=False)
        raise
