"""A file system that never answers: whoever touches it waits in the kernel, deaf to every signal."""

import contextlib
import ctypes
import os
import select
import struct
import threading

from rig.expectation import Failure, Skipped

# linux/fuse.h: an in-header is 40 bytes (length, opcode, unique, …), an out-header 16 (length, error, unique).
INIT = 26
GETATTR = 3
DIRECTORY_ATTRIBUTES = struct.pack("<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)


@contextlib.contextmanager
def hanging(place):
    """Mounts it on the directory: its root is there, every look into it waits until the end of the block."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skipped(f"no FUSE on this host: {error}") from None
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"conformance", str(place).encode(), b"fuse", 0, options) != 0:
        os.close(device)
        raise Failure(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
    ends = os.pipe()
    server = threading.Thread(target=serve, args=(device, ends[0]), daemon=True)
    server.start()
    try:
        yield
    finally:
        os.write(ends[1], b".")
        server.join()
        # Without its server every request fails, and whoever waits goes on.
        os.close(device)
        libc.umount2(str(place).encode(), 2)
        for end in ends:
            os.close(end)


def serve(device, end):
    """Answers what mounting needs, and takes everything else without a word."""
    while True:
        ready = select.select([device, end], [], [])[0]
        if end in ready:
            return
        request = os.read(device, 1 << 17)
        _, opcode, unique = struct.unpack_from("<IIQ", request)
        if opcode == INIT:
            answer(device, unique, struct.pack("<IIIIHHIIHH", 7, 26, 65536, 0, 16, 12, 65536, 1, 0, 0) + bytes(28))
        elif opcode == GETATTR:
            answer(device, unique, struct.pack("<QII", 3600, 0, 0) + DIRECTORY_ATTRIBUTES)


def answer(device, unique, data):
    os.write(device, struct.pack("<IiQ", 16 + len(data), 0, unique) + data)
