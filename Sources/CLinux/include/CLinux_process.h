// Process and descriptor system calls that glibc 2.36 hides or wraps in a way unfit for a single-threaded launcher.
// Shims only: no logic, no allocation. Delete one when the Glibc overlay exports the call.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// No _GNU_SOURCE here or in any header of this module: it changes types (fd_set, enum __rusage_who) that Swift's own Glibc
// module has too, and one program cannot have both. What only it shows is spelled out.
#ifndef O_PATH
#define O_PATH 010000000
#endif

_Static_assert(sizeof(struct clone_args) >= 88, "clone_args must carry the cgroup field (Linux 5.7)");

// clone3(2) with fork semantics (no shared memory): glibc has no wrapper.
static inline long CLinux_clone3(uint64_t flags, int *pidfd, uint64_t cgroup, uint64_t exit_signal) {
    struct clone_args args = {0};
    args.flags = flags;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = exit_signal;
    args.cgroup = cgroup;
    return syscall(SYS_clone3, &args, sizeof args);
}

// clone(2) of a child of the caller's own parent, whose number the kernel notes; the parent hears of its end as of the caller's.
// Not clone3(2): a seccomp filter can read these flags, and so allows them where it allows fork(2).
static inline long CLinux_clone_sibling(pid_t *note) {
    return syscall(SYS_clone, (unsigned long)(CLONE_PARENT | CLONE_PARENT_SETTID), 0UL, note, 0UL, 0UL);
}

// A page that the caller and its children share; NULL with errno. MAP_FAILED is a cast, which Swift cannot import.
static inline pid_t *CLinux_map_note(void) {
    const int map_anonymous = 0x20;  // behind _DEFAULT_SOURCE
    void *page = mmap(0, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | map_anonymous, -1, 0);
    return page == MAP_FAILED ? 0 : page;
}
static inline void CLinux_unmap_note(pid_t *note) { munmap(note, sizeof(pid_t)); }
// What another process writes, and so read anew each time.
static inline pid_t CLinux_read_note(const pid_t *note) { return *(const volatile pid_t *)note; }
// Present in the caller, so that the kernel can write to it, and in none of its children.
static inline int CLinux_keep_note(pid_t *note) {
    *(volatile pid_t *)note = 0;
    return (int)syscall(SYS_madvise, note, sizeof(pid_t), 10 /* MADV_DONTFORK */);
}

static inline int CLinux_pidfd_open(pid_t pid, unsigned int flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

static inline int CLinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static inline int CLinux_close_range(unsigned int first, unsigned int last, unsigned int flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

// memfd_create(2), fcntl(2) and ioctl(2) are variadic or macro-guarded in the Glibc overlay.
static inline int CLinux_memfd_create(const char *name, unsigned int flags) {
    return (int)syscall(SYS_memfd_create, name, flags);
}
static inline int CLinux_seal(int fd) {
    const int add_seals = 1033, seal_seal = 1, seal_shrink = 2, seal_grow = 4, seal_write = 8;
    return fcntl(fd, add_seals, seal_seal | seal_shrink | seal_grow | seal_write);
}
static inline int CLinux_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }

static inline int CLinux_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

// The last component of argv[0], without /proc; behind _GNU_SOURCE.
extern char *program_invocation_short_name;
static inline const char *CLinux_program_name(void) { return program_invocation_short_name; }

// waitid(2) on a pidfd: P_PIDFD is missing from the overlay.
static inline int CLinux_wait_pidfd(int pidfd, siginfo_t *info, int options) {
    return waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, info, options);
}
static inline int CLinux_siginfo_status(const siginfo_t *info) { return info->si_status; }
static inline int CLinux_siginfo_code(const siginfo_t *info) { return info->si_code; }
static inline int CLinux_siginfo_pid(const siginfo_t *info) { return info->si_pid; }

static inline dev_t CLinux_makedev(unsigned int major_number, unsigned int minor_number) {
    return makedev(major_number, minor_number);
}

// setns(2) and unshare(2) are behind _GNU_SOURCE.
static inline int CLinux_setns(int fd, int type) { return (int)syscall(SYS_setns, fd, type); }
static inline int CLinux_unshare(int flags) { return (int)syscall(SYS_unshare, flags); }
static inline int CLinux_sethostname(const char *name, size_t length) { return sethostname(name, length); }

static inline uint32_t CLinux_st_mode_format(void) { return S_IFMT; }

// flock(2) shares its name with struct flock, which hides it from Swift.
static inline int CLinux_flock(int fd, int operation) { return flock(fd, operation); }

// SIG_IGN and SIG_DFL are casts, which Swift cannot import.
static inline void CLinux_signal_ignore(int number) { signal(number, SIG_IGN); }
static inline void CLinux_signal_default(int number) { signal(number, SIG_DFL); }

// Every signal there is: glibc's posix_spawn leaves its own two ignored in the child, and its sigaction cannot name them.
// A kernel's struct sigaction of zeros is SIG_DFL without flags, whatever the order of its members.
static inline void CLinux_signal_default_all(void) {
    const unsigned long action[8] = {0};
    for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, action, (void *)0, (size_t)8);
}

// A 64-bit literal macro, which Swift does not import.
static const uint64_t CLINUX_CLONE_INTO_CGROUP = 0x200000000ULL;
