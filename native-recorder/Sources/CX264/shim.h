// Owns the import of x264's API, and what Swift cannot read from its header by itself: macros that name a function.
#ifndef WORK_SESSIONS_CX264_H
#define WORK_SESSIONS_CX264_H

#include <stdint.h>
#include <x264.h>

static inline x264_t *ws_x264_open(x264_param_t *param) { return x264_encoder_open(param); }

static const int WS_X264_CSP_NV12 = X264_CSP_NV12;
static const int WS_X264_TYPE_IDR = X264_TYPE_IDR;
static const int WS_X264_TYPE_P = X264_TYPE_P;
static const uint8_t WS_X264_CONSTANT = X264_MBINFO_CONSTANT;
static const int WS_X264_LOG_NONE = X264_LOG_NONE;
static const int WS_X264_RC_CQP = X264_RC_CQP;
static const int WS_X264_ME_UMH = X264_ME_UMH;
static const int WS_X264_ME_HEX = X264_ME_HEX;

#endif
