/* This file keeps the windows of a trigger by name, and spells their records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/window.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/durable/space.h"
#include "triggers/shaping.h"

enum { WINDOW_FORMAT = 1 };

struct windows *windows_new(const struct shaping *shaping)
{
	if (shaping == NULL) {
		return NULL;
	}
	struct windows *windows = MEM_NEW(struct windows);
	windows->are_batches = shaping->kind == SHAPING_BATCH;
	list_init(&windows->open);
	list_init(&windows->closing);
	list_init(&windows->dirty);
	return windows;
}

static bool has_name(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct window, by_name)->name,
	                  *(const struct span *)key);
}

struct window *windows_find(const struct windows *windows, struct span name)
{
	struct map_node *node = map_get(&windows->by_name, hash_bytes(name, 0), &name, has_name);
	return node ? MEM_CONTAINER(node, struct window, by_name) : NULL;
}

struct window *windows_open(struct windows *windows, struct span name, uint64_t first_seq)
{
	struct window *window = MEM_NEW(struct window);
	window->name = mem_span(name);
	window->first_seq = first_seq;
	list_init(&window->in_dirty);
	list_push(&windows->open, &window->link);
	map_add(&windows->by_name, &window->by_name, hash_bytes(name, 0));
	windows->count++;
	return window;
}

void windows_touch(struct windows *windows, struct window *window)
{
	if (list_is_empty(&window->in_dirty)) {
		list_push(&windows->dirty, &window->in_dirty);
	}
}

void windows_begin_closing(struct windows *windows, struct window *window)
{
	PRE(!window->is_closing);
	map_remove(&windows->by_name, &window->by_name);
	list_remove(&window->in_dirty);
	list_remove(&window->link);
	list_push(&windows->closing, &window->link);
	windows->events -= window->count;
	window->is_closing = true;
}

void windows_set_stuck(struct windows *windows, struct window *window, bool stuck)
{
	windows->stuck += stuck;
	windows->stuck -= window->is_stuck;
	window->is_stuck = stuck;
}

bool windows_must_wait(const struct windows *windows, const struct window *window)
{
	const struct list *at = windows->stuck != 0 ? window->link.prev : &windows->closing;
	for (; at != &windows->closing; at = at->prev) {
		const struct window *older = MEM_CONTAINER(at, struct window, link);
		if (older->is_stuck && span_equal(older->name, window->name)) {
			return true;
		}
	}
	return false;
}

static void free_window(struct window *window)
{
	members_free(&window->members);
	buf_free(&window->place);
	mem_free((char *)window->name.ptr);
	mem_free(window);
}

static void free_when_told(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)status;
	(void)err;
	free_window(MEM_CONTAINER(waiter, struct window, waiter));
}

void windows_drop(struct windows *windows, struct window *window, struct alarms *alarms)
{
	if (!window->is_closing) {
		map_remove(&windows->by_name, &window->by_name);
		windows->events -= window->count;
	}
	windows_set_stuck(windows, window, false);
	alarm_clear(alarms, &window->alarm);
	list_remove(&window->link);
	list_remove(&window->in_dirty);
	windows->count--;
	window->binding = NULL;
	if (window->waiter.done != NULL) {
		window->waiter.done = free_when_told;
	} else {
		free_window(window);
	}
}

static void drop_all(struct windows *windows, struct list *list, struct alarms *alarms)
{
	while (!list_is_empty(list)) {
		windows_drop(windows, LIST_FIRST(list, struct window, link), alarms);
	}
}

void windows_free(struct windows *windows, struct alarms *alarms)
{
	if (windows != NULL) {
		drop_all(windows, &windows->open, alarms);
		drop_all(windows, &windows->closing, alarms);
		map_close(&windows->by_name);
		mem_free(windows);
	}
}

void window_set_place(struct window *window, struct span scope, struct span key)
{
	buf_clear(&window->place);
	buf_span(&window->place, scope);
	buf_span(&window->place, key);
	window->scope_len = scope.len;
}

static uint64_t first_of(const struct list *list, uint64_t first)
{
	LIST_EACH(list, link)
	{
		const struct window *window = MEM_CONTAINER(link, struct window, link);
		if (first == 0 || window->needs < first) {
			first = window->needs;
		}
	}
	return first;
}

uint64_t windows_first_needed(const struct windows *windows)
{
	return windows == NULL ? 0 : first_of(&windows->closing, first_of(&windows->open, 0));
}

int64_t windows_next_deadline(const struct windows *windows)
{
	int64_t next = 0;
	LIST_EACH(&windows->open, link)
	{
		const struct window *window = MEM_CONTAINER(link, struct window, link);
		if (next == 0 || window->deadline_ms < next) {
			next = window->deadline_ms;
		}
	}
	return next;
}

size_t windows_count(const struct windows *windows)
{
	return windows == NULL ? 0 : windows->count;
}

static bool one_has(const struct list *list, uint64_t seq)
{
	LIST_EACH(list, link)
	{
		if (members_have(&MEM_CONTAINER(link, struct window, link)->members, seq)) {
			return true;
		}
	}
	return false;
}

bool windows_have(const struct windows *windows, uint64_t seq)
{
	return windows != NULL && seq <= windows->mark &&
	       (one_has(&windows->open, seq) || one_has(&windows->closing, seq));
}

bool windows_are_at_rest(const struct windows *windows)
{
	return windows == NULL || (windows->count == 0 && windows->mark == windows->mark_put);
}

/* ---- records ---- */

static struct span scope_of(const struct window *window)
{
	return span_make(window->place.ptr, window->scope_len);
}

static struct span key_of(const struct window *window)
{
	struct span place = buf_view(&window->place);
	return span_make(place.ptr + window->scope_len, place.len - window->scope_len);
}

void window_encode(const struct window *window, struct buf *out)
{
	buf_byte(out, WINDOW_FORMAT);
	buf_byte(out, '{');
	json_write_member_string(out, "name", window->name);
	json_write_member_string(out, "scope", scope_of(window));
	json_write_member_string(out, "key", key_of(window));
	json_write_member_uint(out, "epoch", window->epoch);
	json_write_member_uint(out, "group", window->group);
	json_write_member_uint(out, "throttle", window->throttle);
	json_write_member_int(out, "first_ms", window->first_ms);
	json_write_member_int(out, "deadline_ms", window->deadline_ms);
	json_write_member_uint(out, "count", window->count);
	json_write_member_uint(out, "bytes", window->bytes);
	json_write_name(out, "members");
	members_write(&window->members, out);
	buf_byte(out, '}');
}

static int damaged(uint64_t first_seq, struct err *err)
{
	return err_set(err, E_DAMAGED, "window_damaged",
	               "the window that event %llu opened is not what was written",
	               (unsigned long long)first_seq);
}

int window_decode(struct windows *windows, uint64_t first_seq, struct span value,
                  struct window **out, struct err *err)
{
	enum {
		NAME,
		SCOPE,
		KEY,
		EPOCH,
		GROUP,
		FIRST,
		DEADLINE,
		TAKEN,
		BYTES,
		MEMBERS,
		THROTTLE,
		COUNT
	};
	static const struct span names[COUNT] = {
	        {"name", 4},  {"scope", 5},    {"key", 3},          {"epoch", 5},
	        {"group", 5}, {"first_ms", 8}, {"deadline_ms", 11}, {"count", 5},
	        {"bytes", 5}, {"members", 7},  {"throttle", 8}};
	struct span found[COUNT];
	struct span json;
	int status =
	        space_json(value, WINDOW_FORMAT, "a window's record", "window_format", &json, err);
	if (status != 0) {
		return status;
	}
	struct window read = {0};
	if (json_check_object(json, names, COUNT, found, err) != 0 ||
	    !members_read(found[MEMBERS], &read.members)) {
		return damaged(first_seq, err);
	}
	bool good =
	        found[NAME].ptr != NULL && found[SCOPE].ptr != NULL && found[KEY].ptr != NULL &&
	        json_uint64(found[EPOCH], &read.epoch) && json_uint64(found[GROUP], &read.group) &&
	        json_int64(found[FIRST], &read.first_ms) &&
	        json_int64(found[DEADLINE], &read.deadline_ms) &&
	        json_uint64(found[TAKEN], &read.count) && json_uint64(found[BYTES], &read.bytes);
	if (!good) {
		members_free(&read.members);
		return damaged(first_seq, err);
	}
	struct buf text = {0};
	(void)buf_reserve(&text, value.len); /* no text is longer: it does not move */
	(void)json_uint64(found[THROTTLE], &read.throttle); /* younger than the format */
	struct window *window =
	        windows_open(windows, json_copy_text(found[NAME], &text), first_seq);
	struct span scope = json_copy_text(found[SCOPE], &text);
	window_set_place(window, scope, json_copy_text(found[KEY], &text));
	buf_free(&text);
	window->is_put = true;
	window->epoch = read.epoch;
	window->group = read.group;
	window->throttle = read.throttle;
	window->first_ms = read.first_ms;
	window->deadline_ms = read.deadline_ms;
	window->count = read.count;
	window->bytes = read.bytes;
	window->members = read.members;
	window->needs = read.members.seqs[0];
	windows->events += read.count;
	*out = window;
	return 0;
}

struct job window_job(const struct windows *windows, const struct window *window, uint32_t version,
                      struct buf *text)
{
	struct job job = {
	        .version = version,
	        .seq = window->members.seqs[0],
	        .epoch = window->epoch,
	        .group = window->group,
	        .throttle = window->throttle,
	        .scope = scope_of(window),
	        .key = key_of(window),
	        .window = window->name,
	};
	if (windows->are_batches) {
		members_write(&window->members, text);
		job.members = buf_view(text);
	} else {
		job.debounced = window->count;
	}
	return job;
}
