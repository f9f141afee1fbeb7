// Owns what Swift cannot read from the X11 headers by itself: macros, and unions that it imports badly.
#ifndef WORK_SESSIONS_CX11_H
#define WORK_SESSIONS_CX11_H

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <X11/extensions/Xrandr.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static inline int ws_x_connection(Display *display) { return ConnectionNumber(display); }
static inline int ws_x_default_screen(Display *display) { return DefaultScreen(display); }
static inline Window ws_x_root(Display *display) { return DefaultRootWindow(display); }
static inline Visual *ws_x_visual(Display *display) { return DefaultVisual(display, DefaultScreen(display)); }
static inline int ws_x_depth(Display *display) { return DefaultDepth(display, DefaultScreen(display)); }
static inline int ws_x_width(Display *display) { return DisplayWidth(display, DefaultScreen(display)); }
static inline int ws_x_height(Display *display) { return DisplayHeight(display, DefaultScreen(display)); }
static inline void ws_x_destroy_image(XImage *image) { XDestroyImage(image); }

// The two places an XImage of this library points to: the next XShmGetImage fills exactly these bytes.
static inline void ws_x_image_window(XImage *image, char *data, int width, int height) {
  image->data = data;
  image->width = width;
  image->height = height;
  image->bytes_per_line = width * 4;
}

#endif
