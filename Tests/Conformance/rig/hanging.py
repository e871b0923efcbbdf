"""A file system that stops answering: whoever touches it then waits in the kernel, deaf to every signal."""

import contextlib
import ctypes
import os
import select
import struct
import threading

from rig.expectation import Failure, Skipped

# linux/fuse.h: an in-header is 40 bytes (length, opcode, unique, …), an out-header 16 (length, error, unique).
LOOKUP, FORGET, GETATTR, STATFS, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 17, 26, 36, 42
HEADER = 40
DIRECTORY_ATTRIBUTES = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
SIZES = struct.pack("<QQQQQIIII", 1, 1, 1, 1, 1, 4096, 255, 4096, 0) + bytes(24)
ENOENT, ENOSYS = 2, 38


class FileSystem:
    """An empty directory, where a look at `x` waits until the end, and everything while it is silent."""

    def __init__(self, device):
        self.device = device
        self.ends = os.pipe()
        self.is_silent = False
        self.waiting = []
        self.lock = threading.Lock()
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def fall_silent(self):
        with self.lock:
            self.is_silent = True

    def come_back(self):
        """Answers everybody who waits, and whoever comes."""
        with self.lock:
            self.is_silent = False
            waiting, self.waiting = self.waiting, []
            for request in waiting:
                self.take(request)

    def serve(self):
        while True:
            ready = select.select([self.device, self.ends[0]], [], [])[0]
            if self.ends[0] in ready:
                return
            try:
                request = os.read(self.device, 1 << 17)
            except FileNotFoundError:
                # Whoever asked has given up meanwhile.
                continue
            with self.lock:
                if self.is_silent:
                    self.waiting.append(request)
                else:
                    self.take(request)

    def take(self, request):
        _, opcode, unique = struct.unpack_from("<IIQ", request)
        if opcode == INIT:
            self.answer(unique, struct.pack("<IIIIHHIIHH", 7, 26, 65536, 0, 16, 12, 65536, 1, 0, 0) + bytes(28))
        elif opcode == GETATTR:
            # Good for no time: the next look asks again.
            self.answer(unique, struct.pack("<QII", 0, 0, 0) + DIRECTORY_ATTRIBUTES)
        elif opcode == STATFS:
            self.answer(unique, SIZES)
        elif opcode == LOOKUP and request[HEADER:] == b"x\0":
            return
        elif opcode not in (FORGET, BATCH_FORGET, INTERRUPT):
            self.answer(unique, b"", ENOENT if opcode == LOOKUP else ENOSYS)

    def answer(self, unique, data, error=0):
        # ENOENT: whoever asked has given up meanwhile.
        with contextlib.suppress(FileNotFoundError):
            os.write(self.device, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)

    def end(self):
        os.write(self.ends[1], b".")
        self.server.join()
        for end in self.ends:
            os.close(end)


@contextlib.contextmanager
def hanging(place):
    """Mounts it on the directory, for as long as the body runs."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skipped(f"no FUSE on this host: {error}") from None
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"conformance", str(place).encode(), b"fuse", 0, options) != 0:
        os.close(device)
        raise Failure(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
    system = FileSystem(device)
    try:
        yield system
    finally:
        system.end()
        # Without its server every request fails, and whoever waits goes on.
        os.close(device)
        libc.umount2(str(place).encode(), 2)
