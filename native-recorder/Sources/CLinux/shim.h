// Owns Linux calls that Swift's Glibc module leaves out.
#ifndef WORK_SESSIONS_CLINUX_H
#define WORK_SESSIONS_CLINUX_H

#include <linux/videodev2.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static inline int ws_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void ws_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// Video4Linux: request numbers are macros of the kernel's own structs, and so are their sizes.
static const unsigned long WS_VIDIOC_QUERYCAP = VIDIOC_QUERYCAP;
static const unsigned long WS_VIDIOC_ENUM_FMT = VIDIOC_ENUM_FMT;
static const unsigned long WS_VIDIOC_ENUM_FRAMESIZES = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long WS_VIDIOC_ENUM_FRAMEINTERVALS = VIDIOC_ENUM_FRAMEINTERVALS;
static const unsigned long WS_VIDIOC_S_FMT = VIDIOC_S_FMT;
static const unsigned long WS_VIDIOC_S_PARM = VIDIOC_S_PARM;
static const unsigned long WS_VIDIOC_REQBUFS = VIDIOC_REQBUFS;
static const unsigned long WS_VIDIOC_QUERYBUF = VIDIOC_QUERYBUF;
static const unsigned long WS_VIDIOC_QBUF = VIDIOC_QBUF;
static const unsigned long WS_VIDIOC_DQBUF = VIDIOC_DQBUF;
static const unsigned long WS_VIDIOC_STREAMON = VIDIOC_STREAMON;
static const unsigned long WS_VIDIOC_STREAMOFF = VIDIOC_STREAMOFF;

static const unsigned WS_V4L2_YUYV = V4L2_PIX_FMT_YUYV;
static const unsigned WS_V4L2_NV12 = V4L2_PIX_FMT_NV12;
static const unsigned WS_V4L2_MJPEG = V4L2_PIX_FMT_MJPEG;
static const unsigned WS_V4L2_JPEG = V4L2_PIX_FMT_JPEG;
static const unsigned WS_V4L2_CAPTURE = V4L2_BUF_TYPE_VIDEO_CAPTURE;
static const unsigned WS_V4L2_MMAP = V4L2_MEMORY_MMAP;

static inline int ws_ioctl(int file, unsigned long request, void *argument) { return ioctl(file, request, argument); }

#endif
