/* This file shows an alarm's event as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ALARM_JSON_H
#define TRIGGERS_ALARM_JSON_H

#include "base/buf.h"
#include "base/span.h"
#include <stdint.h>

/* Begins the object: what is told of the alarm, an object, stands beside scope and key. */
void alarm_json_write(const char *event_type, struct span scope, struct span key, struct span told,
                      struct buf *out);
/* What only its handler is told; an absent value is null. */
void alarm_json_write_attempt(uint32_t attempt, struct span value, struct buf *out);

#endif
