// CLinux is header-only; SwiftPM wants one source file to make it a target.
#include "CLinux_process.h"
