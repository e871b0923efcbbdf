// What a process that unpacks an image's layer gives up, and what it tries in vain when it is asked to.
#pragma once
#include <errno.h>
#include <iconv.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CLinux_process.h"

// The raw call, for those that libc has no function for that Swift can see. -1 with errno.
static inline long CLinux_call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                               unsigned long e) {
    return syscall(number, a, b, c, d, e);
}

// execve(2) without arguments; -1 with errno, as long as it is refused.
static inline int CLinux_try_execve(const char *path) {
    char *const none[] = {NULL};
    return (int)syscall(SYS_execve, path, none, none);
}

// fork(2): a child ends at once, and nothing is left of it.
static inline int CLinux_try_fork(void) {
    long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0) _exit(0);
    if (pid < 0) return -1;
    while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR) {}
    return 0;
}

// Has the C library read its list of character sets, which it else does from the root that a process happens to have by then.
static inline void CLinux_load_character_sets(void) {
    iconv_t conversion = iconv_open("UTF-8", "ISO-8859-1");
    if (conversion != (iconv_t)-1) iconv_close(conversion);
}

// SIGCHLD ignored: ended children leave nothing behind.
static inline void CLinux_ignore_children(void) { signal(SIGCHLD, SIG_IGN); }
