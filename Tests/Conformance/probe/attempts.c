#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Every attempt is made so that it does no harm to the host when it succeeds: calls get an argument that the kernel refuses
 * after it has asked for the privilege (EINVAL instead of EPERM tells that the privilege was there), files are opened and not
 * written, mounts are made in the container and taken away. They answer "ok", the name of the error, or a word of their own.
 */

static const char *outcome(long result) { return result < 0 ? error_name(errno) : "ok"; }

static const char *opens(const char *path, int flags) {
    int file = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *result = outcome(file);
    if (file >= 0) close(file);
    return result;
}

/* --- The 17 ways out. */

static const char *mount_tmpfs(void) {
    const char *result = outcome(mount("probe", "/dev/shm", "tmpfs", 0, NULL));
    if (strcmp(result, "ok") == 0) umount2("/dev/shm", MNT_DETACH);
    return result;
}

/* In a process of its own: what is uncovered stays so for the container only. */
static const char *umount_masked(void) { return outcome(umount2("/proc/interrupts", MNT_DETACH)); }

static const char *remount_writable(void) {
    const char *result = outcome(mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
    if (strcmp(result, "ok") == 0) mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    return result;
}

/* The root itself can never be the new root: EBUSY or EINVAL. */
static const char *pivot_root_call(void) { return outcome(syscall(SYS_pivot_root, "/", "/")); }

/* The way out of a chroot: a descriptor of a directory outside of it. In a root of its own it leads nowhere. */
static const char *chroot_breakout(void) {
    struct stat before, after;
    int outside = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (outside < 0 || stat("/", &before) != 0) return outcome(-1);
    if (chroot("/proc") != 0) return error_name(errno);
    if (fchdir(outside) != 0) return outcome(-1);
    for (int depth = 0; depth < 64; depth++) {
        if (chdir("..") != 0) break;
    }
    if (stat(".", &after) != 0) return outcome(-1);
    return before.st_ino == after.st_ino && before.st_dev == after.st_dev ? "contained" : "escaped";
}

static const char *open_by_handle(void) {
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + 8];
    } given;
    memset(&given, 0, sizeof given);
    given.handle.handle_bytes = 8;
    given.handle.handle_type = 1;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return outcome(syscall(SYS_open_by_handle_at, root, &given.handle, O_RDONLY));
}

/* A disk that does not exist, so that ENXIO says that only the kernel's lack of it was in the way. */
static const char *node(mode_t kind, unsigned major, unsigned minor, int does_open) {
    const char *path = "/dev/probe-node";
    unlink(path);
    if (mknod(path, kind | 0600, makedev(major, minor)) != 0) return error_name(errno);
    const char *result = does_open ? opens(path, O_RDWR) : "ok";
    unlink(path);
    return result;
}

static const char *mknod_disk(void) { return node(S_IFBLK, 8, 4095, 0); }
static const char *open_disk(void) { return node(S_IFBLK, 8, 4095, 1); }
static const char *open_memory(void) { return node(S_IFCHR, 1, 200, 1); }
static const char *open_null(void) { return node(S_IFCHR, 1, 3, 1); }

static const char *unshare_user(void) { return outcome(unshare(CLONE_NEWUSER)); }
static const char *unshare_mount(void) { return outcome(unshare(CLONE_NEWNS)); }
static const char *clone_user(void) {
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) _exit(0);
    const char *result = outcome(pid);
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    return result;
}
static const char *clone3_call(void) { return outcome(syscall(SYS_clone3, NULL, (size_t)1)); }

static const char *bpf_call(void) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = 0xffff;
    return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

static const char *keyctl_call(void) { return outcome(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0)); }
static const char *add_key_call(void) { return outcome(syscall(SYS_add_key, "none", NULL, NULL, (size_t)0, -3)); }

static const char *perf_event(void) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = 1;
    return outcome(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static const char *userfaultfd_call(void) { return outcome(syscall(SYS_userfaultfd, 0x7fffffff)); }
static const char *io_uring(void) { return outcome(syscall(SYS_io_uring_setup, 0, NULL)); }
static const char *kexec(void) { return outcome(syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0x0000fff0UL)); }
static const char *algorithm_socket(void) { return outcome(socket(38 /* AF_ALG */, SOCK_SEQPACKET, 0)); }
static const char *vsock_socket(void) { return outcome(socket(40 /* AF_VSOCK */, SOCK_STREAM, 0)); }

/* The multiplexed call of 32-bit programs, which no filter can look into. */
static const char *algorithm_socket_32(void) {
#if defined(__x86_64__)
    uint32_t *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arguments == MAP_FAILED) return outcome(-1);
    arguments[0] = 38;
    arguments[1] = SOCK_SEQPACKET;
    arguments[2] = 0;
    long result = 102; /* socketcall */
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(1L /* SYS_SOCKET */), "c"(arguments) : "memory");
    int code = (int)result;
    return code < 0 ? error_name(-code) : "ok";
#else
    return "absent";
#endif
}

/* --- And more. */

static const char *setns_call(void) {
    int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return outcome(setns(own, CLONE_NEWUTS));
}
static const char *set_hostname(void) { return outcome(syscall(SYS_sethostname, "probe", -1L)); }
static const char *set_clock(void) { return outcome(syscall(SYS_clock_settime, 99, NULL)); }
static const char *load_module(void) { return outcome(syscall(SYS_finit_module, -1, "", 0x7fffffff)); }
static const char *swap_on(void) { return outcome(syscall(SYS_swapon, "/proc/self/none", 0)); }
static const char *reboot_call(void) { return outcome(syscall(SYS_reboot, 1, 2, 3, NULL)); }
static const char *kernel_log(void) { return outcome(syscall(SYS_syslog, 99, NULL, 0)); }
static const char *accounting(void) { return outcome(syscall(SYS_acct, "/proc/self/none")); }
static const char *quota(void) { return outcome(syscall(SYS_quotactl, 0x00800000, "/dev/null", 0, NULL)); }
static const char *fsopen_call(void) { return outcome(syscall(SYS_fsopen, "tmpfs", 0xffffU)); }
static const char *open_tree_call(void) { return outcome(syscall(SYS_open_tree, AT_FDCWD, "/proc", 1U /* CLONE */)); }
static const char *personality_call(void) { return outcome(syscall(SYS_personality, 0x0040000UL)); }
static const char *move_pages_call(void) { return outcome(syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, 0x7fff)); }
static const char *raise_nice(void) { return outcome(syscall(SYS_setpriority, 0, 0, -20)); }
static const char *raise_limit(void) {
    /* rlim64 of the highest number of locked bytes: one more than the hard limit, if it has one. */
    uint64_t limit[2];
    if (syscall(SYS_prlimit64, 0, 8 /* RLIMIT_MEMLOCK */, NULL, limit) != 0) return outcome(-1);
    if (limit[1] == UINT64_MAX) return "unlimited";
    limit[1]++;
    return outcome(syscall(SYS_prlimit64, 0, 8, limit, NULL));
}
static const char *lower_oom_score(void) {
    int file = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (file < 0) return outcome(-1);
    return outcome(write(file, "-1000", 5));
}
static const char *trace_init(void) { return getpid() == 1 ? "self" : outcome(ptrace(PTRACE_SEIZE, 1, NULL, NULL)); }
static const char *raw_socket(void) { return outcome(socket(AF_INET, SOCK_RAW, 1 /* ICMP */)); }
static const char *packet_socket(void) { return outcome(socket(AF_PACKET, SOCK_RAW, 0)); }
static const char *ping_socket(void) { return outcome(socket(AF_INET, SOCK_DGRAM, 1 /* ICMP */)); }
static const char *low_port(void) {
    struct {
        uint16_t family, port;
        uint32_t address;
        char zero[8];
    } address = {AF_INET, (uint16_t)(81 << 8), 0x0100007f, ""};
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return made < 0 ? outcome(-1) : outcome(bind(made, (const struct sockaddr *)&address, sizeof address));
}
static const char *link_down(void) {
    /* ifreq of lo with the flags it has: no change, and CAP_NET_ADMIN to ask for it. */
    char request[40] = "lo";
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made < 0 || syscall(SYS_ioctl, made, 0x8913UL /* SIOCGIFFLAGS */, request) != 0) return outcome(-1);
    return outcome(syscall(SYS_ioctl, made, 0x8914UL /* SIOCSIFFLAGS */, request));
}
static const char *become_root(void) { return outcome(setuid(0)); }
static const char *become_other(void) { return outcome(setuid(12345)); }
static const char *change_owner(void) {
    const char *path = "/dev/shm/probe-owner";
    int made = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (made < 0) return outcome(-1);
    const char *result = outcome(fchown(made, 4321, 4321));
    unlink(path);
    return result;
}
static const char *write_root(void) {
    const char *path = "/etc/probe-file";
    int made = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    const char *result = outcome(made);
    if (made >= 0) unlink(path);
    return result;
}
static const char *core_pattern(void) { return opens("/proc/sys/kernel/core_pattern", O_WRONLY); }
static const char *sysrq(void) { return opens("/proc/sysrq-trigger", O_WRONLY); }
static const char *kernel_core(void) {
    char byte;
    int file = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
    if (file < 0) return outcome(-1);
    ssize_t count = read(file, &byte, 1);
    return count < 0 ? outcome(-1) : count == 0 ? "empty" : "ok";
}
static const char *cgroup_write(void) {
    const char *result = opens("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
    if (strcmp(result, "ENOENT") == 0) result = opens("/sys/fs/cgroup/memory/cgroup.procs", O_WRONLY);
    return result;
}
static const char *release_agent(void) { return opens("/sys/fs/cgroup/memory/release_agent", O_WRONLY); }
static const char *uevent_helper(void) { return opens("/sys/kernel/uevent_helper", O_WRONLY); }
static const char *process_memory(void) { return opens("/proc/1/mem", O_RDWR); }
static const char *process_root(void) { return opens("/proc/1/root/proc", O_RDONLY | O_DIRECTORY); }

static const struct attempt {
    const char *name;
    const char *(*run)(void);
} attempts[] = {
    {"mount", mount_tmpfs}, {"umount-masked", umount_masked}, {"remount-writable", remount_writable},
    {"pivot_root", pivot_root_call}, {"chroot-breakout", chroot_breakout}, {"open_by_handle_at", open_by_handle},
    {"open-disk", open_disk}, {"unshare-user", unshare_user}, {"bpf", bpf_call}, {"keyctl", keyctl_call},
    {"perf_event_open", perf_event}, {"userfaultfd", userfaultfd_call}, {"io_uring_setup", io_uring},
    {"kexec_load", kexec}, {"socket-alg", algorithm_socket}, {"socketcall-alg", algorithm_socket_32},
    {"socket-vsock", vsock_socket},
    {"mknod-disk", mknod_disk}, {"open-memory-device", open_memory}, {"open-null-device", open_null},
    {"unshare-mount", unshare_mount}, {"clone-user", clone_user}, {"clone3", clone3_call}, {"add_key", add_key_call},
    {"setns", setns_call}, {"sethostname", set_hostname}, {"clock_settime", set_clock}, {"finit_module", load_module},
    {"swapon", swap_on}, {"reboot", reboot_call}, {"syslog", kernel_log}, {"acct", accounting}, {"quotactl", quota},
    {"fsopen", fsopen_call}, {"open_tree", open_tree_call}, {"personality", personality_call},
    {"move_pages", move_pages_call}, {"raise-nice", raise_nice}, {"raise-memlock", raise_limit},
    {"lower-oom-score", lower_oom_score}, {"trace-init", trace_init}, {"socket-raw", raw_socket},
    {"socket-packet", packet_socket}, {"socket-ping", ping_socket}, {"bind-low-port", low_port},
    {"set-link-flags", link_down}, {"setuid-root", become_root}, {"setuid-other", become_other},
    {"chown", change_owner}, {"write-root", write_root}, {"write-core_pattern", core_pattern}, {"write-sysrq", sysrq},
    {"read-kcore", kernel_core}, {"write-cgroup", cgroup_write}, {"write-release_agent", release_agent},
    {"write-uevent_helper", uevent_helper}, {"write-init-memory", process_memory}, {"init-root", process_root},
};

/* Runs one attempt in a process of its own, which may die of it. */
static void print_attempt(FILE *out, const struct attempt *attempt) {
    int ends[2];
    char answer[64];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    fflush(out);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        const char *result = attempt->run();
        _exit(write(ends[1], result, strlen(result)) < 0);
    }
    close(ends[1]);
    ssize_t length = pid < 0 ? -1 : read(ends[0], answer, sizeof answer - 1);
    int status = 0;
    if (pid > 0) waitpid(pid, &status, 0);
    close(ends[0]);
    if (length <= 0) {
        snprintf(answer, sizeof answer, WIFSIGNALED(status) ? "signal %d" : "exit %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    } else {
        answer[length] = 0;
    }
    json_name(out, attempt->name);
    json_text(out, answer);
}

void print_attempts(FILE *out) {
    fputs("\"attempts\": {", out);
    int count = 0;
    for (size_t index = 0; index < sizeof attempts / sizeof *attempts; index++) {
        json_separator(out, &count);
        print_attempt(out, &attempts[index]);
    }
    fputs("},\n", out);
}
