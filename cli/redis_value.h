/* This file turns the values of Redis into JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REDIS_VALUE_H
#define CLI_REDIS_VALUE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

struct redisReply;

enum { REDIS_VALUE_WORDS = 5 };

/* How the values of one type are read and written. */
struct redis_form;

/* By what TYPE says; NULL: that type has none. */
const struct redis_form *redis_value_form(struct span type);
/* The words of the command that reads the value; their count. */
int redis_value_command(const struct redis_form *form, struct span key,
                        const char *words[REDIS_VALUE_WORDS], size_t lens[REDIS_VALUE_WORDS]);
/* Appends the value; *out_encoding (as in upload.h) is how it is meant. NULL; "" when the key is
 * gone meanwhile; else what is wrong with it. */
const char *redis_value_write(const struct redis_form *form, const struct redisReply *reply,
                              struct buf *out, struct span *out_encoding);

bool redis_value_is_text(struct span bytes); /* UTF-8 */
/* The name of a key for a message: bytes that are no text as \xff. */
void redis_value_quote(struct span name, struct buf *out);
/* When a key ends that has so long left. */
int64_t redis_value_end_ms(int64_t left_ms);

#endif
