// Owns the import of PulseAudio's client API.
#ifndef WORK_SESSIONS_CPULSE_H
#define WORK_SESSIONS_CPULSE_H

#include <pulse/pulseaudio.h>

#endif
