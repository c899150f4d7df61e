/* This file queues deliveries in lanes and starts them when there is room. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/dispatch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/entry.h"
#include "engine/durable/space.h"
#include "wire/baggage.h"
#include <stdio.h>

struct dispatch {
	struct store *store;
	struct functions *functions;
	struct alarms *alarms;
	struct dead *dead;
	struct attempts *attempts;
	struct dispatch_options options;
	struct dispatch_hooks hooks;
	struct map lanes;      /* delivery.in_lanes */
	struct map tried;      /* delivery.tried, by binding id and seq */
	struct list live_owed; /* by seq */
	size_t running;
	bool stopping;
	struct buf scratch;
	struct buf cause_text;
	char log[ADAPTER_LOG_LEN + 1];
};

/* A finished delivery above the cursor: its record says so until the cursor has passed. */
struct tombstone {
	struct list link;
	uint64_t seq;
};

enum {
	AGAIN_FIRST_MS = 50,
	AGAIN_MOST_MS = 5000,
	REFUSED_WAIT_MS = 1000,
	DEAD_FULL_WAIT_MS = 60000
};

static void attempt_ended(void *ctx, struct delivery *delivery, const struct attempt_end *end);
static void pump(struct dispatch *dispatch, struct binding *binding);

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
	dispatch->attempts = attempts_new(store, functions, options->only_false_means_no,
	                                  attempt_ended, dispatch);
	list_init(&dispatch->live_owed);
	struct adapter_head head;
	store_head(store, &head);
	memcpy(dispatch->log, head.log, sizeof dispatch->log);
	return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
	if (dispatch != NULL) {
		PRE(dispatch->lanes.count == 0 && list_is_empty(&dispatch->live_owed));
		map_close(&dispatch->lanes);
		map_close(&dispatch->tried);
		attempts_free(dispatch->attempts);
		buf_free(&dispatch->scratch);
		buf_free(&dispatch->cause_text);
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

size_t dispatch_running(const struct dispatch *dispatch)
{
	return dispatch->running;
}

const char *delivery_state_name(const struct delivery *delivery)
{
	static const char *const names[] = {"queued", "ready", "running", "sleeping", "burying"};
	return names[delivery->state];
}

/* ---- records ---- */

void dispatch_put_job(struct dispatch *dispatch, const struct binding *binding,
                      const struct job *job)
{
	struct space_key room;
	buf_clear(&dispatch->scratch);
	job_encode(job, &dispatch->scratch);
	struct record record = {.value = buf_view(&dispatch->scratch)};
	store_put(dispatch->store, space_job(&room, binding->id, job->seq), &record);
}

static void put_record(struct dispatch *dispatch, const struct delivery *delivery)
{
	struct job job = {
	        .version = delivery->binding->version,
	        .seq = delivery->seq,
	        .scope = delivery->scope,
	        .key = delivery->key,
	        .failures = delivery->failures,
	        .first_ms = delivery->first_ms,
	        .due_ms = delivery->state == DELIVERY_SLEEPING ? delivery->due_ms : 0,
	        .asked = delivery->asked,
	        .replay = delivery->replay,
	        .attempts = buf_view(&delivery->history),
	        .event = buf_view(&delivery->event_json),
	};
	dispatch_put_job(dispatch, delivery->binding, &job);
}

static void leave_owed(struct dispatch *dispatch, struct delivery *delivery)
{
	bool was_owed = !list_is_empty(&delivery->owed);
	list_remove(&delivery->owed);
	list_remove(&delivery->live_owed);
	if (was_owed) {
		dispatch->hooks.cursor_moved(dispatch->hooks.ctx, delivery->binding);
	}
}

/* From here on its record answers for it, not the cursor. */
static void record(struct dispatch *dispatch, struct delivery *delivery)
{
	put_record(dispatch, delivery);
	store_commit(dispatch->store, NULL);
	delivery->recorded = true;
	leave_owed(dispatch, delivery);
}

static bool can_put(const struct dispatch *dispatch)
{
	return store_refuses(dispatch->store, NULL) == 0;
}

/* The delivery has an outcome: above the cursor a tombstone keeps it from running again. */
static void put_outcome(struct dispatch *dispatch, const struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	struct space_key room;
	if (delivery->seq <= dispatch->hooks.cursor_of(dispatch->hooks.ctx, binding)) {
		store_delete(dispatch->store, space_job(&room, binding->id, delivery->seq), 0);
		return;
	}
	struct job job = {
	        .version = binding->version,
	        .seq = delivery->seq,
	        .scope = delivery->scope,
	        .key = delivery->key,
	        .done = true,
	};
	dispatch_put_job(dispatch, binding, &job);
	struct tombstone *tombstone = MEM_NEW(struct tombstone);
	tombstone->seq = delivery->seq;
	list_push(&binding->done, &tombstone->link);
}

/* ---- lanes ---- */

static bool same_lane(const struct map_node *node, const void *key)
{
	(void)key;
	return node != NULL; /* the 64 bits of the hash are the lane */
}

static uint64_t lane_of(const struct binding *binding, uint64_t seq, struct span scope,
                        struct span key)
{
	uint64_t lane = hash_bytes(binding->id, 0);
	switch (binding->policy.order) {
	case ORDER_TRIGGER:
		return lane;
	case ORDER_NONE:
		return lane ^ (seq * 0x9e3779b97f4a7c15u);
	case ORDER_KEY:
		break;
	}
	return hash_bytes(key, hash_bytes(scope, lane));
}

static void make_ready(struct delivery *delivery)
{
	delivery->state = DELIVERY_READY;
	list_push(&delivery->binding->ready, &delivery->in_queue);
}

/* Takes its place: at the head of a new lane, or behind everybody of an old one. True: it is head.
 */
static bool enter_lane(struct dispatch *dispatch, struct delivery *delivery)
{
	struct map_node *node = map_get(&dispatch->lanes, delivery->lane, NULL, same_lane);
	if (node == NULL) {
		delivery->lane_tail = delivery;
		map_add(&dispatch->lanes, &delivery->in_lanes, delivery->lane);
		return true;
	}
	struct delivery *head = MEM_CONTAINER(node, struct delivery, in_lanes);
	head->lane_tail->behind = delivery;
	head->lane_tail = delivery;
	return false;
}

static struct delivery *lane_head(const struct dispatch *dispatch, const struct delivery *delivery)
{
	struct map_node *node = map_get(&dispatch->lanes, delivery->lane, NULL, same_lane);
	return MEM_CONTAINER(node, struct delivery, in_lanes);
}

/* Leaves it; the next one, if any, becomes head and is returned. */
static struct delivery *leave_lane(struct dispatch *dispatch, struct delivery *delivery)
{
	struct delivery *head = lane_head(dispatch, delivery);
	if (head == delivery) {
		struct delivery *next = delivery->behind;
		map_remove(&dispatch->lanes, &delivery->in_lanes);
		if (next != NULL) {
			next->lane_tail = delivery->lane_tail;
			map_add(&dispatch->lanes, &next->in_lanes, next->lane);
		}
		return next;
	}
	struct delivery *before = head;
	while (before->behind != delivery) {
		before = before->behind;
	}
	before->behind = delivery->behind;
	if (head->lane_tail == delivery) {
		head->lane_tail = before;
	}
	return NULL;
}

/* ---- life of a delivery ---- */

static void wake(struct alarm *alarm);

static struct delivery *new_delivery(struct dispatch *dispatch, struct binding *binding,
                                     uint64_t seq, struct span scope, struct span key)
{
	struct delivery *delivery = mem_new(sizeof *delivery + scope.len + key.len);
	delivery->binding = binding;
	delivery->seq = seq;
	delivery->born_ms = clock_mono_ms();
	memcpy(delivery->text, scope.ptr, scope.len);
	memcpy(delivery->text + scope.len, key.ptr, key.len);
	delivery->scope = span_make(delivery->text, scope.len);
	delivery->key = span_make(delivery->text + scope.len, key.len);
	delivery->lane = lane_of(binding, seq, scope, key);
	list_init(&delivery->in_queue);
	list_init(&delivery->owed);
	list_init(&delivery->live_owed);
	list_push(&binding->deliveries, &delivery->in_binding);
	delivery->alarm.fn = wake;
	delivery->dispatch = dispatch;
	binding->held++;
	return delivery;
}

static void free_delivery(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	alarm_clear(dispatch->alarms, &delivery->alarm);
	list_remove(&delivery->in_binding);
	list_remove(&delivery->in_queue);
	if (delivery->is_tried) {
		map_remove(&dispatch->tried, &delivery->tried);
	}
	leave_owed(dispatch, delivery);
	binding->held--;
	buf_free(&delivery->history);
	buf_free(&delivery->event_json);
	buf_free(&delivery->doom);
	mem_free(delivery);
}

/* Settled: the next of its key may go, and there is room for one more. */
static void settle(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	struct delivery *next = leave_lane(dispatch, delivery);
	if (next != NULL && next->state == DELIVERY_QUEUED) {
		make_ready(next);
	}
	if (delivery->recorded && can_put(dispatch)) {
		put_outcome(dispatch, delivery);
		store_commit(dispatch->store, NULL);
	}
	free_delivery(dispatch, delivery);
	pump(dispatch, binding);
	if (binding->held == dispatch->options.job_max / 2) {
		dispatch->hooks.has_room(dispatch->hooks.ctx, binding);
	}
}

static void wake(struct alarm *alarm)
{
	struct delivery *delivery = MEM_CONTAINER(alarm, struct delivery, alarm);
	struct binding *binding = delivery->binding;
	make_ready(delivery);
	pump(delivery->dispatch, binding);
}

static void sleep_until(struct dispatch *dispatch, struct delivery *delivery, int64_t wait_ms)
{
	delivery->state = DELIVERY_SLEEPING;
	delivery->due_ms = clock_wall_ms() + wait_ms;
	alarm_set(dispatch->alarms, &delivery->alarm, delivery->due_ms);
}

/* ---- giving up ---- */

/* One burial: the event is read, the dead letter and the outcome go into one group. */
struct burial {
	struct entry entry;
	struct store_waiter waiter;
	struct dispatch *dispatch;
	struct delivery *delivery; /* NULL once its binding was detached */
};

static void burial_is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct burial *burial = MEM_CONTAINER(waiter, struct burial, waiter);
	struct delivery *delivery = burial->delivery;
	if (delivery != NULL && status != 0) {
		log_warn("dispatch", "a dead letter was not written, trying again: %s", err->text);
		delivery->burial = NULL;
		sleep_until(burial->dispatch, delivery, REFUSED_WAIT_MS);
	} else if (delivery != NULL) {
		delivery->binding->buried++;
		delivery->burial = NULL;
		delivery->recorded = false; /* its outcome is put already */
		settle(burial->dispatch, delivery);
	}
	mem_free(burial);
}

static void put_burial(struct burial *burial, const struct event *event)
{
	struct dispatch *dispatch = burial->dispatch;
	struct delivery *delivery = burial->delivery;
	struct span code = span_of(delivery->doom.ptr);
	dead_put(dispatch->dead, delivery, event, code,
	         span_make(code.ptr + code.len + 1, delivery->doom.len - code.len - 1));
	put_outcome(dispatch, delivery);
	burial->waiter.done = burial_is_durable;
	store_commit(dispatch->store, &burial->waiter);
}

static void burial_has_event(struct entry *entry, int status, struct span bytes,
                             const struct err *err)
{
	struct burial *burial = MEM_CONTAINER(entry, struct burial, entry);
	struct delivery *delivery = burial->delivery;
	struct event event;
	struct err broken;
	if (delivery == NULL) {
		mem_free(burial);
		return;
	}
	if (!can_put(burial->dispatch)) {
		delivery->burial = NULL;
		sleep_until(burial->dispatch, delivery, REFUSED_WAIT_MS);
		mem_free(burial);
		return;
	}
	if (status == 0 && event_decode(delivery->seq, bytes, &event, &broken) == 0) {
		put_burial(burial, &event);
		return;
	}
	log_error("dispatch", "event %llu of a dead letter cannot be read: %s",
	          (unsigned long long)delivery->seq, status != 0 ? err->text : broken.text);
	put_burial(burial, NULL);
}

/* From here on the delivery is only to be buried, however often that has to be tried. */
static void doom(struct delivery *delivery, struct span code, struct span message)
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
		sleep_until(dispatch, delivery,
		            can_put(dispatch) ? DEAD_FULL_WAIT_MS : REFUSED_WAIT_MS);
		return;
	}
	struct burial *burial = MEM_NEW(struct burial);
	burial->dispatch = dispatch;
	burial->delivery = delivery;
	delivery->state = DELIVERY_BURYING;
	delivery->burial = &burial->delivery;
	if (delivery->event_json.len != 0) {
		put_burial(burial, NULL);
		return;
	}
	burial->entry.done = burial_has_event;
	entry_get(dispatch->store, &burial->entry, delivery->seq);
}

/* ---- attempts ---- */

struct tried_key {
	struct span id;
	uint64_t seq;
};

static bool is_tried_one(const struct map_node *node, const void *key)
{
	const struct delivery *delivery = MEM_CONTAINER(node, struct delivery, tried);
	const struct tried_key *wanted = key;
	return delivery->seq == wanted->seq && span_equal(delivery->binding->id, wanted->id);
}

static uint64_t tried_hash(struct tried_key key)
{
	return hash_bytes(key.id, key.seq);
}

static void start(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	list_remove(&delivery->in_queue);
	if (delivery->doom.len != 0) {
		bury(dispatch, delivery);
		return;
	}
	if (!delivery->is_tried) {
		struct tried_key key = {binding->id, delivery->seq};
		delivery->is_tried = true;
		map_add(&dispatch->tried, &delivery->tried, tried_hash(key));
	}
	delivery->state = DELIVERY_BUSY;
	binding->busy++;
	dispatch->running++;
	attempt_start(dispatch->attempts, delivery);
}

static bool may_start(const struct binding *binding, const struct delivery *delivery)
{
	if (delivery->doom.len != 0) {
		return true;
	}
	bool must_ask = binding->condition_watch.function != NULL && !delivery->asked;
	const struct function *function =
	        must_ask ? binding->condition_watch.function : binding->watch.function;
	if (function_is_ready(function)) {
		return true;
	}
	/* The engine's own functions serve every namespace. */
	return function_find(function->functions, function->namespace_, function->id) != NULL &&
	       !function_is_offered(function);
}

static void pump(struct dispatch *dispatch, struct binding *binding)
{
	/* An attempt may end at once and lead back here; the outer loop goes on then. */
	if (binding->pumping || binding->held_back_from != 0 || dispatch->stopping) {
		return;
	}
	binding->pumping = true;
	while (!list_is_empty(&binding->ready) && binding->busy < binding->policy.concurrency) {
		struct delivery *delivery = LIST_FIRST(&binding->ready, struct delivery, in_queue);
		if (!may_start(binding, delivery)) {
			break;
		}
		start(dispatch, delivery);
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

static void retry_or_bury(struct dispatch *dispatch, struct delivery *delivery,
                          const struct attempt_end *end)
{
	struct binding *binding = delivery->binding;
	note_failure(delivery, end);
	uint32_t random;
	id_random(&random, sizeof random);
	int64_t age_ms = clock_wall_ms() - delivery->first_ms;
	int64_t wait_ms = retry_wait_ms(&binding->retry, delivery->failures, age_ms, random);
	if (end->verdict == VERDICT_BURY || wait_ms < 0) {
		doom(delivery, end->code, end->message);
		bury(dispatch, delivery);
		return;
	}
	if (end->retry_after_ms >= 0) {
		wait_ms = end->retry_after_ms;
	}
	binding->retried++;
	sleep_until(dispatch, delivery, wait_ms);
	log_info("dispatch",
	         "event %llu for %.*s failed (attempt %u: %.*s: %.*s); again in %lld ms",
	         (unsigned long long)delivery->seq, SPAN_ARG(binding->id), delivery->failures,
	         SPAN_ARG(end->code), SPAN_ARG(end->message), (long long)wait_ms);
	if (can_put(dispatch)) {
		record(dispatch, delivery);
	}
}

static void attempt_ended(void *ctx, struct delivery *delivery, const struct attempt_end *end)
{
	struct dispatch *dispatch = ctx;
	struct binding *binding = delivery->binding;
	binding->busy--;
	dispatch->running--;
	switch (end->verdict) {
	case VERDICT_DONE:
		binding->delivered++;
		settle(dispatch, delivery);
		return;
	case VERDICT_UNWANTED:
		binding->condition_no++;
		settle(dispatch, delivery);
		return;
	case VERDICT_AGAIN: {
		int64_t wait_ms = AGAIN_FIRST_MS << (delivery->stopped < 7 ? delivery->stopped : 7);
		delivery->stopped++;
		sleep_until(dispatch, delivery, wait_ms < AGAIN_MOST_MS ? wait_ms : AGAIN_MOST_MS);
		break;
	}
	case VERDICT_RETRY:
	case VERDICT_BURY:
		retry_or_bury(dispatch, delivery, end);
		break;
	}
	pump(dispatch, binding);
}

static void function_changed(struct function_watch *watch)
{
	struct binding *binding = MEM_CONTAINER(watch, struct binding, watch);
	pump(binding->dispatch, binding);
}

static void condition_changed(struct function_watch *watch)
{
	struct binding *binding = MEM_CONTAINER(watch, struct binding, condition_watch);
	pump(binding->dispatch, binding);
}

/* ---- bindings ---- */

void dispatch_attach(struct dispatch *dispatch, struct binding *binding)
{
	binding->dispatch = dispatch;
	list_init(&binding->deliveries);
	list_init(&binding->ready);
	list_init(&binding->owed);
	list_init(&binding->done);
	binding->watch.changed = function_changed;
	binding->condition_watch.changed = condition_changed;
	function_watch(dispatch->functions, binding->namespace_, binding->function_id,
	               &binding->watch);
	if (binding->policy.condition_function_id.len != 0) {
		function_watch(dispatch->functions, binding->namespace_,
		               binding->policy.condition_function_id, &binding->condition_watch);
	}
}

/* Out of everything, without an outcome. */
static void discard(struct dispatch *dispatch, struct delivery *delivery)
{
	if (delivery->attempt != NULL) {
		delivery->binding->busy--;
		dispatch->running--;
		attempt_drop(dispatch->attempts, delivery);
	}
	if (delivery->burial != NULL) {
		*delivery->burial = NULL;
	}
	(void)leave_lane(dispatch, delivery);
	free_delivery(dispatch, delivery);
}

static void discard_all(struct dispatch *dispatch, struct binding *binding, bool keep_records)
{
	binding->pumping = true; /* nothing of it starts any more */
	while (!list_is_empty(&binding->deliveries)) {
		struct delivery *last =
		        MEM_CONTAINER(binding->deliveries.prev, struct delivery, in_binding);
		if (last->recorded && !keep_records) {
			struct space_key room;
			store_delete(dispatch->store, space_job(&room, binding->id, last->seq), 0);
		}
		discard(dispatch, last);
	}
	binding->pumping = false;
}

void dispatch_detach(struct dispatch *dispatch, struct binding *binding, bool keep_records)
{
	discard_all(dispatch, binding, keep_records);
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (!keep_records) {
			struct space_key room;
			store_delete(dispatch->store, space_job(&room, binding->id, tombstone->seq),
			             0);
		}
		list_remove(link);
		mem_free(tombstone);
	}
	function_unwatch(&binding->watch);
	function_unwatch(&binding->condition_watch);
}

void dispatch_bury_all(struct dispatch *dispatch, struct binding *binding, uint64_t to_seq,
                       const char *code, const char *message)
{
	uint64_t from_seq = binding->lagging ? binding->next_seq : to_seq;
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		from_seq = delivery->seq < from_seq ? delivery->seq : from_seq;
	}
	dead_put_range(dispatch->dead, binding, from_seq, to_seq, code, message);
	discard_all(dispatch, binding, false);
}

void dispatch_hold_back(struct dispatch *dispatch, struct binding *binding, uint64_t from_seq)
{
	binding->held_back_from = from_seq;
	pump(dispatch, binding);
}

void dispatch_drop_from(struct dispatch *dispatch, struct binding *binding, uint64_t seq)
{
	struct list *at = binding->deliveries.prev;
	while (at != &binding->deliveries) {
		struct delivery *delivery = MEM_CONTAINER(at, struct delivery, in_binding);
		at = at->prev;
		if (delivery->seq >= seq) {
			if (delivery->recorded) {
				struct space_key room;
				store_delete(dispatch->store,
				             space_job(&room, binding->id, delivery->seq), 0);
			}
			discard(dispatch, delivery);
		}
	}
}

bool dispatch_has_room(const struct dispatch *dispatch, const struct binding *binding)
{
	return binding->held < dispatch->options.job_max;
}

bool dispatch_owes_nothing(const struct binding *binding)
{
	return list_is_empty(&binding->deliveries);
}

static void join_live(struct dispatch *dispatch, struct delivery *delivery)
{
	/* By seq: nearly always at the end. */
	struct list *before = &dispatch->live_owed;
	while (before->prev != &dispatch->live_owed &&
	       MEM_CONTAINER(before->prev, struct delivery, live_owed)->seq > delivery->seq) {
		before = before->prev;
	}
	list_insert(&delivery->live_owed, before);
}

static bool is_answered_for(struct dispatch *dispatch, const struct binding *binding, uint64_t seq)
{
	if (seq > binding->known_until) {
		return false;
	}
	LIST_EACH(&binding->done, link)
	{
		if (MEM_CONTAINER(link, struct tombstone, link)->seq == seq) {
			return true;
		}
	}
	LIST_EACH(&binding->deliveries, link)
	{
		if (MEM_CONTAINER(link, struct delivery, in_binding)->seq == seq) {
			return true;
		}
	}
	(void)dispatch;
	return false;
}

void dispatch_offer(struct dispatch *dispatch, struct binding *binding, const struct event *event,
                    bool looped)
{
	if (is_answered_for(dispatch, binding, event->seq)) {
		return;
	}
	binding->matched++;
	struct delivery *delivery =
	        new_delivery(dispatch, binding, event->seq, event->scope, event->key);
	list_push(&binding->owed, &delivery->owed);
	if (!binding->lagging) {
		join_live(dispatch, delivery);
	}
	if (looped) {
		doom(delivery, SPAN("loop_detected"),
		     SPAN("the chain of changes that led to this event is too long; a function "
		          "that this "
		          "trigger wakes probably writes what wakes it"));
	}
	if (enter_lane(dispatch, delivery)) {
		make_ready(delivery);
		pump(dispatch, binding);
	}
}

void dispatch_adopt(struct dispatch *dispatch, struct binding *binding, const struct job *job)
{
	if (job->seq > binding->known_until) {
		binding->known_until = job->seq;
	}
	if (job->done) {
		struct tombstone *tombstone = MEM_NEW(struct tombstone);
		tombstone->seq = job->seq;
		list_push(&binding->done, &tombstone->link);
		return;
	}
	struct delivery *delivery = new_delivery(dispatch, binding, job->seq, job->scope, job->key);
	delivery->recorded = true;
	delivery->failures = job->failures;
	delivery->first_ms = job->first_ms;
	delivery->asked = job->asked;
	delivery->replay = job->replay;
	buf_span(&delivery->history, job->attempts);
	buf_span(&delivery->event_json, job->event);
	bool is_head = enter_lane(dispatch, delivery);
	if (!is_head) {
		return;
	}
	if (job->due_ms > clock_wall_ms()) {
		sleep_until(dispatch, delivery, job->due_ms - clock_wall_ms());
	} else {
		make_ready(delivery);
		pump(dispatch, binding);
	}
}

/* ---- cursors ---- */

uint64_t dispatch_first_owed(const struct dispatch *dispatch)
{
	const struct list *live = &dispatch->live_owed;
	return list_is_empty(live) ? 0 : MEM_CONTAINER(live->next, struct delivery, live_owed)->seq;
}

uint64_t dispatch_first_owed_by(const struct binding *binding)
{
	const struct list *owed = &binding->owed;
	return list_is_empty(owed) ? 0 : MEM_CONTAINER(owed->next, struct delivery, owed)->seq;
}

uint64_t dispatch_first_needed_by(const struct binding *binding)
{
	uint64_t first = 0;
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		bool needs = delivery->event_json.len == 0;
		if (needs && (first == 0 || delivery->seq < first)) {
			first = delivery->seq;
		}
	}
	return first;
}

void dispatch_set_lagging(struct dispatch *dispatch, struct binding *binding, bool lagging)
{
	binding->lagging = lagging;
	LIST_EACH(&binding->owed, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, owed);
		list_remove(&delivery->live_owed);
		if (!lagging) {
			join_live(dispatch, delivery);
		}
	}
}

/* Nothing of its lane that comes before it is without a record. */
static bool stands_behind_record(const struct dispatch *dispatch, const struct delivery *delivery)
{
	return delivery->state == DELIVERY_QUEUED && lane_head(dispatch, delivery)->recorded;
}

static void sweep_one(struct dispatch *dispatch, struct delivery *delivery)
{
	struct binding *binding = delivery->binding;
	bool needs_record = delivery->state == DELIVERY_BUSY ||
	                    delivery->state == DELIVERY_SLEEPING ||
	                    stands_behind_record(dispatch, delivery);
	if (needs_record && can_put(dispatch)) {
		record(dispatch, delivery);
	} else if (!needs_record && !binding->lagging) {
		dispatch->hooks.must_lag(dispatch->hooks.ctx, binding);
	}
}

bool dispatch_sweep(struct dispatch *dispatch, struct binding *binding)
{
	int64_t old = clock_mono_ms() - DISPATCH_RECORD_AGE_MS;
	LIST_EACH(&binding->owed, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, owed);
		if (delivery->born_ms > old) {
			break;
		}
		sweep_one(dispatch, delivery);
	}
	return !list_is_empty(&binding->owed);
}

void dispatch_forget_done(struct dispatch *dispatch, struct binding *binding, uint64_t cursor)
{
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		if (tombstone->seq <= cursor) {
			struct space_key room;
			store_delete(dispatch->store, space_job(&room, binding->id, tombstone->seq),
			             0);
			list_remove(link);
			mem_free(tombstone);
		}
	}
}

void dispatch_put_all(struct dispatch *dispatch, struct binding *binding)
{
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->recorded) {
			put_record(dispatch, delivery);
		}
	}
	LIST_EACH(&binding->done, link)
	{
		struct tombstone *tombstone = MEM_CONTAINER(link, struct tombstone, link);
		struct job job = {.version = binding->version,
		                  .seq = tombstone->seq,
		                  .scope = SPAN(""),
		                  .key = SPAN(""),
		                  .done = true};
		dispatch_put_job(dispatch, binding, &job);
	}
}

/* ---- causes ---- */

int dispatch_cause(void *ctx, struct span baggage, struct event_cause *cause, struct err *err)
{
	struct dispatch *dispatch = ctx;
	struct baggage found;
	buf_clear(&dispatch->cause_text);
	if (!baggage_parse(baggage, &dispatch->cause_text, &found)) {
		return 0;
	}
	struct span id = found.delivery;
	const char *slash = memchr(id.ptr, '/', id.len);
	struct span log;
	uint64_t epoch;
	struct tried_key key;
	if (slash == NULL ||
	    !event_parse_id(span_make(id.ptr, (size_t)(slash - id.ptr)), &log, &epoch, &key.seq)) {
		return 0;
	}
	key.id = span_make(slash + 1, id.len - (size_t)(slash + 1 - id.ptr));
	const char *replay = memmem(key.id.ptr, key.id.len, "/r", 2);
	if (replay != NULL) {
		key.id.len = (size_t)(replay - key.id.ptr);
	}
	struct map_node *node = map_get(&dispatch->tried, tried_hash(key), &key, is_tried_one);
	if (node == NULL) {
		return 0; /* settled: a handler may go on working after its answer */
	}
	struct delivery *delivery = MEM_CONTAINER(node, struct delivery, tried);
	if (found.attempt < attempt_number(delivery)) {
		return err_set(
		        err, E_CONFLICT, "stale_delivery",
		        "this write comes from attempt %u of delivery %.*s, which has been given "
		        "up: attempt %u has taken its place",
		        found.attempt, SPAN_ARG(id), attempt_number(delivery));
	}
	(void)attempt_cause(delivery, span_of(dispatch->log), &dispatch->scratch, cause);
	return 0;
}
