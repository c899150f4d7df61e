/* This file begins and ends pauses, and spells them for the record of the trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/pause.h"

#include "base/clock.h"
#include "base/json.h"
#include <string.h>

static void keep_reason(struct pause *pause, struct span reason)
{
	size_t len = reason.len < PAUSE_REASON_MAX ? reason.len : PAUSE_REASON_MAX;
	while (len < reason.len && len > 0 && ((unsigned char)reason.ptr[len] & 0xc0) == 0x80) {
		len--;
	}
	if (len != 0) {
		memcpy(pause->reason, reason.ptr, len);
	}
	pause->reason[len] = '\0';
}

void pause_begin(struct pause *pause, enum trigger_pause mode, struct span reason,
                 uint64_t next_seq)
{
	if (!pause->is_on) {
		pause->since_ms = clock_wall_ms();
	}
	bool drops_already = pause->is_on && pause->mode == PAUSE_DROP;
	if (mode == PAUSE_DROP && !drops_already) {
		pause->drop_from = next_seq;
		pause->drop_until = 0;
	} else if (mode == PAUSE_HOLD && drops_already) {
		pause->drop_until = next_seq;
	}
	pause->is_on = true;
	pause->mode = mode;
	keep_reason(pause, reason);
}

void pause_end(struct pause *pause, uint64_t next_seq)
{
	if (pause->is_on && pause->mode == PAUSE_DROP) {
		pause->drop_until = next_seq;
	}
	pause->is_on = false;
	pause->since_ms = 0;
	pause->reason[0] = '\0';
}

static const char *const mode_names[] = {[PAUSE_HOLD] = "hold", [PAUSE_DROP] = "drop"};

const char *pause_mode_name(enum trigger_pause mode)
{
	return mode_names[mode];
}

bool pause_mode_parse(struct span word, enum trigger_pause *out)
{
	for (enum trigger_pause mode = PAUSE_HOLD; mode <= PAUSE_DROP; mode++) {
		if (span_is(word, mode_names[mode])) {
			*out = mode;
			return true;
		}
	}
	return false;
}

void pause_encode(const struct pause *pause, struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_bool(out, "on", pause->is_on);
	json_write_member_uint(out, "mode", pause->mode);
	json_write_member_int(out, "since_ms", pause->since_ms);
	json_write_member_uint(out, "drop_from", pause->drop_from);
	json_write_member_uint(out, "drop_until", pause->drop_until);
	json_write_member_string(out, "reason", span_of(pause->reason));
	buf_byte(out, '}');
}

bool pause_decode(struct span json, struct pause *out)
{
	enum { ON, MODE, SINCE, DROP_FROM, DROP_UNTIL, REASON, COUNT };
	static const struct span names[COUNT] = {{"on", 2},          {"mode", 4},
	                                         {"since_ms", 8},    {"drop_from", 9},
	                                         {"drop_until", 10}, {"reason", 6}};
	struct span found[COUNT];
	struct pause pause = {0};
	uint64_t mode = 0;
	if (json.len == 0) {
		*out = pause;
		return true;
	}
	if (json_kind(json) != JSON_OBJECT) {
		return false;
	}
	json_get_many(json, names, COUNT, found);
	bool good = json_uint64(found[MODE], &mode) && mode <= PAUSE_DROP &&
	            json_int64(found[SINCE], &pause.since_ms) &&
	            json_uint64(found[DROP_FROM], &pause.drop_from) &&
	            json_uint64(found[DROP_UNTIL], &pause.drop_until) && found[REASON].ptr != NULL;
	if (!good) {
		return false;
	}
	struct buf text = {0};
	pause.is_on = json_is_true(found[ON]);
	pause.mode = (enum trigger_pause)mode;
	keep_reason(&pause, json_copy_text(found[REASON], &text));
	buf_free(&text);
	*out = pause;
	return true;
}
