#pragma once

// ioctl(2) of terminals is variadic, which Swift cannot call. To be deleted when it can.

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

// S_IFCHR is an octal macro of casts on some libcs.
static inline unsigned int CLinux_character_device(void) { return S_IFCHR; }

static inline int CLinux_terminal_unlock(int master) {
    int locked = 0;
    return ioctl(master, TIOCSPTLCK, &locked);
}

// The other end of a master, without a path that somebody else could have put something at (Linux 4.13).
static inline int CLinux_terminal_peer(int master, int flags) { return ioctl(master, TIOCGPTPEER, flags); }

static inline int CLinux_terminal_control(int terminal) { return ioctl(terminal, TIOCSCTTY, 0); }

static inline int CLinux_terminal_resize(int terminal, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

static inline int CLinux_terminal_size(int terminal, unsigned short *rows, unsigned short *columns) {
    struct winsize size = {0};
    if (ioctl(terminal, TIOCGWINSZ, &size) != 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
