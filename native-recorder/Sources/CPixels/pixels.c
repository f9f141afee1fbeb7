// Owns the pixel loops declared in CPixels.h, written so that clang vectorises them.
#include "CPixels.h"

#include <string.h>

// The thread sanitizer cannot bear the resolvers of clones: they run before it is set up.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
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

// Source pixels of a stretch whose rows are summed at once; 48 KB of stack hold what belongs to it.
enum { SPAN = 2048 };

// The weights, in 256ths that add up to 256, of the source pixels under the destination cell `index`: their overlap with
// it. Returns how many there are; the first one's index goes to `start`.
static inline int cell_weights(int index, int from, int to, uint16_t *weights, int *start) {
  const uint64_t left = (((uint64_t)index * (uint64_t)from) << 16) / (uint64_t)to;
  const uint64_t right = (((uint64_t)(index + 1) * (uint64_t)from) << 16) / (uint64_t)to;
  const uint64_t width = right - left;
  uint64_t edge = ((left >> 16) + 1) << 16;
  uint32_t before = 0;
  int count = 0;
  *start = (int)(left >> 16);
  for (;; edge += 65536) {
    uint64_t end = edge < right ? edge : right;
    uint32_t until = (uint32_t)(((end - left) * 256 + width / 2) / width);
    weights[count++] = (uint16_t)(until - before);
    before = until;
    if (edge >= right) return count;
  }
}

// Exactly half: each pixel is the mean of four.
FAST static void halve(const uint8_t *source, ptrdiff_t source_stride, uint8_t *target, ptrdiff_t target_stride, int x,
                       int y, int width, int height) {
  for (int row = y; row < y + height; row++) {
    const uint32_t *top = (const uint32_t *)(source + 2 * row * source_stride) + 2 * x;
    const uint32_t *bottom = (const uint32_t *)((const uint8_t *)top + source_stride);
    uint32_t *out = (uint32_t *)(target + row * target_stride) + x;
    for (int i = 0; i < width; i++) {
      // Two channels at a time in the halves of a word.
      uint32_t a = top[2 * i], b = top[2 * i + 1], c = bottom[2 * i], d = bottom[2 * i + 1];
      uint32_t rb = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff) + 0x20002;
      uint32_t g = ((a >> 8) & 0xff) + ((b >> 8) & 0xff) + ((c >> 8) & 0xff) + ((d >> 8) & 0xff) + 2;
      out[i] = ((rb >> 2) & 0xff00ff) | ((g << 6) & 0xff00) | 0xff000000u;
    }
  }
}

FAST static void average(const uint8_t *source, ptrdiff_t source_stride, int from_width, int from_height,
                         uint8_t *target, ptrdiff_t target_stride, int to_width, int to_height, int x, int y, int width,
                         int height) {
  typedef uint16_t four16 __attribute__((vector_size(8), aligned(8)));
  typedef uint32_t four32 __attribute__((vector_size(16)));
  four16 sums[SPAN];
  uint16_t weights[2 * SPAN + 4], row_weights[SPAN + 2];
  int starts[SPAN], counts[SPAN];
  for (int column = x; column < x + width;) {
    // As many columns as their source pixels fit.
    int used = 0, columns = 0, first = 0, last = 0;
    while (column + columns < x + width && columns < SPAN) {
      int start;
      int count = cell_weights(column + columns, from_width, to_width, weights + used, &start);
      if (columns == 0) first = start;
      // The table has room for one more cell than is taken.
      if (columns > 0 && (start + count - first > SPAN || used + 2 * count > 2 * SPAN)) break;
      starts[columns] = start - first;
      counts[columns++] = count;
      used += count;
      last = start + count;
    }
    const int channels = (last - first) * 4;
    for (int row = y; row < y + height; row++) {
      int top;
      int rows = cell_weights(row, from_height, to_height, row_weights, &top);
      uint16_t *restrict sum = (uint16_t *)sums;
      const uint8_t *in = source + top * source_stride + (ptrdiff_t)first * 4;
      for (int i = 0; i < channels; i++) sum[i] = (uint16_t)(row_weights[0] * in[i]);
      for (int k = 1; k < rows; k++) {
        const uint16_t weight = row_weights[k];
        in += source_stride;
        for (int i = 0; i < channels; i++) sum[i] = (uint16_t)(sum[i] + weight * in[i]);
      }
      uint32_t *out = (uint32_t *)(target + row * target_stride) + column;
      const uint16_t *weight = weights;
      for (int i = 0; i < columns; i++) {
        four32 total = {32768, 32768, 32768, 32768};
        const four16 *cell = sums + starts[i];
        for (int k = 0; k < counts[i]; k++) total += __builtin_convertvector(cell[k], four32) * *weight++;
        total >>= 16;
        out[i] = total[0] | (total[1] << 8) | (total[2] << 16) | 0xff000000u;
      }
    }
    column += columns;
  }
}

void px_shrink_bgrx(const uint8_t *source, ptrdiff_t source_stride, int from_width, int from_height, uint8_t *target,
                    ptrdiff_t target_stride, int to_width, int to_height, int x, int y, int width, int height) {
  // A cell of more pixels than the tables hold would be no picture any more.
  if (from_width / to_width >= SPAN / 2 || from_height / to_height >= SPAN / 2) return;
  if (from_width == 2 * to_width && from_height == 2 * to_height)
    halve(source, source_stride, target, target_stride, x, y, width, height);
  else
    average(source, source_stride, from_width, from_height, target, target_stride, to_width, to_height, x, y, width,
            height);
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

FAST void px_luma_grid(const uint8_t *source, ptrdiff_t stride, int width, int height, int columns, int rows,
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

void px_block_hashes(const uint8_t *source, ptrdiff_t stride, int width, int height, uint64_t *hashes) {
  const int across = (width + 15) / 16;
  for (int top = 0; top < height; top += 16) {
    uint64_t *row_hashes = hashes + (top / 16) * across;
    for (int i = 0; i < across; i++) row_hashes[i] = 0;
    for (int row = top; row < height && row < top + 16; row++) {
      const uint32_t *pixels = (const uint32_t *)(source + row * stride);
      for (int column = 0; column < width; column++) {
        uint64_t *hash = row_hashes + column / 16;
        *hash = (*hash ^ (pixels[column] & 0xffffff)) * 0x9e3779b97f4a7c15u;
        *hash ^= *hash >> 29;
      }
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
