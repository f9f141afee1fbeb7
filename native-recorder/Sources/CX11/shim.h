// Owns what Swift cannot read from the XCB headers by itself: extension variables and lists that follow a reply.
#ifndef WORK_SESSIONS_CX11_H
#define WORK_SESSIONS_CX11_H

#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <xcb/composite.h>
#include <xcb/damage.h>
#include <xcb/randr.h>
#include <xcb/res.h>
#include <xcb/shape.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xcbext.h>
#include <xcb/xfixes.h>

enum ws_x_extension { WS_X_COMPOSITE, WS_X_DAMAGE, WS_X_RANDR, WS_X_RES, WS_X_SHAPE, WS_X_SHM, WS_X_FIXES };

static inline xcb_extension_t *ws_x_extension_id(int which) {
  switch (which) {
  case WS_X_COMPOSITE: return &xcb_composite_id;
  case WS_X_DAMAGE: return &xcb_damage_id;
  case WS_X_RANDR: return &xcb_randr_id;
  case WS_X_RES: return &xcb_res_id;
  case WS_X_SHAPE: return &xcb_shape_id;
  case WS_X_SHM: return &xcb_shm_id;
  default: return &xcb_xfixes_id;
  }
}

// The first event code of an extension, -1 when the server does not have it. A request of a missing extension would
// end the connection.
static inline int ws_x_first_event(xcb_connection_t *connection, int which) {
  const xcb_query_extension_reply_t *data = xcb_get_extension_data(connection, ws_x_extension_id(which));
  return data && data->present ? data->first_event : -1;
}

static inline const xcb_screen_t *ws_x_screen(xcb_connection_t *connection, int number) {
  xcb_screen_iterator_t at = xcb_setup_roots_iterator(xcb_get_setup(connection));
  while (number-- > 0 && at.rem > 1) xcb_screen_next(&at);
  return at.data;
}

// Whether pixels of this depth come as 32 bits, blue first.
static inline int ws_x_is_bgrx(xcb_connection_t *connection, uint8_t depth) {
  const xcb_setup_t *setup = xcb_get_setup(connection);
  if (setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST || (depth != 24 && depth != 32)) return 0;
  for (xcb_format_iterator_t at = xcb_setup_pixmap_formats_iterator(setup); at.rem; xcb_format_next(&at))
    if (at.data->depth == depth) return at.data->bits_per_pixel == 32;
  return 0;
}

static inline int ws_x_is_true_colour(const xcb_screen_t *screen, xcb_visualid_t visual) {
  for (xcb_depth_iterator_t depth = xcb_screen_allowed_depths_iterator(screen); depth.rem; xcb_depth_next(&depth))
    for (xcb_visualtype_iterator_t at = xcb_depth_visuals_iterator(depth.data); at.rem; xcb_visualtype_next(&at))
      if (at.data->visual_id == visual)
        return at.data->red_mask == 0xff0000 && at.data->green_mask == 0xff00 && at.data->blue_mask == 0xff;
  return 0;
}

// The process of the client that made `resource`, as the server knows it; 0 when it does not say.
static inline uint32_t ws_x_client_pid(xcb_res_query_client_ids_reply_t *reply) {
  xcb_res_client_id_value_iterator_t at = xcb_res_query_client_ids_ids_iterator(reply);
  for (; at.rem; xcb_res_client_id_value_next(&at))
    if ((at.data->spec.mask & XCB_RES_CLIENT_ID_MASK_LOCAL_CLIENT_PID) &&
        xcb_res_client_id_value_value_length(at.data) > 0)
      return *xcb_res_client_id_value_value(at.data);
  return 0;
}

#endif
