/* This file queues deliveries in lanes and starts them when there is room. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dispatch_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/burial.h"
#include "engine/core/job_store.h"
#include "engine/core/order.h"
#include "engine/core/throttle.h"
#include <stdio.h>

enum {
	AGAIN_FIRST_MS = 50,
	AGAIN_MOST_MS = 5000,
	REFUSED_WAIT_MS = 1000,
	DEAD_FULL_WAIT_MS = 60000
};

static void attempt_ended(void *ctx, struct delivery *delivery, const struct attempt_end *end);

struct dispatch *dispatch_new(struct store *store, struct functions *functions,
                              struct alarms *alarms, struct dead *dead,
                              const struct dispatch_options *options)
{
	struct dispatch *dispatch = MEM_NEW(struct dispatch);
	dispatch->store = store;
	dispatch->functions = functions;
	dispatch->alarms = alarms;
	dispatch->dead = dead;
	dispatch->options = *options;
	const struct attempts_options attempts = {
	        .conditions = options->conditions,
	        .only_false_means_no = options->only_false_means_no,
	};
	dispatch->attempts = attempts_new(store, functions, &attempts, attempt_ended, dispatch);
	range_letters_init(&dispatch->ranges, store, dead, dispatch_letter_written, dispatch);
	list_init(&dispatch->live_owed);
	list_init(&dispatch->held_back);
	struct adapter_head head;
	store_head(store, &head);
	memcpy(dispatch->causes.log, head.log, sizeof head.log);
	return dispatch;
}

void dispatch_configure(struct dispatch *dispatch, const struct dispatch_options *options)
{
	PRE(options->conditions == dispatch->options.conditions);
	dispatch->options = *options;
	attempts_configure(dispatch->attempts, options->only_false_means_no);
}

void dispatch_free(struct dispatch *dispatch)
{
	if (dispatch != NULL) {
		PRE(list_is_empty(&dispatch->live_owed));
		range_letters_close(&dispatch->ranges);
		order_close(&dispatch->order);
		causes_close(&dispatch->causes);
		attempts_free(dispatch->attempts);
		mem_free(dispatch);
	}
}

void dispatch_set_hooks(struct dispatch *dispatch, const struct dispatch_hooks *hooks)
{
	dispatch->hooks = *hooks;
}

void dispatch_stop(struct dispatch *dispatch)
{
	dispatch->stopping = true;
}

void dispatch_on_dead(struct dispatch *dispatch, dispatch_dead_fn *died, void *ctx)
{
	dispatch->died = died;
	dispatch->died_ctx = ctx;
}

size_t dispatch_running(const struct dispatch *dispatch)
{
	return dispatch->running;
}

static bool can_put(const struct dispatch *dispatch)
{
	return store_can_put(dispatch->store);
}

void dispatch_make_ready(struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	if (delivery->state == DELIVERY_BLOCKED) {
		return; /* it has become the head of its lane, and holds that */
	}
	delivery->state = DELIVERY_READY;
	if (delivery->gate != NULL && delivery->doom.len == 0) {
		gate_wait(&binding->gates, delivery);
	} else {
		list_push(&binding->ready, &delivery->in_queue);
	}
}

/* ---- life of a delivery ---- */

static void wake(struct alarm *alarm);

/* A CloudEvent may have no subject, a window no name. */
static struct span keep_text(char *at, struct span text)
{
	if (text.len != 0) {
		memcpy(at, text.ptr, text.len);
	}
	return span_make(at, text.len);
}

static void keep_texts(struct delivery *delivery, const struct job *job)
{
	char *at = delivery->text;
	delivery->scope = keep_text(at, job->scope);
	at += job->scope.len;
	delivery->key = keep_text(at, job->key);
	if (job->window.ptr != NULL) {
		delivery->window = keep_text(at + job->key.len, job->window);
	}
}

static struct delivery *new_delivery(struct dispatch *dispatch, struct binding *binding,
                                     const struct job *job)
{
	struct span scope = job->scope;
	struct span key = job->key;
	struct delivery *delivery =
	        mem_new(sizeof *delivery + scope.len + key.len + job->window.len);
	delivery->binding = binding;
	delivery->seq = job->seq;
	delivery->epoch = job->epoch;
	delivery->group = job->group;
	delivery->throttle_group = job->throttle;
	delivery->born_ms = clock_real_ms();
	delivery->came_ms = clock_mono_ms();
	delivery->debounced = job->debounced;
	(void)members_read(job->members, &delivery->members); /* an absent one has none */
	keep_texts(delivery, job);
	delivery->lane = delivery->window.ptr != NULL
	                         ? order_lane(binding, job->seq, SPAN(""), delivery->window)
	                         : order_lane(binding, job->seq, scope, key);
	list_init(&delivery->in_queue);
	list_init(&delivery->owed);
	list_init(&delivery->live_owed);
	list_push(&binding->deliveries, &delivery->in_binding);
	delivery->alarm.fn = wake;
	delivery->dispatch = dispatch;
	if (binding->filter->concurrency_key != NULL) {
		gate_join(&binding->gates, delivery);
	}
	binding->held++;
	return delivery;
}

void dispatch_free_delivery(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	alarm_clear(dispatch->alarms, &delivery->alarm);
	list_remove(&delivery->in_binding);
	list_remove(&delivery->in_queue);
	gate_leave(&binding->gates, delivery);
	if (binding->throttle != NULL) {
		throttle_leave(binding->throttle, delivery);
	}
	causes_remove(&dispatch->causes, delivery);
	dispatch_leave_owed(dispatch, delivery);
	binding->held--;
	binding->blocked -= delivery->state == DELIVERY_BLOCKED;
	buf_free(&delivery->history);
	buf_free(&delivery->event_json);
	buf_free(&delivery->doom);
	members_free(&delivery->members);
	mem_free(delivery);
}

void dispatch_leave_lane(struct dispatch *dispatch, struct delivery *delivery)
{
	struct delivery *next = order_leave(&dispatch->order, delivery);
	if (next != NULL) {
		dispatch_line_up(dispatch, next);
		if (next->binding != delivery->binding) {
			dispatch_pump(dispatch, next->binding);
		}
	}
}

void dispatch_settle(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	struct alarm_farewell farewell = dispatch_part(delivery);
	if (delivery->recorded) {
		const struct dispatch_hooks *hooks = &dispatch->hooks;
		job_store_settle(dispatch->store, delivery, hooks->cursor_of(hooks->ctx, binding));
		store_commit(dispatch->store, NULL);
	}
	if (!delivery->recorded && delivery->seq > binding->done_until) {
		binding->done_until = delivery->seq;
		binding->must_sweep = true;
	}
	dispatch_leave_lane(dispatch, delivery);
	dispatch_free_delivery(dispatch, delivery);
	dispatch_tell_parted(dispatch, &farewell);
	dispatch_pump(dispatch, binding);
	if (binding->held <= dispatch->options.job_max / 2) {
		dispatch->hooks.has_room(dispatch->hooks.ctx, binding);
	}
}

static void wake(struct alarm *alarm)
{
	struct delivery *delivery = MEM_CONTAINER(alarm, struct delivery, alarm);
	struct binding *binding = delivery->binding;
	dispatch_make_ready(delivery);
	dispatch_pump(delivery->dispatch, binding);
}

/* ---- giving up ---- */

static void was_buried(struct delivery *delivery, int status, const struct err *err)
{
	struct dispatch *dispatch = delivery->dispatch;
	if (status != 0) {
		log_warn("dispatch", "a dead letter was not written, trying again: %s", err->text);
		dispatch_ask_again(dispatch, delivery, REFUSED_WAIT_MS);
		return;
	}
	delivery->binding->buried++;
	if (delivery_blocks(delivery)) {
		dispatch_block(dispatch, delivery);
		return;
	}
	job_store_adopt_done(delivery->binding, delivery->seq);
	delivery->recorded = false; /* its outcome is on disk already */
	dispatch_settle(dispatch, delivery);
}

static void is_put(struct delivery *delivery, const struct event *event)
{
	const struct dispatch *dispatch = delivery->dispatch;
	if (dispatch->died != NULL) {
		dispatch->died(dispatch->died_ctx, delivery, event);
	}
}

static const struct burial_hooks burial_hooks = {.put = is_put, .done = was_buried};

void dispatch_doom(struct delivery *delivery, struct span code, struct span message)
{
	buf_clear(&delivery->doom);
	buf_span(&delivery->doom, code);
	buf_byte(&delivery->doom, '\0');
	buf_span(&delivery->doom, message);
}

static void bury(struct dispatch *dispatch, struct delivery *delivery)
{
	if (dead_is_full(dispatch->dead) || !can_put(dispatch)) {
		/* Holding is better than losing: it asks again until there is room. */
		dispatch_ask_again(dispatch, delivery,
		                   can_put(dispatch) ? DEAD_FULL_WAIT_MS : REFUSED_WAIT_MS);
		return;
	}
	delivery->state = DELIVERY_BURYING;
	burial_start(dispatch->store, dispatch->dead, delivery, &burial_hooks);
}

/* ---- attempts ---- */

static void start(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	list_remove(&delivery->in_queue);
	delivery->target = NULL;
	if (delivery->doom.len != 0) {
		bury(dispatch, delivery);
		return;
	}
	causes_add(&dispatch->causes, delivery);
	delivery->state = DELIVERY_BUSY;
	binding->must_sweep = true;
	binding->busy++;
	dispatch->running++;
	if (delivery->gate != NULL) {
		gate_start(&binding->gates, delivery);
	}
	attempt_start(dispatch->attempts, delivery);
}

void dispatch_has_ended(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	binding->busy--;
	dispatch->running--;
	if (delivery->gate != NULL) {
		gate_end(&binding->gates, delivery);
	}
}

static bool may_start(const struct binding *binding, const struct delivery *delivery)
{
	if (delivery->doom.len != 0) {
		return true;
	}
	bool must_ask = binding->condition_watch.function != NULL && !delivery->asked;
	const struct function *function =
	        must_ask ? binding->condition_watch.function : binding->watch.function;
	return function_is_ready(function) ||
	       (dispatch_function_is_served(function) && !function_is_offered(function));
}

/* What waits for no gate. A paused trigger calls nobody, but buries what can only be buried. */
static struct delivery *next_plain(const struct binding *binding)
{
	LIST_EACH(&binding->ready, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_queue);
		if (!binding->pause.is_on || delivery->doom.len != 0) {
			return delivery;
		}
	}
	return NULL;
}

/* With a concurrency_key each of its values has room of its own. */
static struct delivery *next_ready(struct binding *binding)
{
	uint32_t most = binding->policy.concurrency;
	struct delivery *delivery = NULL;
	if (binding->filter->concurrency_key != NULL || binding->busy < most) {
		delivery = binding->pause.is_on ? NULL : target_next(&binding->targets);
		delivery = delivery != NULL ? delivery : next_plain(binding);
	}
	if (delivery == NULL && !binding->pause.is_on) {
		delivery = gate_next(&binding->gates, most);
	}
	return delivery;
}

/* False: it has left the line until its time comes. */
static bool is_in_time(const struct binding *binding, struct delivery *delivery)
{
	return binding->throttle == NULL || delivery->doom.len != 0 ||
	       throttle_take(binding->throttle, delivery);
}

void dispatch_pump(struct dispatch *dispatch, struct binding *binding)
{
	/* An attempt may end at once and lead back here; the outer loop goes on then. */
	if (binding->pumping || binding->burying != 0 || binding->held_back_from != 0 ||
	    dispatch->stopping) {
		return;
	}
	binding->pumping = true;
	struct delivery *delivery;
	while ((delivery = next_ready(binding)) != NULL && may_start(binding, delivery)) {
		if (is_in_time(binding, delivery)) {
			start(dispatch, delivery);
		}
	}
	binding->pumping = false;
}

static void note_failure(struct delivery *delivery, const struct attempt_end *end)
{
	struct binding *binding = delivery->binding;
	binding->failed++;
	(void)snprintf(binding->last_error, sizeof binding->last_error, "%.*s: %.*s",
	               SPAN_ARG(end->code), SPAN_ARG(end->message));
	job_add_attempt(&delivery->history, end->started_ms, end->duration_ms, end->worker,
	                end->code, end->message);
	delivery->failures++;
	delivery->stopped = 0;
}

/* What the engine says, then the function, then the trigger. */
static struct retry_policy policy_of(const struct binding *binding, const struct addressee *to)
{
	struct retry_policy policy = binding->retry;
	const struct function *called = binding->watch.function;
	if (to != NULL) {
		called = function_find(called->functions, to->namespace_, to->function_id);
	}
	const struct function_policy *function = called != NULL ? called->policy : NULL;
	if (function != NULL) {
		retry_apply(&policy, &function->retry);
	}
	retry_apply(&policy, &binding->policy.retry);
	return policy;
}

static void retry_or_bury(struct dispatch *dispatch, struct delivery *delivery,
                          const struct attempt_end *end)
{
	struct binding *binding = delivery->binding;
	note_failure(delivery, end);
	uint32_t random;
	id_random(&random, sizeof random);
	int64_t age_ms = store_time_ms(dispatch->store) - delivery->first_ms;
	const struct retry_policy policy = policy_of(binding, end->to);
	int64_t wait_ms = retry_wait_ms(&policy, delivery->failures, age_ms, random);
	if (end->verdict == VERDICT_BURY || wait_ms < 0) {
		dispatch_doom(delivery, end->code, end->message);
		bury(dispatch, delivery);
		return;
	}
	if (end->retry_after_ms >= 0) {
		wait_ms = end->retry_after_ms;
	}
	binding->retried++;
	dispatch_sleep(dispatch, delivery, wait_ms);
	log_info("dispatch",
	         "event %llu for %.*s failed (attempt %u: %.*s: %.*s); again in %lld ms",
	         (unsigned long long)delivery->seq, SPAN_ARG(binding->id), delivery->failures,
	         SPAN_ARG(end->code), SPAN_ARG(end->message), (long long)wait_ms);
	if (can_put(dispatch)) {
		dispatch_record(dispatch, delivery);
	}
}

static void attempt_ended(void *ctx, struct delivery *delivery, const struct attempt_end *end)
{
	struct dispatch *dispatch = ctx;
	struct binding *binding = delivery->binding;
	dispatch_has_ended(dispatch, delivery);
	switch (end->verdict) {
	case VERDICT_DONE:
		binding->delivered++;
		dispatch_settle(dispatch, delivery);
		return;
	case VERDICT_UNWANTED:
		binding->condition_no++;
		dispatch_settle(dispatch, delivery);
		return;
	case VERDICT_OBSOLETE:
		binding->cancelled++;
		dispatch_settle(dispatch, delivery);
		return;
	case VERDICT_AGAIN: {
		int64_t wait_ms = AGAIN_FIRST_MS << (delivery->stopped < 7 ? delivery->stopped : 7);
		delivery->stopped++;
		dispatch_ask_again(dispatch, delivery,
		                   wait_ms < AGAIN_MOST_MS ? wait_ms : AGAIN_MOST_MS);
		break;
	}
	case VERDICT_WAIT:
		target_wait(&binding->targets, dispatch->functions, end->to, delivery);
		break;
	case VERDICT_RETRY:
	case VERDICT_BURY:
		retry_or_bury(dispatch, delivery, end);
		break;
	}
	dispatch_pump(dispatch, binding);
}

/* ---- offered and adopted ---- */

static bool is_answered_for(const struct binding *binding, uint64_t seq)
{
	if (seq > binding->known_until) {
		return false;
	}
	if (job_store_is_done(binding, seq)) {
		return true;
	}
	LIST_EACH(&binding->deliveries, link)
	{
		if (MEM_CONTAINER(link, struct delivery, in_binding)->seq == seq) {
			return true;
		}
	}
	return false;
}

void dispatch_offer(struct dispatch *dispatch, struct binding *binding, const struct event *event,
                    const struct delivery_groups *groups, const struct delivery_doom *why)
{
	if (is_answered_for(binding, event->seq)) {
		return;
	}
	binding->matched++;
	const struct job job = {.seq = event->seq,
	                        .epoch = event->epoch,
	                        .group = groups->concurrency,
	                        .throttle = groups->throttle,
	                        .scope = event->scope,
	                        .key = event->key};
	struct delivery *delivery = new_delivery(dispatch, binding, &job);
	list_push(&binding->owed, &delivery->owed);
	binding->must_sweep = true;
	if (!binding->lagging) {
		dispatch_join_live(dispatch, delivery);
	}
	if (why != NULL) {
		dispatch_doom(delivery, why->code, why->message);
	}
	if (order_enter(&dispatch->order, delivery)) {
		dispatch_make_ready(delivery);
		dispatch_pump(dispatch, binding);
	}
}

void dispatch_adopt(struct dispatch *dispatch, struct binding *binding, const struct job *job)
{
	dispatch->hooks.adopted(dispatch->hooks.ctx, binding);
	if (job->seq > binding->known_until) {
		binding->known_until = job->seq;
	}
	dispatch->hooks.owes(dispatch->hooks.ctx, binding);
	if (dispatch_unblock(dispatch, binding, job)) {
		return;
	}
	if (job->done) {
		job_store_adopt_done(binding, job->seq);
		return;
	}
	job_store_reopen(binding, job->seq);
	struct delivery *delivery = new_delivery(dispatch, binding, job);
	delivery->recorded = true;
	delivery->failures = job->failures;
	delivery->first_ms = job->first_ms;
	delivery->due_ms = job->due_ms;
	delivery->asked = job->asked;
	delivery->replay = job->replay;
	buf_span(&delivery->history, job->attempts);
	buf_span(&delivery->event_json, job->event);
	if (job->doomed) {
		dispatch_doom(delivery, SPAN("attempts_exhausted"),
		              SPAN("the delivery was given up before the engine was started again; "
		                   "see its "
		                   "attempts"));
	}
	bool is_head = order_enter(&dispatch->order, delivery);
	if (job->blocked) {
		delivery->state = DELIVERY_BLOCKED;
		binding->blocked++;
	}
	if (!is_head || job->blocked) {
		return;
	}
	dispatch_line_up(dispatch, delivery);
	dispatch_pump(dispatch, binding);
}

struct causes *dispatch_causes(struct dispatch *dispatch)
{
	return &dispatch->causes;
}
