#include "probe.h"

#include <errno.h>

/* Not strerrorname_np, which musl does not have. */
const char *error_name(int error) {
    static char number[16];
    switch (error) {
#define NAME(name) case name: return #name
        NAME(EPERM);
        NAME(ENOENT);
        NAME(ESRCH);
        NAME(EINTR);
        NAME(EIO);
        NAME(ENXIO);
        NAME(E2BIG);
        NAME(ENOEXEC);
        NAME(EBADF);
        NAME(ECHILD);
        NAME(EAGAIN);
        NAME(ENOMEM);
        NAME(EACCES);
        NAME(EFAULT);
        NAME(ENOTBLK);
        NAME(EBUSY);
        NAME(EEXIST);
        NAME(EXDEV);
        NAME(ENODEV);
        NAME(ENOTDIR);
        NAME(EISDIR);
        NAME(EINVAL);
        NAME(EMFILE);
        NAME(ENOTTY);
        NAME(ETXTBSY);
        NAME(ENOSPC);
        NAME(EROFS);
        NAME(ENOSYS);
        NAME(ELOOP);
        NAME(EOPNOTSUPP);
        NAME(EPROTONOSUPPORT);
        NAME(EAFNOSUPPORT);
        NAME(EADDRNOTAVAIL);
        NAME(ENOKEY);
        NAME(EKEYREVOKED);
        NAME(ESTALE);
        NAME(EDQUOT);
        NAME(EOVERFLOW);
        NAME(ESOCKTNOSUPPORT);
#undef NAME
    default:
        snprintf(number, sizeof number, "errno %d", error);
        return number;
    }
}
