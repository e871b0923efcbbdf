#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exchanges each two names, again and again, so that whoever looks twice sees two different things. */
int swap_forever(char **names) {
    for (;;) {
        for (char **pair = names; pair[0] != NULL && pair[1] != NULL; pair += 2) {
            if (syscall(SYS_renameat2, AT_FDCWD, pair[0], AT_FDCWD, pair[1], RENAME_EXCHANGE) != 0 && errno != ENOENT &&
                errno != EBUSY) {
                fprintf(stderr, "probe: %s: %s\n", pair[0], error_name(errno));
                return 1;
            }
        }
        /* Those that are to be led astray need a turn, too. */
        usleep(20);
    }
}

/* What a newcomer whose program is not known in here gives away: 1 for each of memory, root, descriptors, trace. */
static unsigned grab(pid_t pid) {
    char path[64], target[4096];
    unsigned taken = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file >= 0) {
        taken |= 1;
        close(file);
    }
    snprintf(path, sizeof path, "/proc/%d/root", pid);
    if (readlink(path, target, sizeof target) >= 0) taken |= 2;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    /* Their numbers are no secret; what they lead to is. */
    for (struct dirent *found; directory != NULL && (found = readdir(directory)) != NULL;) {
        if (found->d_name[0] == '.') continue;
        file = openat(dirfd(directory), found->d_name, O_PATH | O_CLOEXEC);
        if (file >= 0) {
            taken |= 4;
            close(file);
        }
    }
    if (directory != NULL) closedir(directory);
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) taken |= 8;
    return taken;
}

/* A line of /proc/<pid>/status as a number in the given base; fallback when there is none. */
static unsigned long long status_of(pid_t pid, const char *field, int base, unsigned long long fallback) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) != 0) continue;
        fallback = strtoull(line + strlen(field), NULL, base);
        break;
    }
    if (file != NULL) fclose(file);
    return fallback;
}

/*
 * What a process that was taken hold of has and this one has not: 1 capabilities, 2 a root or working directory that is not of our
 * image, 4 descriptors of other things than its standard streams and the launcher's socket are, 8 no filter.
 */
static unsigned excess(pid_t pid) {
    char path[96], target[4096];
    struct stat root, probe, place;
    unsigned found = 0;
    unsigned long long own = status_of(getpid(), "CapBnd:", 16, 0);
    if (status_of(pid, "CapPrm:", 16, 0) & ~own) found |= 1;
    if (status_of(getpid(), "Seccomp:", 10, 0) == 2 && status_of(pid, "Seccomp:", 10, 2) != 2) found |= 8;
    snprintf(path, sizeof path, "/proc/%d/root/.", pid);
    if (stat(path, &root) == 0) {
        snprintf(path, sizeof path, "/proc/%d/root/probe", pid);
        if (stat(path, &probe) != 0) found |= 2;
        snprintf(path, sizeof path, "/proc/%d/cwd", pid);
        if (stat(path, &place) == 0 && (place.st_dev != root.st_dev || place.st_ino != root.st_ino)) found |= 2;
    }
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = 0;
        if (strncmp(target, "pipe:[", 6) != 0 && strncmp(target, "socket:[", 8) != 0 && strcmp(target, "/dev/null") != 0)
            found |= 4;
    }
    if (directory != NULL) closedir(directory);
    return found;
}

/* Stops a process wherever it is. */
static int hold(pid_t pid) {
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) return 0;
    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    for (int looks = 0; looks < 2000; looks++) {
        int status;
        if (waitpid(pid, &status, __WALL | WNOHANG) == pid) return WIFSTOPPED(status);
        usleep(20);
    }
    return 1;
}

/*
 * Waits for processes that enter this PID namespace and tries to take hold of each before it is the container's own program.
 * A newcomer is told by its name: the kernel keeps that of the parent's program until execve. Runs until it is killed, and
 * says what it got whenever it met one. With is_tracer every newcomer is expected to be stopped, and what it has beyond us is
 * told instead.
 */
int grab_newcomers(int is_tracer) {
    static const char *const got[] = {"memory ", "root ", "descriptors ", "trace "};
    static const char *const excessive[] = {"capabilities ", "root ", "descriptors ", "filter "};
    const char *const *names = is_tracer ? excessive : got;
    pid_t next = getpid() + 1;
    unsigned long seen = 0, met = 0;
    puts("watching");
    fflush(stdout);
    for (;;) {
        for (pid_t pid = next; pid < next + 8; pid++) {
            char path[64], name[64] = "";
            snprintf(path, sizeof path, "/proc/%d/comm", pid);
            int file = open(path, O_RDONLY | O_CLOEXEC);
            if (file < 0) continue;
            ssize_t length = read(file, name, sizeof name - 1);
            int is_held = is_tracer && hold(pid);
            unsigned taken = is_tracer ? excess(pid) : grab(pid);
            char again[64] = "";
            ssize_t second = pread(file, again, sizeof again - 1, 0);
            close(file);
            next = pid + 1;
            seen++;
            /* Judged only when it was the launcher before and after. */
            if (length > 0 && second > 0 && strncmp(name, "swiftlet", 8) == 0 && strncmp(again, "swiftlet", 8) == 0 &&
                (!is_tracer || is_held)) {
                met++;
                printf("met %lu of %lu: ", met, seen);
                for (int index = 0; index < 4; index++) fputs(taken & 1u << index ? names[index] : "", stdout);
                puts(taken == 0 ? "nothing" : "");
                fflush(stdout);
            }
            if (is_held || (!is_tracer && taken & 8)) ptrace(PTRACE_DETACH, pid, NULL, NULL);
        }
        waitpid(-1, NULL, WNOHANG);
    }
}

/*
 * Tries to open every running program for writing, and to change its mode: by its process's link to it, which may lead out of the
 * container.
 */
int overwrite_program(const char *marker) {
    for (int pid = 1; pid < 4096; pid++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/exe", pid);
        int program = open(path, O_PATH | O_CLOEXEC);
        if (program < 0) continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", program);
        int file = open(path, O_WRONLY | O_CLOEXEC);
        if (file >= 0) {
            char target[4096];
            ssize_t length = readlink(path, target, sizeof target - 1);
            target[length < 0 ? 0 : length] = 0;
            printf("%s: %s can be written\n", marker, target);
            close(file);
        }
        /* Its own programs stay what they are good for; of another's the host sees it. */
        if (chmod(path, 0711) == 0) {
            char target[4096];
            ssize_t length = readlink(path, target, sizeof target - 1);
            target[length < 0 ? 0 : length] = 0;
            printf("%s: the mode of %s can be changed\n", marker, target);
        }
        close(program);
    }
    fflush(stdout);
    return 0;
}
