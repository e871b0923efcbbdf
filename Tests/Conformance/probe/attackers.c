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

/*
 * Waits for processes that enter this PID namespace and tries to take hold of each before it is the container's own program.
 * A newcomer is told by its name: the kernel keeps that of the parent's program until execve. Runs until it is killed, and
 * says what it got whenever that is something.
 */
int grab_newcomers(void) {
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
            unsigned taken = grab(pid);
            char again[64] = "";
            ssize_t second = pread(file, again, sizeof again - 1, 0);
            close(file);
            next = pid + 1;
            seen++;
            /* Judged only when it was the launcher before and after. */
            if (length > 0 && second > 0 && strncmp(name, "swiftlet", 8) == 0 && strncmp(again, "swiftlet", 8) == 0) {
                met++;
                printf("met %lu of %lu: %s%s%s%s%s\n", met, seen, taken & 1 ? "memory " : "", taken & 2 ? "root " : "",
                       taken & 4 ? "descriptors " : "", taken & 8 ? "trace " : "", taken == 0 ? "nothing" : "");
                fflush(stdout);
            }
            if (taken & 8) ptrace(PTRACE_DETACH, pid, NULL, NULL);
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
