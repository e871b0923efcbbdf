// fallocate(2): the Glibc overlay leaves it out, because its declaration needs _GNU_SOURCE.
#pragma once
#include <linux/falloc.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Allocates blocks without changing the file's size or content (FALLOC_FL_KEEP_SIZE). 64-bit systems only: there an
// offset is one argument of the call.
_Static_assert(sizeof(long) == 8, "fallocate(2) takes its offsets in two halves on 32-bit systems");
static inline int CLinux_fallocate_keep_size(int fd, int64_t offset, int64_t length) {
    return (int)syscall(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, offset, length);
}

// chattr(1), T: the directory's subdirectories have nothing to do with each other, and ext4 may place them apart. <linux/fs.h>, which
// has these constants, contradicts <sys/mount.h>.
#define CLINUX_GET_INODE_FLAGS _IOR('f', 1, long)
#define CLINUX_SET_INODE_FLAGS _IOW('f', 2, long)
#define CLINUX_TOP_DIRECTORY 0x00020000

// -1 where the file system knows no such mark.
static inline int CLinux_mark_top_directory(int directory) {
    int flags = 0;
    if (ioctl(directory, CLINUX_GET_INODE_FLAGS, &flags) != 0) return -1;
    if (flags & CLINUX_TOP_DIRECTORY) return 0;
    flags |= CLINUX_TOP_DIRECTORY;
    return ioctl(directory, CLINUX_SET_INODE_FLAGS, &flags);
}
