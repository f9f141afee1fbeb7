// Owns the pixel loops: colour conversion with change detection, scaling, blending, hashing grids. Pure functions on
// memory; no allocation, no platform. Pixels are BGRX/BGRA, 8 bits each, rows `stride` bytes apart.
#ifndef WORK_SESSIONS_CPIXELS_H
#define WORK_SESSIONS_CPIXELS_H

#include <stddef.h>
#include <stdint.h>

// Converts the rectangle (x, y, width, height; all even) of a BGRX picture to NV12, BT.709 limited range
// (ITU-R BT.709-6: Kr 0.2126, Kb 0.0722), chroma averaged over 2x2. Marks in `changed` (one byte for each 16x16
// block, `blocks_per_row` to a row) every block in which a sample really differs from what the planes held.
// Returns 1 when anything differed.
int px_bgrx_to_nv12(const uint8_t *source, ptrdiff_t source_stride, uint8_t *luma, ptrdiff_t luma_stride,
                    uint8_t *chroma, ptrdiff_t chroma_stride, int x, int y, int width, int height, uint8_t *changed,
                    int blocks_per_row);

// Scales down the destination rectangle (x, y, width, height) of a picture of `to_width` x `to_height` from one of
// `from_width` x `from_height`: each pixel is the mean of all source pixels that it covers, weighted by their overlap
// (256ths, in each direction). Nothing is enlarged; `source` and `target` point to the pictures' first pixels.
void px_shrink_bgrx(const uint8_t *source, ptrdiff_t source_stride, int from_width, int from_height, uint8_t *target,
                    ptrdiff_t target_stride, int to_width, int to_height, int x, int y, int width, int height);

// Blends `width` x `height` pixels of premultiplied ARGB (Porter-Duff over) onto a BGRX picture.
void px_blend_over(const uint32_t *premultiplied, ptrdiff_t pixels_per_row, uint8_t *target, ptrdiff_t target_stride,
                   int width, int height);

// Averages luma over a grid of `columns` x `rows` cells; reads every second pixel and row.
void px_luma_grid(const uint8_t *source, ptrdiff_t stride, int width, int height, int columns, int rows,
                  uint32_t *averages_256);

// One hash for each block of 16x16 pixels, row by row, of their colours; blocks at the edges are smaller. Different
// pixels give different hashes as far as chance allows (multiplication by the golden ratio of 2^64: Knuth, The Art of
// Computer Programming, 6.4).
void px_block_hashes(const uint8_t *source, ptrdiff_t stride, int width, int height, uint64_t *hashes);

// BGRX to RGB, three bytes a pixel, for PNG.
void px_bgrx_to_rgb(const uint8_t *source, ptrdiff_t source_stride, uint8_t *target, ptrdiff_t target_stride,
                    int width, int height);

#endif
