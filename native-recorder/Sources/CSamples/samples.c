// Owns the loops declared in CSamples.h.

#include "CSamples.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { taps = WS_RESAMPLE_BEFORE + 1 + WS_RESAMPLE_AFTER, phases = 512 };

// One row more than there are phases, so that the last one has a neighbour to interpolate with.
static float table[phases + 1][taps];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void) {
  for (int phase = 0; phase <= phases; phase++) {
    double sum = 0, row[taps];
    for (int tap = 0; tap < taps; tap++) {
      double at = tap - WS_RESAMPLE_BEFORE - (double)phase / phases;
      double turn = 2 * M_PI * (at + taps / 2.0) / taps;
      double window = 0.35875 - 0.48829 * cos(turn) + 0.14128 * cos(2 * turn) - 0.01168 * cos(3 * turn);
      row[tap] = (at == 0 ? 1 : sin(M_PI * at) / (M_PI * at)) * window;
      sum += row[tap];
    }
    // Every phase has the same gain at 0 Hz.
    for (int tap = 0; tap < taps; tap++) table[phase][tap] = (float)(row[tap] / sum);
  }
}

size_t ws_resample(const float *in, size_t in_frames, double *position, double step, float *out, size_t out_frames) {
  pthread_once(&table_once, make_table);
  double at = *position;
  size_t done = 0;
  for (; done < out_frames; done++, at += step) {
    size_t whole = (size_t)at;
    if (whole + WS_RESAMPLE_AFTER >= in_frames) break;
    double phase = (at - (double)whole) * phases;
    if (phase == 0) {
      memcpy(out + done * 2, in + whole * 2, 2 * sizeof *out);
      continue;
    }
    int row = (int)phase;
    float part = (float)(phase - row);
    const float *from = in + (whole - WS_RESAMPLE_BEFORE) * 2;
    float left = 0, right = 0;
    for (int tap = 0; tap < taps; tap++) {
      float weight = table[row][tap] + part * (table[row + 1][tap] - table[row][tap]);
      left += weight * from[tap * 2];
      right += weight * from[tap * 2 + 1];
    }
    out[done * 2] = left;
    out[done * 2 + 1] = right;
  }
  *position = at;
  return done;
}

void ws_measure(const float *samples, size_t count, float *peak, double *sum_of_squares) {
  float largest = 0;
  double sum = 0;
  for (size_t at = 0; at < count; at++) {
    float magnitude = fabsf(samples[at]);
    if (!isfinite(magnitude)) continue;
    largest = magnitude > largest ? magnitude : largest;
    sum += (double)magnitude * magnitude;
  }
  *peak = largest;
  *sum_of_squares = sum;
}

double ws_log10(double value) { return log10(value); }
