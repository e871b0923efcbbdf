"""A log of a disk's writes, and the disks that power cuts leave of it.

The log is in the format of dm-log-writes, as QEMU's blklogwrites keeps it: every write and every flush, in the order in which the disk
finished them. What was written before a flush is on the disk for good; of what came after it a cut leaves what it likes, in whole
sectors.
"""

import bisect
import collections
import struct

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
SECTOR = 512

Entry = collections.namedtuple("Entry", "offset length flags place")
# Everything before the entry `flushed` stays, and of `later` those pieces: (entry, first byte, how many).
Cut = collections.namedtuple("Cut", "position kind flushed later")


class WriteLog:
    """The entries of a log; their bytes are read when they are asked for."""

    def __init__(self, path):
        self.file = open(path, "rb")  # pylint: disable=consider-using-with  # as long as the program
        magic, version, count, size = struct.unpack("<QQQI", self.file.read(28))
        if (magic, version) != (MAGIC, 1):
            raise ValueError(f"{path} is no log of writes")
        self.entries = []
        place = size
        for _ in range(count):
            self.file.seek(place)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            place += size
            self.entries.append(Entry(sector * size, sectors * size, flags, place))
            if not flags & DISCARD:
                place += sectors * size
        # The log's header is written by a flush, so the last entry counted is one.
        self.flushes = [number for number, entry in enumerate(self.entries) if entry.flags & FLUSH]

    def data(self, entry, first=0, length=None):
        self.file.seek(entry.place + first)
        return self.file.read(entry.length - first if length is None else length)

    def flushed(self, position):
        """How many of the first entries are on the disk for good when `position` of them were seen."""
        number = bisect.bisect_left(self.flushes, position)
        return self.flushes[number - 1] + 1 if number else 0

    def cut(self, random, first):
        """A cut at some moment after the first entries: between any two flushes, or at any write, which is mostly among many."""
        epochs = [number for number in self.flushes if number >= first]
        index = random.randrange(len(epochs) - 1)
        if random.random() < 0.5:
            index = bisect.bisect_left(epochs, random.randrange(epochs[0] + 1, epochs[-1])) - 1
        position = random.choice([epochs[index + 1], random.randint(epochs[index] + 1, epochs[index + 1])])
        flushed = self.flushed(position)
        kind = random.choice(["everything", "nothing", "few", "half", "most", "torn"])
        share = {"everything": 1, "nothing": 0, "few": 0.1, "half": 0.5, "most": 0.9, "torn": 0.5}[kind]
        later = []
        for number in range(flushed, position):
            entry = self.entries[number]
            if not entry.length or entry.flags & DISCARD:
                continue
            if entry.flags & FUA or random.random() < share:
                later.append((number, 0, entry.length))
            elif kind == "torn":
                begin = random.randrange(entry.length // SECTOR)
                later.append((number, begin * SECTOR, random.randint(1, entry.length // SECTOR - begin) * SECTOR))
        return Cut(position, kind, flushed, later)


class Disk:
    """What is on the disk for good at a position that only grows, and disks as cuts leave them."""

    def __init__(self, log, path, size):
        self.log = log
        self.path = path
        self.position = 0
        with open(path, "wb") as file:
            file.truncate(size)

    def make(self, cut, path, without=None):
        """Writes the disk that the cut leaves. `without`: an entry that is lost although it was flushed."""
        if without is None:
            with open(self.path, "r+b") as file:
                self.advance(file, cut.flushed)
            copy_sparsely(self.path, path)
        else:
            with open(path, "wb") as file:
                file.truncate(self.path.stat().st_size)
                for number in range(cut.flushed):
                    if number != without:
                        self.apply(file, self.log.entries[number])
        with open(path, "r+b") as file:
            for number, first, length in cut.later:
                entry = self.log.entries[number]
                file.seek(entry.offset + first)
                file.write(self.log.data(entry, first, length))

    def advance(self, file, position):
        if position < self.position:
            raise ValueError("cuts are made in their order")
        for entry in self.log.entries[self.position:position]:
            self.apply(file, entry)
        self.position = position

    def apply(self, file, entry):
        if entry.length and not entry.flags & DISCARD:
            file.seek(entry.offset)
            file.write(self.log.data(entry))


def copy_sparsely(source, target):
    """A copy without the zeroes: most of the disk is empty."""
    block = 1 << 20
    zeroes = bytes(block)
    with open(source, "rb") as given, open(target, "wb") as taken:
        taken.truncate(source.stat().st_size)
        while data := given.read(block):
            if data == zeroes[:len(data)]:
                taken.seek(len(data), 1)
            else:
                taken.write(data)
