// Owns the loops over sound samples that run for every frame of sound. Samples are interleaved stereo floats.
#ifndef WORK_SESSIONS_CSAMPLES_H
#define WORK_SESSIONS_CSAMPLES_H

#include <stddef.h>

// Frames that ws_resample needs before and after a position.
enum { WS_RESAMPLE_BEFORE = 7, WS_RESAMPLE_AFTER = 8 };

// Reads `in` at *position, *position + step and so on (in frames of `in`), interpolating with a windowed sinc of 16 taps
// (Julius O. Smith, "Digital Audio Resampling"; Blackman-Harris window, table of 512 phases). A step of 1 on whole
// positions copies samples unchanged. Stops where `in` does not reach far enough; returns how many frames it wrote.
size_t ws_resample(const float *in, size_t in_frames, double *position, double step, float *out, size_t out_frames);

// The largest magnitude and the sum of squares of `count` samples; what is no number counts as 0.
void ws_measure(const float *samples, size_t count, float *peak, double *sum_of_squares);

// The C library's log10: Swift's own library has none, and the core imports no platform's.
double ws_log10(double value);

#endif
