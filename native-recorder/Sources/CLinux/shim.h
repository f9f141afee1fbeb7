// Owns Linux calls that Swift's Glibc module leaves out.
#ifndef WORK_SESSIONS_CLINUX_H
#define WORK_SESSIONS_CLINUX_H

#include <sys/eventfd.h>
#include <sys/prctl.h>

static inline int ws_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void ws_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
