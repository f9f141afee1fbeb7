// Owns the pixel loops declared in CPixels.h, written so that clang vectorises them.
#include "CPixels.h"

#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define FAST __attribute__((target_clones("avx2", "default")))
#else
#define FAST
#endif

static inline uint8_t luma_of(uint32_t pixel) {
  uint32_t b = pixel & 255, g = (pixel >> 8) & 255, r = (pixel >> 16) & 255;
  return (uint8_t)((47 * r + 157 * g + 16 * b + 128 + 16 * 256) >> 8);
}

FAST int px_bgrx_to_nv12(const uint8_t *source, ptrdiff_t source_stride, uint8_t *luma, ptrdiff_t luma_stride,
                         uint8_t *chroma, ptrdiff_t chroma_stride, int x, int y, int width, int height,
                         uint8_t *changed, int blocks_per_row) {
  int any = 0;
  for (int row = y; row < y + height; row += 2) {
    const uint8_t *top_row = source + row * source_stride;
    const uint8_t *bottom_row = top_row + source_stride;
    uint8_t *luma_top = luma + row * luma_stride;
    uint8_t *luma_bottom = luma_top + luma_stride;
    uint8_t *chroma_row = chroma + (row / 2) * chroma_stride;
    uint8_t *changed_row = changed + (row / 16) * blocks_per_row;
    int column = x;
    while (column < x + width) {
      // One 16x2 strip at a time, ending on a block's edge, so that a difference is booked to one block.
      int end = (column / 16 + 1) * 16;
      if (end > x + width) end = x + width;
      int count = end - column;
      uint32_t top[16], bottom[16];
      uint8_t new_luma[32], new_chroma[16];
      if (count < 16) {
        memset(top, 0, sizeof top);
        memset(bottom, 0, sizeof bottom);
        memcpy(top, top_row + column * 4, (size_t)count * 4);
        memcpy(bottom, bottom_row + column * 4, (size_t)count * 4);
      } else {
        memcpy(top, top_row + column * 4, 64);
        memcpy(bottom, bottom_row + column * 4, 64);
      }
      for (int i = 0; i < 16; i++) new_luma[i] = luma_of(top[i]);
      for (int i = 0; i < 16; i++) new_luma[16 + i] = luma_of(bottom[i]);
      uint32_t sum_rb[16], sum_g[16];
      for (int i = 0; i < 16; i++) {
        sum_rb[i] = (top[i] & 0xff00ff) + (bottom[i] & 0xff00ff);
        sum_g[i] = ((top[i] >> 8) & 255) + ((bottom[i] >> 8) & 255);
      }
      for (int i = 0; i < 8; i++) {
        uint32_t rb = sum_rb[2 * i] + sum_rb[2 * i + 1];
        int32_t r = (int32_t)(((rb >> 16) + 2) >> 2), b = (int32_t)(((rb & 0xffff) + 2) >> 2);
        int32_t g = (int32_t)((sum_g[2 * i] + sum_g[2 * i + 1] + 2) >> 2);
        new_chroma[2 * i] = (uint8_t)(((112 * b - 26 * r - 86 * g + 128) >> 8) + 128);
        new_chroma[2 * i + 1] = (uint8_t)(((112 * r - 102 * g - 10 * b + 128) >> 8) + 128);
      }
      size_t bytes = (size_t)count;
      if (memcmp(luma_top + column, new_luma, bytes) || memcmp(luma_bottom + column, new_luma + 16, bytes) ||
          memcmp(chroma_row + column, new_chroma, bytes)) {
        memcpy(luma_top + column, new_luma, bytes);
        memcpy(luma_bottom + column, new_luma + 16, bytes);
        memcpy(chroma_row + column, new_chroma, bytes);
        changed_row[column / 16] = 1;
        any = 1;
      }
      column = end;
    }
  }
  return any;
}

void px_shrink_bgrx(const uint8_t *source, ptrdiff_t source_stride, int from_width, int from_height, uint8_t *target,
                    ptrdiff_t target_stride, int to_width, int to_height, int x, int y, int width, int height) {
  // 16.16 steps: cell edges in source pixels; the weights of a cell's pixels are their overlap with it.
  const uint64_t step_x = ((uint64_t)from_width << 16) / (uint64_t)to_width;
  const uint64_t step_y = ((uint64_t)from_height << 16) / (uint64_t)to_height;
  for (int row = y; row < y + height; row++) {
    uint64_t top = (uint64_t)row * step_y, bottom = top + step_y;
    uint32_t *out = (uint32_t *)(target + row * target_stride);
    for (int column = x; column < x + width; column++) {
      uint64_t left = (uint64_t)column * step_x, right = left + step_x;
      uint64_t b = 0, g = 0, r = 0, total = 0;
      for (uint64_t sy = top >> 16; (sy << 16) < bottom && sy < (uint64_t)from_height; sy++) {
        uint64_t y0 = (sy << 16) > top ? (sy << 16) : top, y1 = ((sy + 1) << 16) < bottom ? ((sy + 1) << 16) : bottom;
        uint64_t weight_y = (y1 - y0) >> 8;
        const uint32_t *in = (const uint32_t *)(source + (ptrdiff_t)sy * source_stride);
        for (uint64_t sx = left >> 16; (sx << 16) < right && sx < (uint64_t)from_width; sx++) {
          uint64_t x0 = (sx << 16) > left ? (sx << 16) : left;
          uint64_t x1 = ((sx + 1) << 16) < right ? ((sx + 1) << 16) : right;
          uint64_t weight = weight_y * ((x1 - x0) >> 8);
          uint32_t pixel = in[sx];
          b += weight * (pixel & 255);
          g += weight * ((pixel >> 8) & 255);
          r += weight * ((pixel >> 16) & 255);
          total += weight;
        }
      }
      if (total == 0) total = 1;
      uint64_t half = total / 2;
      out[column] = (uint32_t)((b + half) / total) | ((uint32_t)((g + half) / total) << 8) |
                    ((uint32_t)((r + half) / total) << 16) | 0xff000000u;
    }
  }
}

void px_blend_over(const uint32_t *premultiplied, ptrdiff_t pixels_per_row, uint8_t *target, ptrdiff_t target_stride,
                   int width, int height) {
  for (int row = 0; row < height; row++) {
    const uint32_t *in = premultiplied + row * pixels_per_row;
    uint8_t *out = target + row * target_stride;
    for (int column = 0; column < width; column++) {
      uint32_t pixel = in[column], keep = 255 - (pixel >> 24);
      for (int channel = 0; channel < 3; channel++) {
        uint32_t value = ((pixel >> (8 * channel)) & 255) + (out[column * 4 + channel] * keep + 127) / 255;
        out[column * 4 + channel] = (uint8_t)(value > 255 ? 255 : value);
      }
    }
  }
}

void px_luma_grid(const uint8_t *source, ptrdiff_t stride, int width, int height, int columns, int rows,
                  uint32_t *averages_256) {
  for (int row = 0; row < rows; row++) {
    int top = (int)((int64_t)height * row / rows), bottom = (int)((int64_t)height * (row + 1) / rows);
    for (int column = 0; column < columns; column++) {
      int left = (int)((int64_t)width * column / columns), right = (int)((int64_t)width * (column + 1) / columns);
      uint64_t sum = 0;
      uint64_t count = 0;
      for (int y = top; y < bottom; y += 2) {
        const uint32_t *line = (const uint32_t *)(source + y * stride);
        uint32_t line_sum = 0;
        for (int x = left; x < right; x += 2) line_sum += luma_of(line[x]);
        sum += line_sum;
        count += (uint64_t)((right - left + 1) / 2);
      }
      averages_256[row * columns + column] = count ? (uint32_t)(sum * 256 / count) : 0;
    }
  }
}

FAST void px_bgrx_to_rgb(const uint8_t *source, ptrdiff_t source_stride, uint8_t *target, ptrdiff_t target_stride,
                         int width, int height) {
  for (int row = 0; row < height; row++) {
    const uint8_t *in = source + row * source_stride;
    uint8_t *out = target + row * target_stride;
    for (int column = 0; column < width; column++) {
      out[column * 3] = in[column * 4 + 2];
      out[column * 3 + 1] = in[column * 4 + 1];
      out[column * 3 + 2] = in[column * 4];
    }
  }
}
