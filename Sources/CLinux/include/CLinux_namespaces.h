// A process that makes namespaces and waits while the agent pins them: a user namespace needs one, as the kernel refuses it to a
// process with several threads.
#pragma once
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLinux_process.h"

// glibc shows it only with _GNU_SOURCE; see CLinux_process.h.
extern int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

#define CLINUX_NAMESPACE_STACK 65536

struct CLinux_namespace_request {
    pid_t parent;         // the agent, without which it ends
    int socket;           // the child's end
    int flags;            // CLONE_NEW* to unshare once its ids are mapped
    const char *hostname; // NULL: left as it is
    size_t hostname_length;
};

// Runs in the agent's memory: it may touch nothing but its stack, and of libc nothing but syscall(2), whose errno is that of the
// agent's thread, which waits for this one whenever a call here can fail. What it reports is one int, 0 or an errno.
static inline int CLinux_namespace_child(void *argument) {
    const struct CLinux_namespace_request *request = (const struct CLinux_namespace_request *)argument;
    char byte = 0;
    int result = 0;
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (syscall(SYS_getppid) != request->parent) _exit(1);
    if (syscall(SYS_recvfrom, request->socket, &byte, 1, 0, NULL, NULL) != 1) _exit(1);
    if (request->flags != 0 && syscall(SYS_unshare, request->flags) != 0) result = errno;
    if (result == 0 && request->hostname != NULL &&
        syscall(SYS_sethostname, request->hostname, request->hostname_length) != 0) {
        result = errno;
    }
    syscall(SYS_sendto, request->socket, &result, sizeof result, MSG_NOSIGNAL, NULL, 0);
    // Until it is killed.
    syscall(SYS_recvfrom, request->socket, &byte, 1, 0, NULL, NULL);
    _exit(0);
}

// A child in a new user namespace without ids. It shares the agent's memory, so that nothing of it is copied, and no signal of the
// agent's reaches it. request and stack (CLINUX_NAMESPACE_STACK bytes) stay until it is reaped. -1 with errno.
static inline pid_t CLinux_namespace_process(const struct CLinux_namespace_request *request, void *stack) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    pid_t pid = clone(CLinux_namespace_child, (char *)stack + CLINUX_NAMESPACE_STACK, CLONE_VM | CLONE_NEWUSER | SIGCHLD,
                      (void *)request);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = error;
    return pid;
}
