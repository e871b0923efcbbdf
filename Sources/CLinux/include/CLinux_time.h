// Times without a struct of libc's: in an optimised, statically linked build the compiler takes `timespec` for a
// type of a module that cannot be imported, and then hides its members.
#pragma once
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/// CLOCK_REALTIME of clock_gettime(2), which cannot fail.
static inline void CLinux_wall_clock(int64_t *seconds, int32_t *nanoseconds) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    *seconds = time.tv_sec;
    *nanoseconds = (int32_t)time.tv_nsec;
}

/// When a file's content was last changed (st_mtim of stat(2)), in nanoseconds since the epoch.
static inline int64_t CLinux_modification_time(const struct stat *status) {
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}
