// The wall clock without a struct of libc's: in an optimised, statically linked build the compiler takes `timespec` for a
// type of a module that cannot be imported, and then hides its members.
#pragma once
#include <stdint.h>
#include <time.h>

/// CLOCK_REALTIME of clock_gettime(2), which cannot fail.
static inline void CLinux_wall_clock(int64_t *seconds, int32_t *nanoseconds) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    *seconds = time.tv_sec;
    *nanoseconds = (int32_t)time.tv_nsec;
}
