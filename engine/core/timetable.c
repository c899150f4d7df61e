/* This file keeps the entries of cron triggers by when they are due, and fires them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/timetable.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/timetable_entry.h"
#include "engine/durable/space.h"

enum {
	TURN_MAX = 256,        /* entries in a turn of the loop */
	LOOK_MS = 10,          /* real: until one that waits is looked at again */
	REFUSED_MS = 1000,     /* real: the same, when the store refuses */
	ZONE_GONE_MS = 60000,  /* until a zone that cannot be read is tried again */
	ON_TIME_MS = 60000,    /* a time is not missed before it is so old */
	COUNTED_MOST = 100000, /* times that are counted one by one */
};

/* The records are read again. */
struct reading {
	struct timetable *table; /* NULL once that was freed */
	struct store_scan scan;
	struct err err;
	int status;
};

struct timetable {
	struct store *store;
	struct alarms *alarms;
	struct react *react;
	struct dispatch *dispatch;
	struct timetable_hooks hooks;
	struct heap due;
	struct list entries;
	struct list waiting; /* timetable_entry.waiting */
	struct alarm alarm;  /* the first that is due */
	struct alarm look;
	struct reading *reading;
	bool must_read; /* once more, as it did not go well */
	bool started;
	int64_t started_ms; /* wall clock */
	struct timetable_figures figures;
};

static const struct cron_rule *rule_of(const struct timetable_entry *entry)
{
	return entry->binding->filter->cron;
}

static void arm(struct timetable *table)
{
	struct heap_node *first = heap_first(&table->due);
	if (first != NULL && table->started && table->reading == NULL) {
		alarm_set(table->alarms, &table->alarm, first->rank);
	} else {
		alarm_clear(table->alarms, &table->alarm);
	}
}

static void look_in(struct timetable *table, int64_t wait_ms)
{
	if (!alarm_is_set(&table->look)) {
		alarm_set_real(table->alarms, &table->look, wait_ms);
	}
}

static void zone_is_gone(struct timetable_entry *entry, const struct err *err)
{
	log_error("timetable", "trigger %.*s cannot tell its times, trying again in a minute: %s",
	          SPAN_ARG(entry->binding->id), err->text);
	heap_remove(&entry->table->due, &entry->node);
	heap_add(&entry->table->due, &entry->node, clock_wall_ms() + ZONE_GONE_MS);
}

/* When is it due next? */
static void plan(struct timetable_entry *entry)
{
	struct heap *due = &entry->table->due;
	const struct cron_rule *rule = rule_of(entry);
	struct err err;
	int64_t next_ms = 0;
	int status = cron_rule_next(rule, entry->place.until_ms, &next_ms, &err);
	heap_remove(due, &entry->node);
	list_remove(&entry->waiting);
	entry->due_ms = 0;
	if (status == E_NOT_FOUND) {
		return;
	}
	if (status != 0) {
		zone_is_gone(entry, &err);
		return;
	}
	entry->due_ms = next_ms + cron_rule_delay(rule, entry->binding->id, next_ms);
	heap_add(due, &entry->node, entry->due_ms);
}

static void put_record(struct timetable_entry *entry)
{
	struct space_key room;
	struct buf value = {0};
	timetable_place_encode(&entry->place, &value);
	const struct record record = {.value = buf_view(&value)};
	store_put(entry->table->store, space_cron(&room, entry->binding->id), &record);
	buf_free(&value);
}

/* ---- the last fire ---- */

struct survey {
	const struct timetable *table;
	uint64_t seq; /* of the last fire */
	bool is_busy; /* it runs or waits */
	bool is_unread;
};

static void survey_version(void *ctx, struct binding *binding)
{
	struct survey *survey = ctx;
	bool judges = binding->from_seq <= survey->seq &&
	              (binding->until_seq == 0 || survey->seq < binding->until_seq);
	survey->is_busy |= binding->held != 0;
	if (judges && !react_has_passed(survey->table->react, binding, survey->seq)) {
		survey->is_busy |= binding->lagging;
		survey->is_unread |= !binding->lagging;
	}
}

static struct survey survey_of(const struct timetable_entry *entry)
{
	const struct timetable *table = entry->table;
	struct survey survey = {.table = table, .seq = entry->place.last_seq};
	table->hooks.each_version(table->hooks.ctx, entry->binding->id, survey_version, &survey);
	return survey;
}

static struct delivery *first_to_cancel(const struct binding *binding)
{
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->state != DELIVERY_BURYING && delivery->state != DELIVERY_BLOCKED) {
			return delivery;
		}
	}
	return NULL;
}

/* Cancelling one may end others: the list is looked at anew each time. */
static void cancel_version(void *ctx, struct binding *binding)
{
	const struct timetable *table = ctx;
	struct delivery *delivery;
	while ((delivery = first_to_cancel(binding)) != NULL) {
		dispatch_cancel(table->dispatch, delivery);
	}
}

/* ---- firing ---- */

static void write_told(const struct timetable_entry *entry, int64_t time_ms, int64_t now_ms,
                       uint64_t missed, struct buf *out)
{
	const struct cron_rule *rule = rule_of(entry);
	char scheduled[CLOCK_TEXT_LEN + 1];
	char fired[CLOCK_TEXT_LEN + 1];
	clock_format(time_ms, scheduled);
	clock_format(now_ms, fired);
	buf_byte(out, '{');
	json_write_member_string(out, "trigger_id", entry->binding->id);
	json_write_member_string(out, "scheduled_at", span_of(scheduled));
	json_write_member_string(out, "fired_at", span_of(fired));
	json_write_member_string(out, "expression", rule->expression);
	json_write_member_string(out, "zone", rule->zone);
	if (missed != 0) {
		json_write_member_uint(out, "missed", missed);
	}
	buf_byte(out, '}');
}

static void put_fire(struct timetable_entry *entry, int64_t time_ms, uint64_t missed)
{
	struct store *store = entry->table->store;
	struct adapter_head head;
	struct buf told = {0};
	int64_t now_ms = store_time_ms(store);
	uint32_t value_at;
	store_head(store, &head);
	write_told(entry, time_ms, now_ms, missed, &told);
	const struct event event = {
	        .kind = EVENT_CRON,
	        .seq = store_next_seq(store),
	        .epoch = head.epoch,
	        .scope = entry->binding->id,
	        .new_value = buf_view(&told),
	        .time_ms = now_ms,
	};
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store);
	buf_free(&told);
	entry->place.last_ms = time_ms;
	entry->place.last_seq = event.seq;
	entry->place.fired++;
}

/* How many of the times that have come are to fire. */
static uint64_t wanted(const struct timetable_entry *entry, int64_t last_ms, uint64_t come,
                       int64_t now_ms)
{
	const struct cron_rule *rule = rule_of(entry);
	int64_t delay_ms = cron_rule_delay(rule, entry->binding->id, last_ms);
	switch (rule->catch_up) {
	case CRON_ALL:
		return come < (uint64_t)rule->most ? come : (uint64_t)rule->most;
	case CRON_SKIP:
		return now_ms - last_ms - delay_ms > ON_TIME_MS ? 0 : 1;
	case CRON_ONCE:
		break;
	}
	return 1;
}

/* The last `count` times up to this one, the oldest first. */
static int fire(struct timetable_entry *entry, int64_t last_ms, uint64_t count, uint64_t missed,
                struct err *err)
{
	int64_t *times = MEM_ARRAY(int64_t, count + 1);
	int status = 0;
	times[count] = last_ms + 1;
	for (uint64_t i = count; status == 0 && i-- > 0;) {
		status = cron_rule_last(rule_of(entry), times[i + 1] - 1, &times[i], err);
	}
	for (uint64_t i = 0; status == 0 && i < count; i++) {
		put_fire(entry, times[i], i == 0 ? missed : 0);
	}
	mem_free(times);
	return status;
}

static void note_fires(struct timetable_entry *entry, int64_t last_ms, uint64_t fires,
                       int64_t now_ms)
{
	struct timetable *table = entry->table;
	int64_t due_ms = last_ms + cron_rule_delay(rule_of(entry), entry->binding->id, last_ms);
	table->figures.fired += fires;
	if (fires != 0 && due_ms >= table->started_ms) {
		histogram_add(&table->figures.late, now_ms - due_ms);
	}
}

/* Times up to `last_ms` have come. */
static int pass(struct timetable_entry *entry, int64_t last_ms, int64_t now_ms, bool is_busy,
                struct err *err)
{
	struct timetable *table = entry->table;
	struct binding *binding = entry->binding;
	uint64_t come = 0;
	int status = cron_rule_count(rule_of(entry), entry->place.until_ms, last_ms, COUNTED_MOST,
	                             &come, err);
	uint64_t fires = wanted(entry, last_ms, come, now_ms);
	uint64_t missed = come > fires ? come - fires : 0;
	if (status != 0) {
		return status;
	}
	if (binding->pause.is_on) { /* in a way that drops */
		binding->dropped += come;
	} else if (rule_of(entry)->overlap == OVERLAP_SKIP && is_busy) {
		entry->place.skipped += fires;
		entry->place.missed += missed;
	} else {
		if (rule_of(entry)->overlap == OVERLAP_CANCEL && fires != 0) {
			table->hooks.each_version(table->hooks.ctx, binding->id, cancel_version,
			                          table);
		}
		status = fire(entry, last_ms, fires, missed, err);
		entry->place.missed += status == 0 ? missed : 0;
		note_fires(entry, last_ms, status == 0 ? fires : 0, now_ms);
	}
	if (status == 0) {
		entry->place.until_ms = last_ms;
		put_record(entry);
	}
	return status;
}

static bool must_wait(const struct timetable_entry *entry, const struct survey *survey)
{
	enum cron_overlap overlap = rule_of(entry)->overlap;
	bool asks = overlap == OVERLAP_SKIP || overlap == OVERLAP_CANCEL;
	return entry->binding->held_back_from != 0 || (asks && survey->is_unread);
}

static void look_at(struct timetable_entry *entry, int64_t now_ms)
{
	struct err err;
	int64_t last_ms;
	heap_remove(&entry->table->due, &entry->node);
	if (pause_holds(&entry->binding->pause)) {
		entry->due_ms = 0;
		return;
	}
	const struct survey survey = survey_of(entry);
	if (must_wait(entry, &survey)) {
		list_push(&entry->table->waiting, &entry->waiting);
		look_in(entry->table, LOOK_MS);
		return;
	}
	int status = timetable_entry_last(entry, rule_of(entry), now_ms, &last_ms, &err);
	if (status == 0 && last_ms > entry->place.until_ms) {
		status = pass(entry, last_ms, now_ms, survey.is_busy, &err);
	}
	if (status == 0) {
		plan(entry);
	} else {
		zone_is_gone(entry, &err);
	}
}

static void some_are_due(struct alarm *alarm)
{
	struct timetable *table = MEM_CONTAINER(alarm, struct timetable, alarm);
	int64_t now_ms = clock_wall_ms();
	struct err err;
	struct heap_node *first;
	if (store_refuses(table->store, &err) != 0) {
		look_in(table, REFUSED_MS);
		return;
	}
	uint64_t before = store_next_seq(table->store);
	for (int i = 0; i < TURN_MAX; i++) {
		first = heap_first(&table->due);
		if (first == NULL || first->rank > now_ms) {
			break;
		}
		look_at(MEM_CONTAINER(first, struct timetable_entry, node), now_ms);
	}
	if (store_next_seq(table->store) != before) {
		crash_at(CRASH_CRON);
		store_commit(table->store, NULL);
	} else {
		store_commit_lazy(table->store);
	}
	arm(table);
}

static void read_again(struct timetable *table);

static void look_is_due(struct alarm *alarm)
{
	struct timetable *table = MEM_CONTAINER(alarm, struct timetable, look);
	if (table->must_read && table->reading == NULL) {
		read_again(table);
	}
	while (!list_is_empty(&table->waiting)) {
		plan(LIST_FIRST(&table->waiting, struct timetable_entry, waiting));
	}
	arm(table);
}

/* ---- after a recovery ---- */

static bool record_row(void *ctx, struct span key, const struct record *record)
{
	struct reading *reading = ctx;
	struct timetable *table = reading->table;
	struct span id;
	if (table == NULL) {
		return false;
	}
	struct binding *binding =
	        space_parse_cron(key, &id) ? table->hooks.find(table->hooks.ctx, id) : NULL;
	if (binding != NULL && binding->times != NULL) {
		reading->status = timetable_read(binding, record->value, &reading->err);
	}
	return reading->status == 0;
}

/* One whose record is not there came in the group that was lost, and so has not fired yet. */
static void take_places(struct timetable *table)
{
	LIST_EACH(&table->entries, link)
	{
		struct timetable_entry *entry = MEM_CONTAINER(link, struct timetable_entry, link);
		if (!entry->is_read) {
			entry->place = (struct timetable_place){.until_ms = entry->begun_ms};
			put_record(entry);
		}
		plan(entry);
	}
	store_commit_lazy(table->store);
}

static void records_are_read(struct store_scan *scan, int status, bool more, uint64_t group,
                             const struct err *err)
{
	(void)more;
	(void)group;
	struct reading *reading = MEM_CONTAINER(scan, struct reading, scan);
	struct timetable *table = reading->table;
	status = status != 0 ? status : reading->status;
	err = reading->status != 0 ? &reading->err : err;
	if (table != NULL) {
		table->reading = NULL;
		if (status == 0 && store_can_put(table->store)) {
			table->must_read = false;
			take_places(table);
			arm(table);
		} else {
			log_warn("timetable", "cron triggers wait, their records were not read: %s",
			         status != 0 ? err->text : "the store is not ready");
			look_in(table, REFUSED_MS);
		}
	}
	mem_free(reading);
}

static void read_again(struct timetable *table)
{
	LIST_EACH(&table->entries, link)
	{
		MEM_CONTAINER(link, struct timetable_entry, link)->is_read = false;
	}
	struct reading *reading = MEM_NEW(struct reading);
	reading->table = table;
	reading->scan = (struct store_scan){.range = space_crons(),
	                                    .row = record_row,
	                                    .ctx = reading,
	                                    .done = records_are_read};
	table->reading = reading;
	table->must_read = true;
	arm(table);
	store_scan_start(table->store, &reading->scan);
}

void timetable_recovered(struct timetable *table)
{
	bool is_needed = table->started && !list_is_empty(&table->entries);
	if (is_needed && table->reading == NULL) {
		read_again(table);
	}
}

/* ---- entries ---- */

static struct timetable_entry *enter(struct timetable *table, struct binding *binding)
{
	struct timetable_entry *entry = MEM_NEW(struct timetable_entry);
	entry->table = table;
	entry->binding = binding;
	list_init(&entry->waiting);
	list_push(&table->entries, &entry->link);
	binding->times = entry;
	return entry;
}

void timetable_begin(struct timetable *table, struct binding *fresh, struct binding *old)
{
	struct timetable_entry *entry = enter(table, fresh);
	const struct timetable_entry *before = old != NULL ? old->times : NULL;
	entry->place.until_ms = clock_wall_ms();
	if (before != NULL && cron_rule_is_as(rule_of(before), rule_of(entry))) {
		entry->place = before->place;
	}
	entry->begun_ms = entry->place.until_ms;
	entry->is_read = true;
	if (old != NULL) {
		timetable_end(table, old, true); /* the record is the new one's */
	}
	put_record(entry);
	if (table->started) {
		plan(entry);
		arm(table);
	}
}

void timetable_adopt(struct timetable *table, struct binding *binding)
{
	(void)enter(table, binding);
}

int timetable_read(struct binding *binding, struct span value, struct err *err)
{
	struct timetable_entry *entry = binding->times;
	int status = timetable_place_decode(value, &entry->place, err);
	if (status == 0) {
		entry->begun_ms = entry->place.until_ms;
		entry->is_read = true;
	}
	return status;
}

void timetable_end(struct timetable *table, struct binding *binding, bool keep_record)
{
	struct timetable_entry *entry = binding->times;
	struct space_key room;
	if (entry == NULL) {
		return;
	}
	if (!keep_record) {
		store_delete(table->store, space_cron(&room, binding->id), 0);
	}
	heap_remove(&table->due, &entry->node);
	list_remove(&entry->waiting);
	list_remove(&entry->link);
	binding->times = NULL;
	mem_free(entry);
	arm(table);
}

void timetable_go_on(struct timetable *table, struct binding *binding)
{
	if (binding->times != NULL && table->started) {
		plan(binding->times);
		arm(table);
	}
}

bool timetable_show(const struct binding *binding, struct timetable_view *out)
{
	const struct timetable_entry *entry = binding->times;
	if (entry == NULL) {
		return false;
	}
	*out = (struct timetable_view){
	        .next_ms = pause_holds(&binding->pause) ? 0 : entry->due_ms,
	        .last_ms = entry->place.last_ms,
	        .fired = entry->place.fired,
	        .skipped = entry->place.skipped,
	        .missed = entry->place.missed,
	};
	return true;
}

/* ---- life ---- */

struct timetable *timetable_new(struct store *store, struct alarms *alarms, struct react *react,
                                struct dispatch *dispatch, const struct timetable_hooks *hooks)
{
	struct timetable *table = MEM_NEW(struct timetable);
	table->store = store;
	table->alarms = alarms;
	table->react = react;
	table->dispatch = dispatch;
	table->hooks = *hooks;
	table->alarm.fn = some_are_due;
	table->look.fn = look_is_due;
	list_init(&table->entries);
	list_init(&table->waiting);
	return table;
}

void timetable_free(struct timetable *table)
{
	if (table == NULL) {
		return;
	}
	PRE(list_is_empty(&table->entries));
	if (table->reading != NULL) {
		table->reading->table = NULL;
	}
	alarm_clear(table->alarms, &table->alarm);
	alarm_clear(table->alarms, &table->look);
	heap_close(&table->due);
	mem_free(table);
}

const struct timetable_figures *timetable_figures(const struct timetable *table)
{
	return &table->figures;
}

void timetable_start(struct timetable *table)
{
	table->started = true;
	table->started_ms = clock_wall_ms();
	LIST_EACH(&table->entries, link)
	{
		struct timetable_entry *entry = MEM_CONTAINER(link, struct timetable_entry, link);
		if (!entry->is_read) { /* nobody has ever noted its times */
			entry->place.until_ms = entry->begun_ms = clock_wall_ms();
			entry->is_read = true;
			put_record(entry);
		}
		plan(entry);
	}
	arm(table);
}
