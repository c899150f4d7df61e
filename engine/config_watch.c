/* This file holds the table of the config's section `watch`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_table.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

const struct field config_watch_fields[] = {
        {.name = "heartbeat",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config, watch.heartbeat),
         .otherwise = "15s",
         .min = 100,
         .max = HOUR,
         .change = FIELD_LIVE,
         .help = "A stream on which nothing happens gets a comment at least this often, so that "
                 "proxies keep it and a peer that has gone is found."},
        {.name = "retry",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config, watch.retry),
         .otherwise = "1s",
         .min = 1,
         .max = HOUR,
         .change = FIELD_LIVE,
         .help = "How long clients are told to wait before they connect again."},
        {.name = NULL},
};
