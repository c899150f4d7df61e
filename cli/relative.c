/* This file tells times by how far away they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/relative.h"

#include "base/clock.h"
#include "base/json.h"
#include "triggers/expr/moment_read.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, FAR_DAYS = 60 };

/* The largest unit that fits, and the next one beside it while the first is small. */
static const struct {
	int64_t ms;
	const char *name;
	int64_t part_ms;
	const char *part;
} units[] = {
        {DAY, "d", HOUR, "h"},
        {HOUR, "h", MINUTE, "m"},
        {MINUTE, "m", SECOND, "s"},
        {SECOND, "s", 0, NULL},
};

bool relative_read(struct span value, int64_t *out_ms)
{
	struct buf text = {0};
	int64_t seconds;
	uint32_t nanos;
	if (json_kind(value) == JSON_NUMBER) {
		return json_int64(value, out_ms);
	}
	if (json_kind(value) != JSON_STRING) {
		return false;
	}
	json_string(value, &text);
	bool is_time = moment_read_timestamp(buf_view(&text), &seconds, &nanos) == 0;
	if (is_time) {
		*out_ms = seconds * 1000 + nanos / 1000000;
	}
	buf_free(&text);
	return is_time;
}

void relative_write_exact(int64_t at_ms, struct buf *out)
{
	char text[CLOCK_TEXT_LEN + 1];
	bool is_plain = at_ms >= 0 && at_ms <= CLOCK_MOST_MS;
	if (!is_plain) {
		buf_int(out, at_ms);
		return;
	}
	clock_format(at_ms, text);
	buf_add(out, text, CLOCK_TEXT_LEN);
}

static void write_span(int64_t ms, struct buf *out)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (ms < units[i].ms) {
			continue;
		}
		int64_t count = ms / units[i].ms;
		buf_format(out, "%lld %s", (long long)count, units[i].name);
		int64_t rest = units[i].part_ms ? ms % units[i].ms / units[i].part_ms : 0;
		if (count < 10 && rest != 0) {
			buf_format(out, " %lld %s", (long long)rest, units[i].part);
		}
		return;
	}
}

void relative_write(int64_t at_ms, int64_t now_ms, struct buf *out)
{
	int64_t away_ms = at_ms > now_ms ? at_ms - now_ms : now_ms - at_ms;
	if (at_ms < 0 || away_ms > (int64_t)FAR_DAYS * DAY) {
		relative_write_exact(at_ms, out);
	} else if (away_ms < SECOND) {
		BUF_LITERAL(out, "now");
	} else if (at_ms > now_ms) {
		BUF_LITERAL(out, "in ");
		write_span(away_ms, out);
	} else {
		write_span(away_ms, out);
		BUF_LITERAL(out, " ago");
	}
}
