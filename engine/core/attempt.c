/* This file runs attempts: event, condition, handler, verdict. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/attempt_inside.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_sight.h"
#include "engine/core/consent.h"
#include "engine/core/entry.h"
#include "triggers/alarm_wish.h"
#include "wire/baggage.h"
#include "wire/traceparent.h"
#include <stdio.h>

enum {
	SELECTED_KEPT = 4096, /* bytes of a buffer that a spare attempt keeps */
};

struct attempts *attempts_new(struct store *store, struct functions *functions,
                              const struct attempts_options *options, attempt_done_fn *done,
                              void *ctx)
{
	struct attempts *attempts = MEM_NEW(struct attempts);
	attempts->store = store;
	attempts->functions = functions;
	attempts->only_false_means_no = options->only_false_means_no;
	attempts->done = done;
	attempts->ctx = ctx;
	list_init(&attempts->spare);
	struct adapter_head head;
	store_head(store, &head);
	memcpy(attempts->log, head.log, sizeof attempts->log);
	matching_init(&attempts->matching, options->conditions, span_of(attempts->log));
	return attempts;
}

static void free_attempt(struct attempt *attempt)
{
	buf_free(&attempt->id);
	buf_free(&attempt->baggage);
	buf_free(&attempt->cause_path);
	buf_free(&attempt->cause_root);
	buf_free(&attempt->selected);
	buf_free(&attempt->bytes);
	parcel_close(&attempt->parcel);
	addressee_close(&attempt->to);
	alarm_sight_close(&attempt->sight);
	mem_free(attempt);
}

void attempts_configure(struct attempts *attempts, bool only_false_means_no)
{
	attempts->only_false_means_no = only_false_means_no;
}

void attempts_free(struct attempts *attempts)
{
	if (attempts == NULL) {
		return;
	}
	LIST_EACH(&attempts->spare, link)
	{
		free_attempt(MEM_CONTAINER(link, struct attempt, link));
	}
	matching_close(&attempts->matching);
	mem_free(attempts);
}

static struct attempt *take(struct attempts *attempts)
{
	struct attempt *attempt = LIST_FIRST(&attempts->spare, struct attempt, link);
	if (attempt == NULL) {
		attempt = MEM_NEW(struct attempt);
		attempt->attempts = attempts;
		list_init(&attempt->link);
	}
	list_remove(&attempt->link);
	attempt->asking = false;
	attempt->calling = false;
	attempt->depth = 0;
	attempt->traceparent[0] = '\0';
	attempt->span.text[0] = '\0';
	attempt->event = (struct event){0};
	buf_clear(&attempt->id);
	buf_clear(&attempt->baggage);
	buf_clear(&attempt->cause_path);
	buf_clear(&attempt->cause_root);
	return attempt;
}

static void give_back(struct attempt *attempt)
{
	buf_clear(&attempt->selected);
	buf_shrink(&attempt->selected, SELECTED_KEPT);
	buf_clear(&attempt->bytes);
	buf_shrink(&attempt->bytes, SELECTED_KEPT);
	buf_clear(&attempt->sight.value);
	buf_shrink(&attempt->sight.value, SELECTED_KEPT);
	parcel_close(&attempt->parcel);
	list_push_front(&attempt->attempts->spare, &attempt->link);
}

static bool is_message(const struct attempt *attempt)
{
	return filter_is_message(attempt->delivery->binding->filter);
}

static bool names_function(const struct delivery *delivery)
{
	const struct alarm_wish *alarm = delivery->binding->filter->alarm;
	return alarm != NULL && alarm->is_named;
}

/* It says itself whom to call. */
static bool is_addressed(const struct attempt *attempt)
{
	return attempt->event.kind == EVENT_QUEUED || names_function(attempt->delivery);
}

/* Ends the attempt with a verdict. The delivery may be freed by whoever hears it. */
static void finish(struct attempt *attempt, struct attempt_end *end)
{
	struct attempts *attempts = attempt->attempts;
	struct delivery *delivery = attempt->delivery;
	end->started_ms = attempt->started_ms;
	end->duration_ms = attempt_note_end(attempt, end) / 1000;
	end->to = is_addressed(attempt) ? &attempt->to : NULL;
	delivery->attempt = NULL;
	const char *trace = log_set_trace(attempt->traceparent);
	attempts->done(attempts->ctx, delivery, end);
	(void)log_set_trace(trace);
	give_back(attempt);
}

/* Nobody was called. */
static void finish_early(struct attempt *attempt, enum verdict verdict, const struct err *err)
{
	struct attempt_end end = {.verdict = verdict,
	                          .code = span_of(err->code),
	                          .message = span_of(err->text),
	                          .retry_after_ms = -1};
	finish(attempt, &end);
}

/* ---- judging what came back ---- */

static void call_done(struct call *call, const struct call_result *result);

static void read_answer(struct attempt *attempt, struct span result, struct attempt_end *end,
                        struct buf *text)
{
	struct delivery *delivery = attempt->delivery;
	if (!attempt->is_batch) {
		verdict_read(result, end, text);
		return;
	}
	bool *failed = MEM_ARRAY(bool, attempt->parcel.count);
	if (verdict_read_batch(result, &attempt->parcel, end, text, failed)) {
		if (delivery->event_json.len != 0) {
			parcel_narrow(&delivery->event_json, failed);
		} else {
			members_keep(&delivery->members, failed);
		}
	}
	mem_free(failed);
}

static void judge(struct attempt *attempt, const struct call_result *result)
{
	struct buf text = {0};
	struct attempt_end end = {
	        .verdict = VERDICT_DONE,
	        .code = result->code,
	        .message = result->message,
	        .worker = result->worker,
	        .retry_after_ms = result->not_before ? result->retry_after_ms : -1,
	};
	switch (result->end) {
	case CALL_OK:
		if (attempt->asking) {
			end.verdict = VERDICT_UNWANTED;
		} else {
			/* Room for the whole result: the reason that points into it must not move.
			 */
			(void)buf_reserve(&text, result->result.len + 1);
			read_answer(attempt, result->result, &end, &text);
		}
		break;
	case CALL_FAILED:
	case CALL_TIMEOUT:
		end.verdict = VERDICT_RETRY;
		break;
	case CALL_STOPPED:
		end.verdict = VERDICT_AGAIN;
		break;
	case CALL_REFUSED:
		end.verdict = VERDICT_RETRY;
		break;
	}
	finish(attempt, &end);
	buf_free(&text);
}

/* ---- calling ---- */

static bool selects(const struct attempt *attempt)
{
	return !attempt->asking && !attempt->is_batch &&
	       attempt->delivery->binding->filter->selection != NULL;
}

/* A replayed dead letter carries its event as JSON. */
static int select_data(struct attempt *attempt, struct err *err)
{
	struct delivery *delivery = attempt->delivery;
	struct matching *matching = &attempt->attempts->matching;
	const struct filter *filter = delivery->binding->filter;
	struct event replayed;
	struct buf texts = {0};
	matching_begin(matching, &attempt->event);
	if (delivery->event_json.len != 0 && !is_message(attempt)) {
		event_read_json(buf_view(&delivery->event_json), &texts, &replayed);
		matching_begin(matching, &replayed);
	}
	buf_clear(&attempt->selected);
	int status = selection_write(filter->selection, matching, filter->metadata,
	                             &attempt->selected, err);
	buf_free(&texts);
	return status;
}

static void write_selected(struct call *call, struct buf *out)
{
	const struct attempt *attempt = MEM_CONTAINER(call, struct attempt, call);
	buf_span(out, buf_view(&attempt->selected));
}

static void write_message(struct call *call, struct buf *out)
{
	const struct attempt *attempt = MEM_CONTAINER(call, struct attempt, call);
	struct span data = attempt->event.new_value;
	buf_span(out, data.ptr != NULL ? data : SPAN("null"));
}

static void write_event(struct call *call, struct buf *out)
{
	struct attempt *attempt = MEM_CONTAINER(call, struct attempt, call);
	struct delivery *delivery = attempt->delivery;
	if (delivery->event_json.len != 0) {
		char number[16];
		int len = snprintf(number, sizeof number, "%u", attempt_number(delivery));
		json_set(buf_view(&delivery->event_json), SPAN("attempt"),
		         span_make(number, (size_t)len), out);
		return;
	}
	struct event_delivery shown = {
	        attempt_number(delivery), buf_view(&attempt->id), delivery->debounced,
	        attempt->sight.value.len != 0 ? buf_view(&attempt->sight.value) : SPAN_NONE};
	event_write_json(&attempt->event, span_of(attempt->attempts->log), &shown, out);
}

static void write_batch(struct call *call, struct buf *out)
{
	const struct attempt *attempt = MEM_CONTAINER(call, struct attempt, call);
	const struct delivery *delivery = attempt->delivery;
	parcel_write(&attempt->parcel, delivery->binding->id, buf_view(&attempt->id),
	             attempt_number(delivery), out);
}

static void write_identity(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;
	buf_clear(&attempt->id);
	uint64_t epoch = delivery->epoch != 0 ? delivery->epoch : attempt->event.epoch;
	delivery_write_id(delivery, span_of(attempt->attempts->log), epoch, &attempt->id);
	buf_clear(&attempt->baggage);
	const struct baggage whose = {buf_view(&attempt->id), attempt_number(delivery)};
	baggage_write(&attempt->baggage, &whose);
	attempt->depth = attempt->event.cause.depth;
	buf_clear(&attempt->cause_root);
	buf_clear(&attempt->cause_path);
	buf_span(&attempt->cause_root, attempt->event.cause.root);
	buf_span(&attempt->cause_path, attempt->event.cause.path);
	attempt_note_begin(attempt);
}

/* A queued message says whom to call, and so may an alarm. False: that function cannot take it now.
 */
static bool address(struct attempt *attempt)
{
	struct addressee *to = &attempt->to;
	const struct delivery *delivery = attempt->delivery;
	struct span call = attempt->event.old_value;
	if (names_function(delivery)) {
		call = delivery->event_json.len != 0 ? buf_view(&delivery->event_json)
		                                     : attempt->event.new_value;
	}
	addressee_read(to, call);
	attempt->call.function_id = to->function_id;
	attempt->call.namespace_ = to->namespace_;
	attempt->call.metadata = to->metadata;
	return function_is_ready(
	        function_find(attempt->attempts->functions, to->namespace_, to->function_id));
}

static void call_function(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;
	struct binding *binding = delivery->binding;
	call_write_fn *write = attempt->is_batch     ? write_batch
	                       : selects(attempt)    ? write_selected
	                       : is_message(attempt) ? write_message
	                                             : write_event;
	bool is_part = write == write_selected || write == write_message;
	attempt->call = (struct call){
	        .namespace_ = binding->namespace_,
	        .function_id = attempt->asking ? binding->policy.condition_function_id
	                                       : binding->function_id,
	        .write_data = write,
	        .write_event = is_part ? write_event : NULL,
	        .metadata = binding->metadata,
	        .traceparent = span_of(attempt->traceparent),
	        .baggage = buf_view(&attempt->baggage),
	        .timeout_ms = binding->policy.timeout_ms,
	        .done = call_done,
	};
	struct err err;
	if (selects(attempt) && select_data(attempt, &err) != 0) {
		finish_early(attempt, VERDICT_BURY, &err);
		return;
	}
	if (is_addressed(attempt) && !address(attempt)) {
		(void)err_set(&err, E_BUSY, "function_busy", "the function has no room");
		finish_early(attempt, VERDICT_WAIT, &err);
		return;
	}
	attempt->calling = true;
	if (function_call(attempt->attempts->functions, &attempt->call, &err) != 0) {
		attempt->calling = false;
		finish_early(attempt, VERDICT_AGAIN, &err);
	}
}

static bool must_ask(const struct delivery *delivery)
{
	return delivery->binding->policy.condition_function_id.len != 0 && !delivery->asked;
}

/* A call that has to wait for room reads the event later, when what was lent is gone. */
static struct span kept_if_it_waits(struct attempt *attempt, struct span bytes)
{
	const struct binding *binding = attempt->delivery->binding;
	const struct function *function = function_find(
	        attempt->attempts->functions, binding->namespace_,
	        attempt->asking ? binding->policy.condition_function_id : binding->function_id);
	if (function == NULL || function_is_ready(function)) {
		return bytes;
	}
	buf_clear(&attempt->bytes);
	buf_span(&attempt->bytes, bytes);
	return buf_view(&attempt->bytes);
}

static void end_unread(struct attempt *attempt, int status, const struct err *err)
{
	bool gone = status == E_NOT_FOUND || status == E_DAMAGED || status == E_VERSION ||
	            status == E_INVALID;
	finish_early(attempt, gone ? VERDICT_BURY : VERDICT_AGAIN, err);
}

/* ---- alarms ---- */

static void was_seen(struct alarm_sight *sight, int status, const struct err *err)
{
	struct attempt *attempt = MEM_CONTAINER(sight, struct attempt, sight);
	if (attempt->delivery == NULL) {
		free_attempt(attempt); /* `attempts` may be gone as well */
	} else if (status != 0) {
		end_unread(attempt, status, err);
	} else if (!sight->runs) {
		struct attempt_end end = {.verdict = VERDICT_OBSOLETE, .retry_after_ms = -1};
		finish(attempt, &end);
	} else {
		write_identity(attempt);
		call_function(attempt);
	}
}

/* Not one that somebody wants to have delivered again. */
static bool must_be_seen(const struct attempt *attempt)
{
	return attempt->event.kind == EVENT_ALARM_DUE && attempt->delivery->replay == 0;
}

/* It takes turns of the loop: the event has to be our own till then. */
static void look_at_alarm(struct attempt *attempt, struct span bytes)
{
	struct err err;
	if (bytes.ptr != attempt->bytes.ptr) {
		buf_clear(&attempt->bytes);
		buf_span(&attempt->bytes, bytes);
	}
	int status = event_decode(attempt->delivery->seq, buf_view(&attempt->bytes),
	                          &attempt->event, &err);
	POST(status == 0); /* it has been decoded before */
	attempt->sight.done = was_seen;
	alarm_sight_start(attempt->attempts->store, &attempt->sight, &attempt->event);
}

static void event_came(struct entry *entry, int status, struct span bytes, const struct err *err)
{
	struct attempt *attempt = MEM_CONTAINER(entry, struct attempt, entry);
	if (attempt->delivery == NULL) {
		free_attempt(attempt); /* `attempts` may be gone as well */
		return;
	}
	struct err broken;
	attempt->asking = must_ask(attempt->delivery);
	if (status == 0) {
		bytes = kept_if_it_waits(attempt, bytes);
		status = event_decode(attempt->delivery->seq, bytes, &attempt->event, &broken);
		err = &broken;
	}
	if (status != 0) {
		end_unread(attempt, status, err);
		return;
	}
	if (must_be_seen(attempt)) {
		look_at_alarm(attempt, bytes);
		return;
	}
	write_identity(attempt);
	call_function(attempt);
}

/* ---- batches ---- */

static bool is_batch(const struct delivery *delivery)
{
	const struct shaping *shaping = delivery->binding->filter->shaping;
	return (shaping != NULL && shaping->kind == SHAPING_BATCH) ||
	       parcel_events(buf_view(&delivery->event_json)).ptr != NULL;
}

static void parcel_came(struct parcel *parcel, int status, const struct err *err)
{
	struct attempt *attempt = MEM_CONTAINER(parcel, struct attempt, parcel);
	struct delivery *delivery = attempt->delivery;
	if (delivery == NULL) {
		free_attempt(attempt); /* `attempts` may be gone as well */
		return;
	}
	if (status != 0) {
		end_unread(attempt, status, err);
		return;
	}
	attempt->event = parcel->deepest;
	if (delivery->epoch == 0 && parcel->count != 0 && parcel->items[0].seq == delivery->seq) {
		delivery->epoch = parcel->items[0].epoch;
	}
	if (attempt->event.seq == 0) {
		attempt->event.seq = delivery->seq; /* it carries its events, and they no causes */
		attempt->event.epoch = delivery->epoch;
	}
	write_identity(attempt);
	call_function(attempt);
}

static void gather(struct attempt *attempt)
{
	struct attempts *attempts = attempt->attempts;
	struct delivery *delivery = attempt->delivery;
	const struct filter *filter = delivery->binding->filter;
	struct members alone = {.seqs = &delivery->seq, .count = 1};
	attempt->asking = false;
	attempt->parcel = (struct parcel){
	        .store = attempts->store,
	        .log = span_of(attempts->log),
	        .selection = filter->selection,
	        .metadata = filter->metadata,
	        .matching = &attempts->matching,
	        .done = parcel_came,
	};
	if (delivery->event_json.len != 0) {
		struct err err;
		int status = parcel_take(&attempt->parcel, buf_view(&delivery->event_json), &err);
		parcel_came(&attempt->parcel, status, &err);
		return;
	}
	parcel_gather(&attempt->parcel, delivery->members.count != 0 ? &delivery->members : &alone);
}

/* A replayed one carries its event itself; of a change no more is needed here than its id. */
static void take_event(struct attempt *attempt)
{
	struct span json = buf_view(&attempt->delivery->event_json);
	struct span id;
	struct span log;
	uint64_t seq;
	if (is_message(attempt)) {
		buf_clear(&attempt->bytes);
		event_read_json(json, &attempt->bytes, &attempt->event);
		return;
	}
	attempt->event = (struct event){.seq = attempt->delivery->seq};
	if (json_get(json, SPAN("id"), &id)) {
		(void)event_parse_id(json_plain(id, &attempt->id), &log, &attempt->event.epoch,
		                     &seq);
	}
}

static void call_handler(struct attempt *attempt)
{
	struct delivery *delivery = attempt->delivery;
	attempt->is_batch = is_batch(delivery);
	if (attempt->is_batch) {
		gather(attempt);
		return;
	}
	if (delivery->event_json.len != 0) {
		take_event(attempt);
		attempt->asking = must_ask(delivery);
		write_identity(attempt);
		call_function(attempt);
		return;
	}
	attempt->entry.done = event_came;
	entry_get(attempt->attempts->store, &attempt->entry, delivery->seq);
}

static void call_done(struct call *call, const struct call_result *result)
{
	struct attempt *attempt = MEM_CONTAINER(call, struct attempt, call);
	attempt->calling = false;
	if (attempt->asking && result->end == CALL_OK &&
	    consent_given(result->result, attempt->attempts->only_false_means_no)) {
		attempt->delivery->asked = true;
		call_handler(attempt);
		return;
	}
	judge(attempt, result);
}

void attempt_start(struct attempts *attempts, struct delivery *delivery)
{
	struct attempt *attempt = take(attempts);
	attempt->delivery = delivery;
	attempt->started_ms = clock_wall_ms();
	attempt->started_us = clock_mono_us();
	delivery->attempt = attempt;
	if (delivery->first_ms == 0) {
		delivery->first_ms = store_time_ms(attempts->store);
	}
	call_handler(attempt);
}

void attempt_drop(struct attempts *attempts, struct delivery *delivery)
{
	struct attempt *attempt = delivery->attempt;
	PRE(attempt != NULL && attempt->attempts == attempts);
	delivery->attempt = NULL;
	attempt->delivery = NULL;
	if (attempt->calling) {
		attempt->calling = false;
		call_cancel(&attempt->call);
		give_back(attempt);
	}
	/* Else its event is being read, or its batch, or its alarm: who hears of that frees it. */
	parcel_drop(&attempt->parcel);
}
