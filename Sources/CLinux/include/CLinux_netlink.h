// The constants of rtnetlink(7), which the Glibc overlay leaves out. Swift encodes and decodes the messages itself: the
// kernel's macros (NLMSG_NEXT, RTA_OK, ...) walk raw memory without bounds a compiler could check.
#pragma once
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(struct nlmsghdr) == 16, "the header NetlinkMessage reads");
_Static_assert(sizeof(struct ifinfomsg) == 16, "the body NetlinkRequest writes for links");
_Static_assert(sizeof(struct ifaddrmsg) == 8, "the body NetlinkRequest writes for addresses");
_Static_assert(sizeof(struct rtmsg) == 12, "the body NetlinkRequest writes for routes");

// linux/if.h, which has these, cannot be included together with net/if.h.
static const uint32_t CLinux_IFF_UP = 1;
static const uint32_t CLinux_IFF_LOOPBACK = 8;

// recvmsg(2) of one datagram and the port of its sender (0 is the kernel). MSG_TRUNC makes the result the real length.
static inline ssize_t CLinux_netlink_receive(int socket, void *bytes, size_t capacity, uint32_t *port) {
    struct sockaddr_nl sender = {0};
    struct iovec vector = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1};
    ssize_t received = recvmsg(socket, &message, MSG_TRUNC);
    *port = sender.nl_pid;
    return received;
}
