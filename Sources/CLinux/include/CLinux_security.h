// Capabilities, seccomp and credentials by raw system call: the libc wrappers broadcast to all threads, take locks or
// need libcap, none of which a process between clone and exec may do.
#pragma once
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <stddef.h>
#include <unistd.h>

static inline int CLinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

static inline int CLinux_setgroups(const uint32_t *groups, size_t count) {
    return (int)syscall(SYS_setgroups, count, groups);
}
static inline int CLinux_setresuid(uint32_t uid) { return (int)syscall(SYS_setresuid, uid, uid, uid); }
static inline int CLinux_setresgid(uint32_t gid) { return (int)syscall(SYS_setresgid, gid, gid, gid); }

// Installs a compiled classic BPF program for this task. The bytes are an array of struct sock_filter.
static inline int CLinux_seccomp_filter(const void *program, uint16_t instructions, unsigned int flags) {
    struct sock_fprog filter = {.len = instructions, .filter = (struct sock_filter *)program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

// Whether a descriptor is of a proc file system: 1 or 0, and -1 with errno.
static inline int CLinux_is_proc(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return -1;
    return status.f_type == 0x9fa0;  // PROC_SUPER_MAGIC
}

static inline int CLinux_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
    const uint64_t limit[2] = {soft, hard};  // struct rlimit64
    return (int)syscall(SYS_prlimit64, pid, resource, limit, NULL);
}
