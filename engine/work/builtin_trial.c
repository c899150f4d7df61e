/* This file runs a trigger over past events without firing it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "triggers/expr/failure.h"
#include "triggers/ruling.h"
#include "triggers/triggers.h"

/*
 * DESIGN. The trigger is parsed into a filter of its own, with paths of its own, so that the
 * matching of live events does not notice it. The journal is read in chunks; the loop gives a chunk
 * SLICE_US, what it could not look at by then is read again. When the evaluations together have
 * taken TRIAL_US the trial ends early and says where to go on.
 *
 *   begun --chunk--> judged --more to read--> begun
 *                      |
 *                      +--all read, out of time, or nobody waits--> answered
 */
enum {
	LAST_USUAL = 1000,
	LAST_MOST = 100000,
	MATCHES_MOST = 1000,
	CHUNK_ENTRIES = 512,
	CHUNK_BYTES = 256 * 1024,
	SLICE_US = 2000,
	TRIAL_US = 2000000
};

struct trial {
	struct store_read read;
	struct work *work;
	struct condition_env *env;
	struct filter *filter;
	struct matching matching;
	struct buf config; /* what the filter was made of, and the metadata */
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t first;         /* seq: the first that is looked at */
	uint64_t next;          /* the first that was not looked at */
	uint64_t end;           /* behind the last */
	int64_t slice_until_us; /* 0: it begins with the next entry */
	struct buf matches;
	struct buf error; /* the text of the first one */
	uint64_t error_seq;
	uint64_t counts[RULING_COUNT];
	uint64_t seen;
	uint64_t unreadable;
	uint64_t matched;
	uint64_t asked; /* evaluations of the condition */
	int64_t asked_ns;
	int64_t read_ns; /* giving the variables their values */
};

static void free_trial(struct trial *trial)
{
	if (trial->env != NULL) {
		matching_close(&trial->matching);
	}
	filter_free(trial->filter);
	condition_env_free(trial->env);
	buf_free(&trial->config);
	buf_free(&trial->matches);
	buf_free(&trial->error);
	mem_free(trial);
}

/* ---- one event ---- */

static void note_match(struct trial *trial, const struct event *event)
{
	struct buf *out = &trial->matches;
	if (trial->matched++ >= MATCHES_MOST) {
		return;
	}
	buf_span(out, out->len != 0 ? SPAN(",") : SPAN(""));
	event_write_brief(event, out);
}

static void note_error(struct trial *trial, struct value error, uint64_t seq)
{
	if (trial->error_seq == 0) {
		trial->error_seq = seq;
		failure_write(condition_source(trial->filter->condition), error, &trial->error);
	}
}

static enum ruling judge(struct trial *trial, const struct event *event)
{
	const struct filter *filter = trial->filter;
	struct value error;
	matching_begin(&trial->matching, event);
	if (filter->condition == NULL || !filter_fits(filter, event)) {
		return ruling_of(filter, &trial->matching, &error);
	}
	int64_t began_ns = clock_mono_ns();
	(void)matching_values_with(&trial->matching, filter->metadata);
	int64_t bound_ns = clock_mono_ns();
	enum ruling ruling = ruling_of(filter, &trial->matching, &error);
	trial->asked_ns += clock_mono_ns() - bound_ns;
	trial->read_ns += bound_ns - began_ns;
	trial->asked++;
	if (ruling == RULING_CONDITION_ERROR || ruling == RULING_FIRED_ON_ERROR ||
	    ruling == RULING_DEAD_ON_ERROR) {
		note_error(trial, error, event->seq);
	}
	return ruling;
}

static void look(void *ctx, uint64_t seq, struct span bytes)
{
	struct trial *trial = ctx;
	struct event event;
	int64_t now_us = clock_mono_us();
	if (trial->slice_until_us == 0) {
		trial->slice_until_us = now_us + SLICE_US;
	}
	if (seq != trial->next || now_us > trial->slice_until_us) {
		return;
	}
	trial->next = seq + 1;
	trial->seen++;
	if (event_decode(seq, bytes, &event, NULL) != 0) {
		trial->unreadable++;
		return;
	}
	enum ruling ruling = judge(trial, &event);
	trial->counts[ruling]++;
	if (ruling_wakes(ruling)) {
		note_match(trial, &event);
	}
}

/* ---- the answer ---- */

static void write_error(const struct trial *trial, struct buf *out)
{
	json_write_name(out, "first_error");
	if (trial->error_seq == 0) {
		BUF_LITERAL(out, "null");
		return;
	}
	buf_byte(out, '{');
	json_write_member_string(out, "text", buf_view(&trial->error));
	json_write_member_uint(out, "seq", trial->error_seq);
	buf_byte(out, '}');
}

static void write_counts(const struct trial *trial, struct buf *out)
{
	json_write_name(out, "counts");
	buf_byte(out, '{');
	for (size_t i = 0; i < RULING_COUNT; i++) {
		if (trial->counts[i] != 0) {
			json_write_member_uint(out, ruling_word((enum ruling)i), trial->counts[i]);
		}
	}
	buf_byte(out, '}');
}

static void answer(struct trial *trial)
{
	struct buf *out = &trial->work->out;
	const uint64_t *counts = trial->counts;
	uint64_t shown = trial->matched < MATCHES_MOST ? trial->matched : MATCHES_MOST;
	uint64_t asked = trial->asked != 0 ? trial->asked : 1;
	buf_byte(out, '{');
	json_write_member_uint(out, "first_seq", trial->first);
	json_write_member_uint(out, "last_seq", trial->next - 1);
	json_write_member_bool(out, "complete", trial->next >= trial->end);
	json_write_member_uint(out, "seen", trial->seen);
	json_write_member_uint(out, "considered",
	                       trial->seen - trial->unreadable - counts[RULING_SCOPE] -
	                               counts[RULING_EVENTS] - counts[RULING_KEY] -
	                               counts[RULING_CHANGED]);
	json_write_member_uint(out, "matched", trial->matched);
	json_write_member_uint(out, "condition_false",
	                       counts[RULING_CONDITION_FALSE] + counts[RULING_EDGE]);
	json_write_member_uint(out, "condition_errors",
	                       counts[RULING_CONDITION_ERROR] + counts[RULING_FIRED_ON_ERROR] +
	                               counts[RULING_DEAD_ON_ERROR]);
	write_error(trial, out);
	write_counts(trial, out);
	json_write_member_uint(out, "evaluation_ns", (uint64_t)trial->asked_ns / asked);
	json_write_member_uint(out, "reading_ns", (uint64_t)trial->read_ns / asked);
	json_write_name(out, "matches");
	buf_byte(out, '[');
	buf_span(out, buf_view(&trial->matches));
	buf_byte(out, ']');
	json_write_member_uint(out, "left_out", trial->matched - shown);
	buf_byte(out, '}');
	work_reply_out(trial->work);
	free_trial(trial);
}

/* ---- reading ---- */

static void chunk_came(struct store_read *read, int status, const struct err *err);

static void read_on(struct trial *trial)
{
	uint64_t left = trial->end - trial->next;
	trial->read = (struct store_read){
	        .from = trial->next,
	        .count = left < CHUNK_ENTRIES ? left : CHUNK_ENTRIES,
	        .max_bytes = CHUNK_BYTES,
	        .entry = look,
	        .ctx = trial,
	        .done = chunk_came,
	};
	trial->slice_until_us = 0;
	store_read_start(trial->work->core->store, &trial->read);
}

/* The journal was trimmed meanwhile. Its head may not know yet, but this event is gone. */
static void skip_gone(struct trial *trial)
{
	struct adapter_head head;
	store_head(trial->work->core->store, &head);
	trial->next = head.first_seq > trial->next ? head.first_seq : trial->next + 1;
	trial->first = trial->seen == 0 ? trial->next : trial->first;
}

static void chunk_came(struct store_read *read, int status, const struct err *err)
{
	struct trial *trial = MEM_CONTAINER(read, struct trial, read);
	bool is_late = trial->asked_ns + trial->read_ns > (int64_t)TRIAL_US * 1000;
	if (status == E_NOT_FOUND) {
		skip_gone(trial);
		status = 0;
	}
	if (status != 0) {
		work_fail(trial->work, err);
		free_trial(trial);
	} else if (trial->next >= trial->end || is_late || trial->work->call == NULL) {
		answer(trial);
	} else {
		read_on(trial);
	}
}

/* ---- the question ---- */

/* No past event is a time of it; the one that comes next is what can be said. */
static int refuse_cron(const struct cron_rule *rule, struct err *err)
{
	char text[CLOCK_TEXT_LEN + 1];
	int64_t next_ms;
	int status = cron_rule_next(rule, clock_wall_ms(), &next_ms, err);
	if (status != 0) {
		return status;
	}
	clock_format(next_ms, text);
	return err_set(err, E_INVALID, "invalid_argument",
	               "a trigger of type 'cron' wakes on its own times, not on events that were: "
	               "this one would fire first at %s",
	               text);
}

/* The caller is told the place in an expression too. */
static int build(struct trial *trial, struct span trigger, struct err *err)
{
	static const struct span names[] = {{"config", 6}, {"metadata", 8}, {"type", 4}};
	struct span found[3];
	struct condition_fault where = {0};
	struct trigger_policy policy;
	struct buf type = {0};
	json_get_many(trigger, names, 3, found);
	struct span said = json_copy_text(found[2], &type);
	json_canonical(found[0].ptr != NULL ? found[0] : SPAN("{}"), &trial->config);
	size_t config_len = trial->config.len;
	buf_span(&trial->config, json_is_null(found[1]) ? SPAN("") : found[1]);
	const struct trigger_request request = {
	        .env = trial->env,
	        .type = said.ptr != NULL ? said : SPAN("state"),
	        .config = span_make(trial->config.ptr, config_len),
	        .where = &where,
	};
	int status = trigger_parse(&request, &trial->filter, &policy, err);
	if (status == 0 && trial->filter->http != NULL) {
		status = err_set(err, E_INVALID, "invalid_argument",
		                 "a trigger of type 'http' wakes on requests, not on events: send "
		                 "it one");
	}
	if (status == 0 && trial->filter->cron != NULL) {
		status = refuse_cron(trial->filter->cron, err);
	}
	if (status != 0 && where.member != NULL) {
		(void)err_set(err, status, "invalid_condition", "'%s': %.*s", where.member,
		              SPAN_ARG(buf_view(&where.text)));
	} else if (status == 0 && !json_is_null(found[1])) {
		trial->filter->metadata =
		        span_make(trial->config.ptr + config_len, trial->config.len - config_len);
	}
	buf_free(&where.text);
	buf_free(&type);
	return status;
}

static bool read_number(struct span value, uint64_t *out)
{
	return value.ptr == NULL || (json_kind(value) == JSON_NUMBER && json_uint64(value, out));
}

/* Which events: those behind `since`, at most `last` of them; without it the last ones. */
static int choose(struct trial *trial, struct span last, struct span since, struct err *err)
{
	struct store *store = trial->work->core->store;
	struct adapter_head head;
	uint64_t count = LAST_USUAL;
	store_head(store, &head);
	memcpy(trial->log, head.log, sizeof trial->log);
	if (!read_number(last, &count) || count == 0 || count > LAST_MOST) {
		return err_set(err, E_INVALID, "invalid_argument", "last must be 1 to %d",
		               LAST_MOST);
	}
	uint64_t durable = store_durable_seq(store);
	uint64_t behind = durable > count ? durable - count : 0;
	if (!read_number(since, &behind)) {
		return err_set(err, E_INVALID, "invalid_argument",
		               "since must be the number of an event");
	}
	if (behind > durable) {
		return err_set(err, E_NOT_FOUND, "event_not_found",
		               "there is no event %llu yet: the last one is %llu",
		               (unsigned long long)behind, (unsigned long long)durable);
	}
	trial->first = behind + 1 < head.first_seq ? head.first_seq : behind + 1;
	trial->next = trial->first;
	trial->end = durable + 1 - trial->first > count ? trial->first + count : durable + 1;
	return 0;
}

static void test_trigger(struct work *work, struct span data)
{
	static const struct span names[] = {{"trigger", 7}, {"last", 4}, {"since", 5}};
	struct span found[3];
	struct err err;
	struct trial *trial = MEM_NEW(struct trial);
	trial->work = work;
	json_get_many(data, names, 3, found);
	int status = choose(trial, found[1], found[2], &err);
	if (status == 0 && (found[0].ptr == NULL || json_kind(found[0]) != JSON_OBJECT)) {
		status = err_set(
		        &err, E_INVALID, "argument_required",
		        "'trigger' must be an object: {\"type\":\"state\",\"config\":{...}}");
	}
	if (status == 0) {
		trial->env = condition_env_new();
		matching_init(&trial->matching, trial->env, span_of(trial->log));
		status = build(trial, found[0], &err);
	}
	if (status != 0) {
		work_fail(work, &err);
		free_trial(trial);
	} else if (trial->next >= trial->end) {
		answer(trial);
	} else {
		read_on(trial);
	}
}

const struct builtin_row builtin_trial_rows[] = {
        {"engine::triggers::test", test_trigger,
         "Lists the past events that a trigger would have fired for."},
        {NULL, NULL, NULL},
};
