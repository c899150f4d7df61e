/* This file reads what a handler says of its delivery: done, later, never, or these of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/verdict.h"

#include "base/json.h"
#include "triggers/event.h"

enum { RETRY_AFTER_MAX_MS = 2000000000 /* 23 days */ };

/* False: it says nothing. */
static bool find_steering(struct span result, struct span *out)
{
	return result.len >= 9 && result.ptr[0] == '{' && json_get(result, SPAN("$pawl"), out) &&
	       json_kind(*out) == JSON_OBJECT;
}

static void steer(struct span steering, struct attempt_end *end, struct buf *text)
{
	static const struct span names[3] = {{"retry_after_ms", 14}, {"fail", 4}, {"reason", 6}};
	struct span found[3];
	int64_t wait_ms;
	json_get_many(steering, names, 3, found);
	if (json_is_true(found[1])) {
		end->verdict = VERDICT_BURY;
		end->code = SPAN("handler_gave_up");
		end->message = SPAN("the handler said that trying again is of no use");
		if (found[2].ptr != NULL && json_kind(found[2]) == JSON_STRING) {
			end->message = json_plain(found[2], text);
		}
		return;
	}
	if (found[0].ptr != NULL && json_int64(found[0], &wait_ms) && wait_ms >= 0) {
		wait_ms = wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
		end->verdict = VERDICT_RETRY;
		end->code = SPAN("handler_asked_to_wait");
		end->message = SPAN("the handler asked to be called again later");
		end->retry_after_ms = wait_ms;
	}
}

void verdict_read(struct span result, struct attempt_end *end, struct buf *text)
{
	struct span steering;
	if (find_steering(result, &steering)) {
		steer(steering, end, text);
	}
}

/* ---- batches ---- */

/* An event id, or {"id", "reason"}. */
static struct span id_of(struct span named, struct span *out_reason)
{
	static const struct span names[2] = {{"id", 2}, {"reason", 6}};
	struct span found[2] = {named, SPAN_NONE};
	if (json_kind(named) == JSON_OBJECT) {
		json_get_many(named, names, 2, found);
	}
	*out_reason =
	        found[1].ptr != NULL && json_kind(found[1]) == JSON_STRING ? found[1] : SPAN_NONE;
	return found[0].ptr != NULL && json_kind(found[0]) == JSON_STRING ? found[0] : SPAN_NONE;
}

static bool mark(const struct parcel *parcel, struct span id, bool failed[])
{
	struct buf text = {0};
	struct span log;
	uint64_t epoch;
	uint64_t seq;
	bool found = id.ptr != NULL && event_parse_id(json_plain(id, &text), &log, &epoch, &seq) &&
	             span_equal(log, parcel->log) && seq != 0;
	size_t at = 0;
	while (found && at < parcel->count &&
	       (parcel->items[at].seq != seq || parcel->items[at].epoch != epoch)) {
		at++;
	}
	found = found && at < parcel->count;
	if (found) {
		failed[at] = true;
	}
	buf_free(&text);
	return found;
}

/* What it said is of no use: the whole has failed. */
static void refuse(struct attempt_end *end, struct span named, struct buf *text)
{
	enum { SHOWN = 80 };
	end->verdict = VERDICT_RETRY;
	end->code = SPAN("invalid_answer");
	buf_clear(text);
	if (named.ptr == NULL) {
		BUF_LITERAL(text, "'failed' in the answer must be a list of event ids, or of "
		                  "{id, reason}; nothing of the batch counts as done");
	} else {
		buf_format(text,
		           "'failed' in the answer names %.*s, which is no event of the batch; "
		           "nothing of it counts as done",
		           (int)(named.len < SHOWN ? named.len : SHOWN), named.ptr);
	}
	end->message = buf_view(text);
}

static size_t count_of(const bool failed[], size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += failed[i];
	}
	return sum;
}

static void tell(struct attempt_end *end, const struct parcel *parcel, size_t count,
                 struct span reason, struct buf *text)
{
	end->verdict = VERDICT_RETRY;
	end->code = SPAN("events_failed");
	buf_clear(text);
	buf_format(text, "%zu of %zu events of the batch failed", count, parcel->count);
	if (reason.ptr != NULL) {
		BUF_LITERAL(text, ": ");
		json_string(reason, text);
	}
	end->message = buf_view(text);
}

bool verdict_read_batch(struct span result, const struct parcel *parcel, struct attempt_end *end,
                        struct buf *text, bool failed[])
{
	struct span steering;
	struct span list;
	struct span named;
	struct span first_reason = SPAN_NONE;
	if (!find_steering(result, &steering)) {
		return false;
	}
	if (!json_get(steering, SPAN("failed"), &list) || json_is_null(list)) {
		steer(steering, end, text);
		return false;
	}
	if (json_kind(list) != JSON_ARRAY) {
		refuse(end, SPAN_NONE, text);
		return false;
	}
	for (struct json_iter iter = json_iter(list); json_next_item(&iter, &named);) {
		struct span reason;
		if (!mark(parcel, id_of(named, &reason), failed)) {
			refuse(end, named, text);
			return false;
		}
		first_reason = first_reason.ptr != NULL ? first_reason : reason;
	}
	size_t count = count_of(failed, parcel->count);
	if (count == 0) {
		steer(steering, end, text);
		return false;
	}
	struct attempt_end more = *end;
	struct buf unused = {0};
	steer(steering, &more, &unused);
	buf_free(&unused);
	tell(end, parcel, count, first_reason, text);
	end->retry_after_ms = more.retry_after_ms;
	if (more.verdict == VERDICT_BURY) {
		end->verdict = VERDICT_BURY;
	}
	return count < parcel->count;
}
