// Shows a flash and plays a beep at the same moment, each second, and says when it did: the truth that recorders are
// measured against. Usage: flashAndBeep SECONDS; draws on DISPLAY, plays on PULSE_SERVER's default sink.
//
// Says a line "FLASH BEEP" after each: CLOCK_MONOTONIC in milliseconds, of the moment at which the X server had painted
// the flash, and of the moment at which the sound server says that the beep's first sample was heard. Says nothing of
// those at which a busy machine tore the sound.
#include <X11/Xlib.h>
#include <limits.h>
#include <math.h>
#include <pulse/pulseaudio.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { rate = 48000, flash_ms = 300, history = 15 };

static pa_mainloop *loop;
static pa_stream *stream;
static long long written;
static long long beeps_from = LLONG_MAX;
// Monotonic time at which the stream's first sample would have been heard: the last few measurements.
static double origins[history];
static int measured;

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

// The sound was torn: what was measured before does not hold any more.
static void forget(pa_stream *s, void *unused) {
  (void)s;
  (void)unused;
  measured = 0;
}

static void fail(const char *what) {
  fprintf(stderr, "flashAndBeep: %s\n", what);
  exit(1);
}

// A beep at the beginning of every second. It begins at full height, so that its first sample can be found.
static void fill(pa_stream *s, size_t bytes, void *unused) {
  (void)unused;
  short *samples = NULL;
  if (pa_stream_begin_write(s, (void **)&samples, &bytes) < 0) fail("no buffer");
  size_t count = bytes / sizeof *samples;
  for (size_t at = 0; at < count; at++, written++) {
    long long in_second = written % rate;
    int loud = written >= beeps_from && in_second < rate / 1000 * flash_ms;
    samples[at] = loud ? (short)(16000 * cos(2 * M_PI * 1000 * in_second / rate)) : 0;
  }
  pa_stream_write(s, samples, count * sizeof *samples, NULL, 0, PA_SEEK_RELATIVE);
}

static void measure(pa_stream *s, int success, void *unused) {
  (void)unused;
  pa_usec_t heard;
  if (success && pa_stream_get_time(s, &heard) >= 0) origins[measured++ % history] = now_ms() - heard / 1e3;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

// A measurement is late when the machine was busy, never early. Says too how far they lie apart.
static double origin_ms(double *spread) {
  double sorted[history];
  for (int at = 0; at < history; at++) sorted[at] = origins[at];
  qsort(sorted, history, sizeof *sorted, ascending);
  if (spread) *spread = sorted[history - 1] - sorted[0];
  return sorted[1];
}

// Lets sound and its measuring go on until the moment.
static void run_until(double until_ms) {
  double next_ms = now_ms();
  for (double now; (now = now_ms()) < until_ms;) {
    if (now >= next_ms) {
      pa_operation *asked = pa_stream_update_timing_info(stream, measure, NULL);
      if (asked) pa_operation_unref(asked);
      next_ms = now + 50;
    }
    double wait_ms = until_ms - now < 5 ? until_ms - now : 5;
    if (pa_mainloop_prepare(loop, (int)(wait_ms * 1000)) < 0 || pa_mainloop_poll(loop) < 0 ||
        pa_mainloop_dispatch(loop) < 0)
      fail("the sound server went away");
  }
}

static void open_sound(void) {
  loop = pa_mainloop_new();
  pa_context *context = pa_context_new(pa_mainloop_get_api(loop), "flash and beep");
  if (pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0) fail("no sound server");
  while (pa_context_get_state(context) != PA_CONTEXT_READY) {
    if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(context))) fail("no sound server");
    pa_mainloop_iterate(loop, 1, NULL);
  }
  pa_sample_spec spec = {PA_SAMPLE_S16LE, rate, 1};
  stream = pa_stream_new(context, "flash and beep", &spec, NULL);
  // Long enough that a busy machine does not tear the sound.
  pa_buffer_attr buffers = {-1, rate / 1000 * 250 * 2, -1, -1, -1};
  pa_stream_set_write_callback(stream, fill, NULL);
  pa_stream_set_underflow_callback(stream, forget, NULL);
  if (pa_stream_connect_playback(stream, NULL, &buffers, PA_STREAM_ADJUST_LATENCY, NULL, NULL) < 0) fail("no sink");
  while (pa_stream_get_state(stream) != PA_STREAM_READY) {
    if (!PA_STREAM_IS_GOOD(pa_stream_get_state(stream))) fail("no sink");
    pa_mainloop_iterate(loop, 1, NULL);
  }
}

int main(int count, char **words) {
  int seconds = count > 1 ? atoi(words[1]) : 10;
  Display *display = XOpenDisplay(NULL);
  if (!display) fail("no display");
  XSetWindowAttributes look = {.override_redirect = True, .background_pixel = 0};
  Window window = XCreateWindow(display, DefaultRootWindow(display), 0, 0, 640, 360, 0, CopyFromParent, InputOutput,
                                CopyFromParent, CWOverrideRedirect | CWBackPixel, &look);
  GC white = XCreateGC(display, window, 0, NULL);
  XSetForeground(display, white, 0xffffff);
  XMapRaised(display, window);
  XSync(display, False);
  open_sound();
  double spread = 1e9;
  // A sink that was idle takes up to two seconds until its times hold.
  while (measured < history || (origin_ms(&spread), spread > 5)) run_until(now_ms() + 100);
  int first = (int)((now_ms() - origin_ms(NULL)) / 1000) + 2;
  beeps_from = (long long)first * rate;
  for (int second = first; second < first + seconds; second++) {
    run_until(origin_ms(NULL) + second * 1000.0);
    XFillRectangle(display, window, white, 0, 0, 640, 360);
    XSync(display, False);
    double flash = now_ms();
    run_until(flash + flash_ms);
    XClearWindow(display, window);
    XFlush(display);
    // Said now, so that a sound that was torn meanwhile has been noticed.
    if (measured < history) continue;
    printf("%.3f %.3f\n", flash, origin_ms(NULL) + second * 1000.0);
    fflush(stdout);
  }
  return 0;
}
