/* This file is the only speller of record keys and of small record values outside `state`. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_SPACE_H
#define ENGINE_DURABLE_SPACE_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Numbers in keys are eight bytes, big end first, so that keys sort as their numbers do.
 * Names in keys hold no NUL byte; where a number or another name follows, a NUL ends the first.
 * Values begin with a format byte; what follows is written with space_put_* and read back with a
 * space_reader. Numbers in values are little-endian.
 *
 *   space    part         key
 *   job      trigger id   seq
 *   dead     (empty)      seq, rest of the delivery id behind the event: "trigger id[/r1]"
 *   trigger  (empty)      id NUL version
 *   alarm    scope        key NUL name
 *   alarm    (empty)      id of a call for later
 *   window   trigger id   version (the mark) | version, seq of the event that opened it |
 *                         version, "t", group (when a throttle lets it start again)
 *   idem     "key"        idempotency key
 *   idem     "time"       time (ms) when it expires, idempotency key
 *   secret   "token"      name of the token
 *   meta     (empty)      "cursor" | "cursor/" trigger id NUL version | "cron/" trigger id
 */
enum { SPACE_KEY_MAX = 2048, SPACE_NUMBER_LEN = 8 };

/* Where a key is spelt: on the stack of who asks, alive as long as the key is used. */
struct space_key {
	char bytes[SPACE_KEY_MAX];
};

void space_put_number(char out[SPACE_NUMBER_LEN], uint64_t number);
uint64_t space_get_number(const char bytes[SPACE_NUMBER_LEN]);

/* The part is borrowed, the key is spelt in `room`. Names are at most 1,024 bytes. */
struct record_key space_job(struct space_key *room, struct span trigger_id, uint64_t seq);
struct record_key space_dead(struct space_key *room, uint64_t seq, struct span rest);
struct record_key space_trigger(struct space_key *room, struct span id, uint64_t version);
struct record_key space_alarm(struct space_key *room, struct span scope, struct span key,
                              struct span name);
struct record_key space_later(struct span id); /* borrowed */
/* Each version of a trigger has one mark, which sorts before its windows. */
struct record_key space_mark(struct space_key *room, struct span trigger_id, uint64_t version);
struct record_key space_window(struct space_key *room, struct span trigger_id, uint64_t version,
                               uint64_t first_seq);
/* Of a throttle: when it lets something start again. */
struct record_key space_pace(struct space_key *room, struct span trigger_id, uint64_t version,
                             uint64_t group);
struct record_key space_cursor(void);
struct record_key space_replays(void);
/* how many there have been */ /* the shared one of all live triggers */
struct record_key space_cursor_of(struct space_key *room, struct span trigger_id, uint64_t version);
bool space_is_cursor(struct span key); /* of a record of meta */

/* When a cron trigger fired last, whatever its version. */
struct record_key space_cron(struct space_key *room, struct span trigger_id);
struct adapter_range space_crons(void);                      /* all of them */
bool space_parse_cron(struct span key, struct span *out_id); /* false: it is something else */

struct record_key space_idem(struct span key);     /* borrowed, as the next one */
struct record_key space_idem_row(struct span row); /* of the times, as a scan gives it */
struct record_key space_idem_time(struct space_key *room, uint64_t expires_ms, struct span key);
struct adapter_range space_idem_times(void); /* all of them */

struct record_key space_token(struct span name); /* borrowed */
struct adapter_range space_tokens(void);         /* all of them */

/* Take a stored key apart; E_DAMAGED if it is not one of its kind. Spans point into `key`. */
int space_parse_job(struct span key, uint64_t *out_seq, struct err *err);
int space_parse_idem_time(struct span row, uint64_t *out_expires_ms, struct span *out_key,
                          struct err *err);
int space_parse_trigger(struct span key, struct span *out_id, uint64_t *out_version,
                        struct err *err);
enum space_window_kind { SPACE_MARK, SPACE_OPEN_WINDOW, SPACE_PACE };
/* *out_number is the seq or the group; of a mark 0. */
int space_parse_window(struct span key, enum space_window_kind *out_kind, uint64_t *out_version,
                       uint64_t *out_number, struct err *err);
/* The id is absent for the shared one. */
int space_parse_cursor(struct span key, struct span *out_id, uint64_t *out_version,
                       struct err *err);
int space_parse_alarm(struct span key, struct span *out_key, struct span *out_name,
                      struct err *err);

/* ---- values ---- */

void space_put_u8(struct buf *out, uint8_t value);
void space_put_u32(struct buf *out, uint32_t value);
void space_put_u64(struct buf *out, uint64_t value);
void space_put_varint(struct buf *out, uint64_t value);  /* 7 bits a byte, low ones first */
void space_put_span(struct buf *out, struct span bytes); /* absent stays absent */

/* The JSON behind the format byte of a value that is text: E_VERSION with `code` if the byte is not
 * `format`. `what` begins the sentence: "a trigger's record". */
int space_json(struct span value, char format, const char *what, const char *code, struct span *out,
               struct err *err);

/* Reads never leave the bytes: the first one that would makes all later ones give 0 or an absent
 * span, and the end says E_DAMAGED. So a decoder reads everything and checks once. */
struct space_reader {
	const char *at;
	const char *end;
	bool is_damaged;
};

/* Reads the format byte: E_VERSION if it is above `newest`, E_DAMAGED if there is none or it is 0.
 * `what` names the record in the text: "job". */
int space_reader_init(struct space_reader *reader, struct span value, uint8_t newest,
                      const char *what, struct err *err);
uint8_t space_get_u8(struct space_reader *reader);
uint32_t space_get_u32(struct space_reader *reader);
uint64_t space_get_u64(struct space_reader *reader);
uint64_t space_get_varint(struct space_reader *reader);
struct span space_get_span(struct space_reader *reader); /* points into the value */
/* 0, or E_DAMAGED if a read failed or bytes are left. */
int space_reader_end(const struct space_reader *reader, const char *what, struct err *err);

#endif
