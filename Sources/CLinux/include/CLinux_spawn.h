// Spawning the monitor: posix_spawn(3) is a vfork-style clone (CLONE_VM | CLONE_VFORK) in glibc, which is 15 % cheaper
// than fork and never copies the agent's address space. Descriptor passing needs CMSG macros, which Swift cannot see.
#pragma once
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// Non-portable additions of glibc 2.29 and 2.34, behind _GNU_SOURCE.
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#define CLINUX_MAX_PASSED_DESCRIPTORS 8

// sendmsg(2) of one packet with up to CLINUX_MAX_PASSED_DESCRIPTORS descriptors (SCM_RIGHTS).
static inline ssize_t CLinux_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors,
                                              int count, int flags) {
    union {
        char buffer[CMSG_SPACE(sizeof(int) * CLINUX_MAX_PASSED_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count < 0 || count > CLINUX_MAX_PASSED_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.buffer;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

// recvmsg(2) of one packet; descriptors arrive close-on-exec. *count is the number stored. A packet that did not fit
// (data or descriptors) gives EMSGSIZE after closing what arrived.
static inline ssize_t CLinux_receive_descriptors(int socket, void *bytes, size_t capacity, int *descriptors, int *count,
                                                 int flags) {
    union {
        char buffer[CMSG_SPACE(sizeof(int) * CLINUX_MAX_PASSED_DESCRIPTORS)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.buffer, .msg_controllen = sizeof control.buffer};
    *count = 0;
    ssize_t received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < arrived && *count < CLINUX_MAX_PASSED_DESCRIPTORS; index++) {
            memcpy(&descriptors[*count], CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            (*count)++;
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int index = 0; index < *count; index++) close(descriptors[index]);
        *count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return received;
}
