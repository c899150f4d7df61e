/* This file defines the id by which everybody knows an event. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EVENT_ID_H
#define TRIGGERS_EVENT_ID_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* An event's id is "<log>-<epoch>-<seq>"; `log` is the name of the journal. */
void event_write_id(struct span log, uint64_t epoch, uint64_t seq, struct buf *out);
/* Takes an id apart; false if it is not one. */
bool event_parse_id(struct span id, struct span *out_log, uint64_t *out_epoch, uint64_t *out_seq);

#endif
