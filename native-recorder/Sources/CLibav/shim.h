// Owns what Swift cannot read from the libav headers by itself: macros that compute a value.
#ifndef WORK_SESSIONS_CLIBAV_H
#define WORK_SESSIONS_CLIBAV_H

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/sha.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

static const int WS_AVERROR_EAGAIN = AVERROR(EAGAIN);
static const int WS_AVERROR_EOF = AVERROR_EOF;
static const int WS_SWS_BILINEAR = SWS_BILINEAR;
static const int64_t WS_AV_NOPTS = AV_NOPTS_VALUE;
static const int WS_AV_FLAG_GLOBAL_HEADER = AV_CODEC_FLAG_GLOBAL_HEADER;
static const int WS_AV_PKT_KEY = AV_PKT_FLAG_KEY;

static const int WS_AVERROR_INVALIDDATA = AVERROR_INVALIDDATA;
static const int WS_AV_PKT_CORRUPT = AV_PKT_FLAG_CORRUPT;
static const int WS_AV_DISABLE_TIMESTAMP_SHIFT = AVFMT_AVOID_NEG_TS_DISABLED;

// avpriv_new_chapter is not for users of the library; a muxer takes chapters that were put together like this.
static inline int ws_av_add_chapter(
    AVFormatContext *movie, int64_t id, int64_t start_ms, int64_t end_ms, const char *title) {
  AVChapter *chapter = av_mallocz(sizeof(AVChapter));
  if (!chapter) return AVERROR(ENOMEM);
  chapter->id = id;
  chapter->time_base = (AVRational){1, 1000};
  chapter->start = start_ms;
  chapter->end = end_ms;
  av_dict_set(&chapter->metadata, "title", title, 0);
  int result = av_dynarray_add_nofree(&movie->chapters, (int *)&movie->nb_chapters, chapter);
  if (result < 0) {
    av_dict_free(&chapter->metadata);
    av_free(chapter);
  }
  return result;
}

static void ws_av_release_nothing(void *opaque, uint8_t *data) { (void)opaque; (void)data; }

// Lends memory to an AVFrame without giving it away: libav counts references, the owner frees.
static inline AVBufferRef *ws_av_lend(uint8_t *data, size_t size) {
  return av_buffer_create(data, size, ws_av_release_nothing, 0, 0);
}

#endif
