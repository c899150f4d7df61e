/* This file writes and reads job records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/job.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/core/members.h"
#include "engine/durable/space.h"
#include <stdio.h>

enum { JOB_FORMAT = 1, MESSAGE_MAX = 1024 };

void job_encode(const struct job *job, struct buf *out)
{
	buf_byte(out, JOB_FORMAT);
	buf_byte(out, '{');
	json_write_member_uint(out, "version", job->version);
	json_write_member_uint(out, "epoch", job->epoch);
	if (job->group != 0) {
		json_write_member_uint(out, "group", job->group);
	}
	json_write_member_string(out, "scope", job->scope);
	json_write_member_string(out, "key", job->key);
	json_write_member_uint(out, "failures", job->failures);
	json_write_member_int(out, "first_ms", job->first_ms);
	json_write_member_int(out, "due_ms", job->due_ms);
	json_write_member_bool(out, "asked", job->asked);
	json_write_member_bool(out, "done", job->done);
	json_write_member_bool(out, "doomed", job->doomed);
	if (job->blocked) {
		json_write_member_bool(out, "blocked", true);
	}
	json_write_member_uint(out, "replay", job->replay);
	if (job->attempts.len != 0) {
		json_write_member_raw(out, "attempts", job->attempts);
	}
	if (job->window.ptr != NULL) {
		json_write_member_string(out, "window", job->window);
	}
	if (job->debounced != 0) {
		json_write_member_uint(out, "debounced", job->debounced);
	}
	if (job->throttle != 0) {
		json_write_member_uint(out, "throttle", job->throttle);
	}
	if (job->members.len != 0) {
		json_write_member_raw(out, "members", job->members);
	}
	if (job->event.len != 0) {
		json_write_member_raw(out, "event", job->event);
	}
	buf_byte(out, '}');
}

static bool are_members(struct span json)
{
	struct members members = {0};
	bool good = members_read(json, &members);
	members_free(&members);
	return good;
}

int job_decode(uint64_t seq, struct span value, struct job *out, struct buf *scratch,
               struct err *err)
{
	enum {
		VERSION,
		SCOPE,
		KEY,
		FAILURES,
		FIRST,
		DUE,
		ASKED,
		DONE,
		DOOMED,
		REPLAY,
		ATTEMPTS,
		EVENT,
		EPOCH,
		GROUP,
		BLOCKED,
		WINDOW,
		DEBOUNCED,
		MEMBERS,
		THROTTLE,
		COUNT
	};
	static const struct span names[COUNT] = {
	        {"version", 7},  {"scope", 5},     {"key", 3},     {"failures", 8}, {"first_ms", 8},
	        {"due_ms", 6},   {"asked", 5},     {"done", 4},    {"doomed", 6},   {"replay", 6},
	        {"attempts", 8}, {"event", 5},     {"epoch", 5},   {"group", 5},    {"blocked", 7},
	        {"window", 6},   {"debounced", 9}, {"members", 7}, {"throttle", 8}};
	struct span found[COUNT];
	char what[32];
	(void)snprintf(what, sizeof what, "job %llu", (unsigned long long)seq);
	struct span json;
	int status = space_json(value, JOB_FORMAT, what, "job_format", &json, err);
	if (status != 0) {
		return status;
	}
	if (json_check_object(json, names, COUNT, found, err) != 0) {
		return err_set(err, E_DAMAGED, "job_damaged", "job %llu is not what was written",
		               (unsigned long long)seq);
	}
	struct job job = {.seq = seq,
	                  .attempts = found[ATTEMPTS],
	                  .event = found[EVENT],
	                  .members = found[MEMBERS]};
	uint64_t version = 0;
	uint64_t failures = 0;
	uint64_t replay = 0;
	bool good = found[SCOPE].ptr && found[KEY].ptr && json_uint64(found[VERSION], &version) &&
	            json_uint64(found[FAILURES], &failures) &&
	            json_int64(found[FIRST], &job.first_ms) &&
	            json_int64(found[DUE], &job.due_ms) && json_uint64(found[REPLAY], &replay) &&
	            (found[MEMBERS].ptr == NULL || are_members(found[MEMBERS]));
	if (!good) {
		return err_set(err, E_DAMAGED, "job_damaged", "job %llu lacks a member",
		               (unsigned long long)seq);
	}
	/* All texts are at most as long as their escaped forms: the buffer does not move between
	 * them. */
	(void)buf_reserve(scratch, found[SCOPE].len + found[KEY].len + found[WINDOW].len);
	job.scope = json_copy_text(found[SCOPE], scratch);
	job.key = json_copy_text(found[KEY], scratch);
	job.window = found[WINDOW].ptr != NULL ? json_copy_text(found[WINDOW], scratch) : SPAN_NONE;
	(void)json_uint64(found[EPOCH], &job.epoch); /* these are younger than the format */
	(void)json_uint64(found[GROUP], &job.group);
	(void)json_uint64(found[DEBOUNCED], &job.debounced);
	(void)json_uint64(found[THROTTLE], &job.throttle);
	job.version = (uint32_t)version;
	job.failures = (uint32_t)failures;
	job.replay = (uint32_t)replay;
	job.asked = json_is_true(found[ASKED]);
	job.done = json_is_true(found[DONE]);
	job.doomed = json_is_true(found[DOOMED]);
	job.blocked = json_is_true(found[BLOCKED]);
	*out = job;
	return 0;
}

static struct span cut(struct span text)
{
	return text.len > MESSAGE_MAX ? span_make(text.ptr, MESSAGE_MAX) : text;
}

void job_add_attempt(struct buf *attempts, int64_t started_ms, int64_t duration_ms,
                     struct span worker, struct span code, struct span message)
{
	if (attempts->len <= 2) {
		buf_clear(attempts); /* nothing, or an empty array */
		buf_byte(attempts, '[');
	} else {
		attempts->len--; /* the closing bracket */
		buf_byte(attempts, ',');
	}
	char started[CLOCK_TEXT_LEN + 1];
	clock_format(started_ms, started);
	buf_byte(attempts, '{');
	json_write_member_string(attempts, "started", span_of(started));
	json_write_member_int(attempts, "duration_ms", duration_ms);
	json_write_member_string(attempts, "worker", worker);
	json_write_member_string(attempts, "code", code);
	json_write_member_string(attempts, "message", cut(message));
	BUF_LITERAL(attempts, "}]");
}
