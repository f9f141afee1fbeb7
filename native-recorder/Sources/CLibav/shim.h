// Owns what Swift cannot read from the libav headers by itself: macros that compute a value.
#ifndef WORK_SESSIONS_CLIBAV_H
#define WORK_SESSIONS_CLIBAV_H

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/sha.h>

static const int WS_AVERROR_EAGAIN = AVERROR(EAGAIN);
static const int WS_AVERROR_EOF = AVERROR_EOF;
static const int WS_AV_FLAG_GLOBAL_HEADER = AV_CODEC_FLAG_GLOBAL_HEADER;
static const int WS_AV_PKT_KEY = AV_PKT_FLAG_KEY;

static void ws_av_release_nothing(void *opaque, uint8_t *data) { (void)opaque; (void)data; }

// Lends memory to an AVFrame without giving it away: libav counts references, the owner frees.
static inline AVBufferRef *ws_av_lend(uint8_t *data, size_t size) {
  return av_buffer_create(data, size, ws_av_release_nothing, 0, 0);
}

#endif
