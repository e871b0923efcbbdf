// fallocate(2): the Glibc overlay leaves it out, because its declaration needs _GNU_SOURCE.
#pragma once
#include <linux/falloc.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Allocates blocks without changing the file's size or content (FALLOC_FL_KEEP_SIZE). 64-bit systems only: there an
// offset is one argument of the call.
_Static_assert(sizeof(long) == 8, "fallocate(2) takes its offsets in two halves on 32-bit systems");
static inline int CLinux_fallocate_keep_size(int fd, int64_t offset, int64_t length) {
    return (int)syscall(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, offset, length);
}
