/* This file asks the engine to turn its clock, until that is where it should be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/turn.h"

#include "base/buf.h"
#include "base/field_row.h"
#include "base/id.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/remote.h"
#include <stdio.h>

static const struct field duration = {.name = "duration", .kind = FIELD_DURATION};

static int64_t number(struct span object, const char *name)
{
	struct span value;
	int64_t number = 0;
	if (json_get(object, span_of(name), &value)) {
		(void)json_int64(value, &number);
	}
	return number;
}

static bool is_true(struct span object, const char *name)
{
	struct span value;
	return json_get(object, span_of(name), &value) && json_is_true(value);
}

void turn_show(struct span answer)
{
	struct buf reached = {0};
	struct span value;
	if (json_get(answer, SPAN("reached"), &value)) {
		json_string(value, &reached);
	}
	printf("%.*s: %lld alarms fired, %lld deliveries run, %lld wait\n",
	       SPAN_ARG(buf_view(&reached)), (long long)number(answer, "fired"),
	       (long long)number(answer, "running"), (long long)number(answer, "waiting"));
	(void)fflush(stdout);
	buf_free(&reached);
}

/* It goes on as long as alarms fire on the way. */
static int turn(const struct invocation *invocation, struct span to)
{
	struct buf answer = {0};
	struct buf body = {0};
	bool more = true;
	int code = EXIT_DONE;
	buf_format(&body, "{\"to\":%.*s}", SPAN_ARG(to));
	while (code == EXIT_DONE && more) {
		buf_clear(&answer);
		code = remote_fetch(invocation, "POST", SPAN("/v1/clock/advance"), buf_view(&body),
		                    &answer);
		struct span value = buf_view(&answer);
		if (code == EXIT_DONE) {
			remote_show(invocation, value);
			more = is_true(value, "more");
			if (more && !is_true(value, "at_rest")) {
				(void)fprintf(stderr, "pawl: the engine does not come to rest\n");
				code = EXIT_FAILED;
			}
		}
	}
	buf_free(&answer);
	buf_free(&body);
	return code;
}

int turn_advance(const struct invocation *invocation)
{
	int64_t by_ms = 0;
	if (!field_parse(&duration, span_of(invocation->args[0]), &by_ms)) {
		return command_wrong(invocation, "this is no duration such as 90s, 15m, 24h or 7d:",
		                     invocation->args[0]);
	}
	struct buf answer = {0};
	struct buf to = {0};
	int code = remote_fetch(invocation, "GET", SPAN("/v1/clock"), SPAN_NONE, &answer);
	if (code == EXIT_DONE) {
		int64_t now_ms = number(buf_view(&answer), "now_ms");
		buf_format(&to, "%lld",
		           (long long)(by_ms < INT64_MAX - now_ms ? now_ms + by_ms : INT64_MAX));
		code = turn(invocation, buf_view(&to));
	}
	buf_free(&answer);
	buf_free(&to);
	return code;
}

int turn_to(const struct invocation *invocation)
{
	struct span given = span_of(invocation->args[0]);
	struct buf to = {0};
	uint64_t ms;
	if (id_parse_uint(given, &ms)) {
		buf_span(&to, given);
	} else {
		json_write_string(&to, given);
	}
	int code = turn(invocation, buf_view(&to));
	buf_free(&to);
	return code;
}
