#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

/* What is worth reading of kernel's files; absent ones are left out. A file ends at so many bytes. */
static const char *const files[] = {
    "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups", "/proc/self/oom_score_adj",
    "/proc/self/attr/current", "/proc/self/attr/exec", "/proc/self/coredump_filter", "/proc/self/timerslack_ns",
    "/proc/self/loginuid", "/proc/self/personality",
    "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sys/kernel/shm_rmid_forced",
    "/proc/sys/kernel/msgmax", "/proc/sys/kernel/shmmax", "/proc/sys/kernel/sem", "/proc/sys/fs/mqueue/msg_max",
    "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ping_group_range",
    "/proc/sys/net/ipv4/ip_local_port_range", "/proc/sys/net/ipv4/tcp_syncookies", "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/core/somaxconn", "/proc/1/comm", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname",
};

/* Below /sys/fs/cgroup, on v2 and in v1's hierarchies. */
static const char *const cgroup_files[] = {
    "memory.max", "memory.min", "memory.low", "memory.high", "memory.swap.max", "memory.oom.group", "memory.current",
    "cpu.max", "cpu.weight", "pids.max", "pids.current", "cpuset.cpus", "cpuset.cpus.effective", "io.weight",
    "cgroup.controllers", "cgroup.procs", "hugetlb.2MB.max",
    "memory/memory.limit_in_bytes", "memory/memory.soft_limit_in_bytes", "memory/memory.memsw.limit_in_bytes",
    "memory/cgroup.procs", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu/cpu.shares", "pids/pids.max",
    "cpuset/cpuset.cpus", "devices/devices.list", "unified/cgroup.procs",
};

/* Paths that hide or protect something: what they are to this process. */
static const char *const paths[] = {
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    "/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/shm", "/dev/pts", "/dev/mqueue", "/", "/tmp", "/volume",
};

static ssize_t read_file(const char *path, char *buffer, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(file, buffer + length, size - length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            if (count < 0 && length == 0) {
                close(file);
                return -1;
            }
            break;
        }
        length += (size_t)count;
    }
    close(file);
    return (ssize_t)length;
}

static void print_lines(FILE *out, const char *name, const char *path) {
    static char buffer[1 << 18];
    ssize_t length = read_file(path, buffer, sizeof buffer);
    json_name(out, name);
    fputc('[', out);
    int count = 0;
    char *line = buffer;
    while (length > 0 && line < buffer + length) {
        char *end = memchr(line, '\n', (size_t)(buffer + length - line));
        if (end == NULL) end = buffer + length;
        json_separator(out, &count);
        json_string(out, line, (size_t)(end - line));
        line = end + 1;
    }
    fputs("],\n", out);
}

static void print_contents(FILE *out, const char *name, const char *base, const char *const *list, size_t number) {
    json_name(out, name);
    fputc('{', out);
    int count = 0;
    for (size_t index = 0; index < number; index++) {
        char path[512], buffer[4096];
        snprintf(path, sizeof path, "%s%s", base, list[index]);
        ssize_t length = read_file(path, buffer, sizeof buffer);
        if (length < 0) continue;
        while (length > 0 && (buffer[length - 1] == '\n' || buffer[length - 1] == '\0')) length--;
        json_separator(out, &count);
        json_name(out, list[index]);
        json_string(out, buffer, (size_t)length);
    }
    fputs("},\n", out);
}

static void print_link(FILE *out, const char *path) {
    char target[4096];
    ssize_t length = readlink(path, target, sizeof target);
    if (length < 0) {
        json_text(out, error_name(errno));
    } else {
        json_string(out, target, (size_t)length);
    }
}

static void print_namespaces(FILE *out) {
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts"};
    fputs("\"namespaces\": {", out);
    int count = 0;
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[index]);
        json_separator(out, &count);
        json_name(out, names[index]);
        print_link(out, path);
    }
    fputs("},\n", out);
}

static void print_descriptors(FILE *out) {
    fputs("\"descriptors\": {", out);
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
        if (out != stdout && atoi(entry->d_name) == fileno(out)) continue;
        char path[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        json_separator(out, &count);
        json_name(out, entry->d_name);
        print_link(out, path);
    }
    if (directory != NULL) closedir(directory);
    fputs("},\n", out);
}

static void print_limits(FILE *out) {
    static const struct {
        const char *name;
        int resource;
    } limits[] = {
        {"AS", RLIMIT_AS},         {"CORE", RLIMIT_CORE},       {"CPU", RLIMIT_CPU},           {"DATA", RLIMIT_DATA},
        {"FSIZE", RLIMIT_FSIZE},   {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"NICE", RLIMIT_NICE},
        {"NOFILE", RLIMIT_NOFILE}, {"NPROC", RLIMIT_NPROC},     {"RTPRIO", RLIMIT_RTPRIO},     {"STACK", RLIMIT_STACK},
    };
    fputs("\"limits\": {", out);
    int count = 0;
    for (size_t index = 0; index < sizeof limits / sizeof *limits; index++) {
        struct rlimit limit;
        if (getrlimit(limits[index].resource, &limit) != 0) continue;
        json_separator(out, &count);
        json_name(out, limits[index].name);
        /* -1: unlimited */
        fprintf(out, "[%lld, %lld]", (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
    fputs("},\n", out);
}

static const char *kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFCHR: return "character";
    case S_IFBLK: return "block";
    case S_IFLNK: return "link";
    case S_IFIFO: return "pipe";
    case S_IFSOCK: return "socket";
    default: return "unknown";
    }
}

static void print_status(FILE *out, const char *path, const struct stat *status) {
    fprintf(out, "{\"kind\": \"%s\", \"mode\": \"%o\", \"uid\": %u, \"gid\": %u", kind_of(status->st_mode),
            (unsigned)(status->st_mode & 07777), status->st_uid, status->st_gid);
    if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode)) {
        fprintf(out, ", \"device\": \"%u:%u\"", major(status->st_rdev), minor(status->st_rdev));
    }
    if (S_ISLNK(status->st_mode)) {
        fputs(", \"target\": ", out);
        print_link(out, path);
    }
    if (S_ISDIR(status->st_mode)) {
        DIR *directory = opendir(path);
        if (directory == NULL) {
            fprintf(out, ", \"entries\": \"%s\"", error_name(errno));
        } else {
            int entries = -2;
            while (readdir(directory) != NULL) entries++;
            fprintf(out, ", \"entries\": %d", entries);
            closedir(directory);
        }
        /* Whether its file system takes writes, whatever the permissions say. */
        fprintf(out, ", \"writable\": %s", access(path, W_OK) == 0 ? "true" : "false");
    }
    fputc('}', out);
}

static void print_paths(FILE *out) {
    fputs("\"paths\": {", out);
    int count = 0;
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        struct stat status;
        if (lstat(paths[index], &status) != 0) continue;
        json_separator(out, &count);
        json_name(out, paths[index]);
        print_status(out, paths[index], &status);
    }
    fputs("},\n", out);
}

/* The names in /dev, without what is in its directories. */
static void print_devices(FILE *out) {
    fputs("\"devices\": {", out);
    DIR *directory = opendir("/dev");
    int count = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[300];
        struct stat status;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        if (entry->d_name[0] == '.' || lstat(path, &status) != 0) continue;
        json_separator(out, &count);
        json_name(out, entry->d_name);
        print_status(out, path, &status);
    }
    if (directory != NULL) closedir(directory);
    fputs("},\n", out);
}

static void print_process(FILE *out) {
    char directory[4096];
    struct utsname names;
    mode_t mask = umask(0);
    umask(mask);
    fprintf(out, "\"pid\": %d, \"ppid\": %d, \"session\": %d, \"umask\": \"%04o\",\n", getpid(), getppid(), getsid(0), mask);
    json_name(out, "cwd");
    json_text(out, getcwd(directory, sizeof directory) != NULL ? directory : error_name(errno));
    fputs(",\n", out);
    if (uname(&names) == 0) {
        json_name(out, "hostname");
        json_text(out, names.nodename);
        fputs(",\n", out);
    }
    json_name(out, "program");
    print_link(out, "/proc/self/exe");
    fputs(",\n\"arguments\": [", out);
    static char buffer[1 << 16];
    ssize_t length = read_file("/proc/self/cmdline", buffer, sizeof buffer - 1);
    int count = 0;
    for (char *word = buffer; word < buffer + length; word += strlen(word) + 1) {
        json_separator(out, &count);
        json_text(out, word);
    }
    fputs("],\n\"environment\": [", out);
    count = 0;
    for (char **variable = environ; *variable != NULL; variable++) {
        json_separator(out, &count);
        json_text(out, *variable);
    }
    fputs("],\n", out);
}

/* The numbers of all processes that this one sees. */
static void print_processes(FILE *out) {
    fputs("\"processes\": [", out);
    DIR *directory = opendir("/proc");
    int count = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        json_separator(out, &count);
        fputs(entry->d_name, out);
    }
    if (directory != NULL) closedir(directory);
    fputs("],\n", out);
}

void print_facts(FILE *out) {
    print_process(out);
    print_lines(out, "status", "/proc/self/status");
    print_namespaces(out);
    print_descriptors(out);
    print_limits(out);
    print_lines(out, "mounts", "/proc/self/mountinfo");
    print_lines(out, "cgroups", "/proc/self/cgroup");
    print_contents(out, "cgroupFiles", "/sys/fs/cgroup/", cgroup_files, sizeof cgroup_files / sizeof *cgroup_files);
    print_contents(out, "files", "", files, sizeof files / sizeof *files);
    print_lines(out, "interfaces", "/proc/net/dev");
    print_paths(out);
    print_devices(out);
    print_processes(out);
}
