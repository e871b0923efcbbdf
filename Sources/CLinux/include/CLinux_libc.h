// The plain libc surface of the monitor: Embedded Swift has no Glibc module.
#pragma once
#include <malloc.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

// errno is a macro over a thread-local.
static inline int CLinux_errno(void) { return errno; }

// WIFEXITED and friends are macros over the wait status.
static inline long long CLinux_realtime_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

// open(2) and openat(2) are variadic, which Swift cannot call.
#include <fcntl.h>
static inline int CLinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int CLinux_openat(int dirfd, const char *path, int flags, mode_t mode) {
    return openat(dirfd, path, flags, mode);
}

// The raw getcwd(2), which shows "(unreachable)"; glibc's turns that into an error of its own.
#include <sys/syscall.h>
static inline long CLinux_getcwd(void *buffer, size_t size) { return syscall(SYS_getcwd, buffer, size); }

// rename(2) lives in stdio.h; accept4(2) takes a transparent union, which Swift cannot make from nil.
#include <stdio.h>
#include <sys/socket.h>
static inline int CLinux_accept(int socket) { return (int)syscall(SYS_accept4, socket, NULL, NULL, SOCK_CLOEXEC); }

// pipe2(2) is behind _GNU_SOURCE.
static inline int CLinux_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

// The allocator's own settings (mallopt(3), malloc_trim(3)): the C library's module does not have its header.

/// At most that many arenas: each keeps what its threads once needed.
static inline int CLinux_limit_arenas(int count) { return mallopt(M_ARENA_MAX, count); }

/// Allocations from that size on go back to the kernel as soon as they are freed; fixed, where the library would raise it.
static inline int CLinux_set_mapping_threshold(int bytes) { return mallopt(M_MMAP_THRESHOLD, bytes); }

/// Gives free pages of all arenas back to the kernel.
static inline int CLinux_trim_heap(void) { return malloc_trim(0); }
