// The descriptor-based mount API (Linux 5.2, mount_setattr 5.12), openat2 (5.6) and pivot_root: glibc 2.36 wraps only
// part of it, and the Glibc overlay none.
#pragma once
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct open_how) == 24, "open_how is version 0");

static inline int CLinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

static inline int CLinux_fsopen(const char *type, unsigned int flags) { return (int)syscall(SYS_fsopen, type, flags); }
static inline int CLinux_fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux) {
    return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}
static inline int CLinux_fsmount(int fd, unsigned int flags, unsigned int attributes) {
    return (int)syscall(SYS_fsmount, fd, flags, attributes);
}
static inline int CLinux_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags) {
    return (int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}
static inline int CLinux_open_tree(int dirfd, const char *path, unsigned int flags) {
    return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

struct CLinux_mount_attr {
    uint64_t attr_set;
    uint64_t attr_clr;
    uint64_t propagation;
    uint64_t userns_fd;
};
static inline int CLinux_mount_setattr(int dirfd, const char *path, unsigned int flags, uint64_t set, uint64_t clear,
                                       uint64_t propagation) {
    struct CLinux_mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    return (int)syscall(SYS_mount_setattr, dirfd, path, flags, &attributes, sizeof attributes);
}

// MOUNT_ATTR_IDMAP of a tree that is attached nowhere: ids on it are seen as the user namespace maps them.
static inline int CLinux_mount_map_ids(int tree, unsigned int flags, int user_namespace) {
    struct CLinux_mount_attr attributes = {.attr_set = 0x00100000, .userns_fd = (uint64_t)user_namespace};
    return (int)syscall(SYS_mount_setattr, tree, "", flags, &attributes, sizeof attributes);
}

static inline int CLinux_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

// Constants that glibc 2.36 gives as enumerators or not at all.
static const unsigned int CLinux_FSCONFIG_SET_FLAG = 0;
static const unsigned int CLinux_FSCONFIG_SET_STRING = 1;
static const unsigned int CLinux_FSCONFIG_CMD_CREATE = 6;
static const unsigned int CLinux_FSOPEN_CLOEXEC = 1;
static const unsigned int CLinux_FSMOUNT_CLOEXEC = 1;
static const unsigned int CLinux_MOVE_MOUNT_F_EMPTY_PATH = 0x4;
static const unsigned int CLinux_MOVE_MOUNT_T_EMPTY_PATH = 0x40;
static const unsigned int CLinux_OPEN_TREE_CLONE = 1;
static const unsigned int CLinux_OPEN_TREE_CLOEXEC = 02000000;
static const unsigned int CLinux_AT_RECURSIVE = 0x8000;
static const unsigned int CLinux_AT_EMPTY_PATH = 0x1000;
static const uint64_t CLinux_MOUNT_ATTR_RDONLY = 0x1;
static const uint64_t CLinux_MOUNT_ATTR_NOSUID = 0x2;
static const uint64_t CLinux_MOUNT_ATTR_NODEV = 0x4;
static const uint64_t CLinux_MOUNT_ATTR_NOEXEC = 0x8;
static const uint64_t CLinux_MOUNT_ATTR_RELATIME = 0x0;
static const uint64_t CLinux_MOUNT_ATTR_NOATIME = 0x10;
static const uint64_t CLinux_MOUNT_ATTR_STRICTATIME = 0x20;
static const uint64_t CLinux_RESOLVE_NO_XDEV = 0x01;
static const uint64_t CLinux_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t CLinux_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t CLinux_RESOLVE_BENEATH = 0x08;
static const uint64_t CLinux_RESOLVE_IN_ROOT = 0x10;
