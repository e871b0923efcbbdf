#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * probe facts [OUTPUT]          what this process is and sees
 * probe attempts [OUTPUT]       the same, and what becomes of each attempt to get out
 * probe until FILE VERB         the same, then lets another take its turn, waits until FILE is there and prints it
 * probe turn FILE VERB          waits for that turn and writes FILE: the two never do the same thing at once
 * probe swap A B [C D]...       exchanges each two names for ever
 * probe grab [held]             takes hold of processes that enter the container; held: stops them and tells what they have beyond it
 * probe overwrite MARKER        opens every running program for writing
 *
 * OUTPUT is written under another name first: who sees it sees all of it. It is written once.
 */

static int print_all(const char *output, int with_attempts) {
    char temporary[4096];
    FILE *out = stdout;
    if (output != NULL) {
        if (access(output, F_OK) == 0) return 0;
        snprintf(temporary, sizeof temporary, "%s.new", output);
        out = fopen(temporary, "we");
        if (out == NULL) {
            fprintf(stderr, "probe: %s: %s\n", temporary, error_name(errno));
            return 1;
        }
    }
    fputs("{", out);
    print_facts(out);
    if (with_attempts) print_attempts(out);
    fputs("\"end\": true}\n", out);
    if (fflush(out) != 0) return 1;
    if (output != NULL && (fclose(out) != 0 || rename(temporary, output) != 0)) {
        fprintf(stderr, "probe: %s: %s\n", output, error_name(errno));
        return 1;
    }
    return 0;
}

static const char *turn_of(const char *path) {
    static char name[4096];
    snprintf(name, sizeof name, "%s.turn", path);
    return name;
}

static int open_turn(const char *path) { return open(turn_of(path), O_CREAT | O_WRONLY | O_CLOEXEC, 0666); }

static void await_turn(const char *path) {
    while (access(turn_of(path), F_OK) != 0) usleep(20000);
}

static int print_file(const char *path) {
    char buffer[65536];
    int file;
    while ((file = open(path, O_RDONLY | O_CLOEXEC)) < 0) usleep(20000);
    for (ssize_t count; (count = read(file, buffer, sizeof buffer)) > 0;) {
        if (fwrite(buffer, 1, (size_t)count, stdout) != (size_t)count) return 1;
    }
    return fflush(stdout) != 0;
}

int main(int count, char **arguments) {
    const char *verb = count > 1 ? arguments[1] : "";
    const char *first = count > 2 ? arguments[2] : NULL;
    if (strcmp(verb, "facts") == 0) return print_all(first, 0);
    if (strcmp(verb, "attempts") == 0) return print_all(first, 1);
    if (strcmp(verb, "until") == 0 && count > 3) {
        int status = print_all(NULL, strcmp(arguments[3], "attempts") == 0);
        return status != 0 || open_turn(first) < 0 ? 1 : print_file(first);
    }
    if (strcmp(verb, "turn") == 0 && count > 3) {
        await_turn(first);
        return print_all(first, strcmp(arguments[3], "attempts") == 0);
    }
    if (strcmp(verb, "swap") == 0 && count > 3) return swap_forever(arguments + 2);
    if (strcmp(verb, "grab") == 0) return grab_newcomers(first != NULL && strcmp(first, "held") == 0);
    if (strcmp(verb, "overwrite") == 0 && count > 2) return overwrite_program(first);
    fputs("probe: facts, attempts, until, turn, swap, grab or overwrite\n", stderr);
    return 2;
}
