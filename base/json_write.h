/* This file writes JSON text from plain values. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Plain bytes go in as UTF-8; a byte that is not part of UTF-8 is written as U+FFFD. */
void json_write_string(struct buf *out, struct span plain);
/* What stands before an item: `,` unless the last byte is an opening bracket. */
void json_write_comma(struct buf *out);
/* Writes `,` unless the last byte is an opening bracket, then "name":  */
void json_write_name(struct buf *out, const char *name);
void json_write_member_string(struct buf *out, const char *name, struct span plain);
void json_write_member_raw(struct buf *out, const char *name, struct span value);
void json_write_member_int(struct buf *out, const char *name, int64_t value);
void json_write_member_uint(struct buf *out, const char *name, uint64_t value);
void json_write_member_bool(struct buf *out, const char *name, bool value);

#endif
