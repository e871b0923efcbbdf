// Extended attributes and syncfs(2): declared in headers that the Glibc overlay leaves out or that need _GNU_SOURCE.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static inline int CLinux_syncfs(int fd) { return (int)syscall(SYS_syncfs, fd); }

static inline int CLinux_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0);
}
static inline ssize_t CLinux_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}
static inline int CLinux_mknodat(int dirfd, const char *name, mode_t mode, unsigned int major_number,
                                 unsigned int minor_number) {
    return mknodat(dirfd, name, mode, makedev(major_number, minor_number));
}

// renameat2(2) with RENAME_NOREPLACE.
static inline int CLinux_rename_noreplace(int from, const char *from_path, int to, const char *to_path) {
    return (int)syscall(SYS_renameat2, from, from_path, to, to_path, 1u);
}
