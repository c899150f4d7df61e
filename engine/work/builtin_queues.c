/* This file tells how the queues are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/queue_names.h"
#include "engine/work/builtin.h"

/* One queue, all versions of it together. */
struct queue_figures {
	struct map_node node;
	const struct binding
	        *current; /* NULL: it has been removed, and what it held is being done */
	struct span name; /* owned */
	uint64_t waiting, running, parked, delivered, failed, retried, dead;
	bool lagging;
};

struct queue_list {
	struct dead_list list;
	struct work *work;
	struct queue_figures **items;
	size_t count;
	struct map by_name;
};

static bool has_name(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct queue_figures, node)->name,
	                  *(const struct span *)key);
}

static struct queue_figures *find(const struct queue_list *queues, struct span name)
{
	struct map_node *node = map_get(&queues->by_name, hash_bytes(name, 0), &name, has_name);
	return node != NULL ? MEM_CONTAINER(node, struct queue_figures, node) : NULL;
}

static struct queue_figures *need(struct queue_list *queues, struct span name)
{
	struct queue_figures *figures = find(queues, name);
	if (figures == NULL) {
		figures = MEM_NEW(struct queue_figures);
		figures->name = mem_span(name);
		map_add(&queues->by_name, &figures->node, hash_bytes(name, 0));
		queues->items =
		        mem_grow(queues->items, (queues->count + 1) * sizeof *queues->items);
		queues->items[queues->count++] = figures;
	}
	return figures;
}

static void free_list(struct queue_list *queues)
{
	for (size_t i = 0; i < queues->count; i++) {
		map_remove(&queues->by_name, &queues->items[i]->node);
		mem_free((char *)queues->items[i]->name.ptr);
		mem_free(queues->items[i]);
	}
	map_close(&queues->by_name);
	mem_free(queues->items);
	mem_free(queues);
}

static void add_binding(void *ctx, struct binding *binding)
{
	if (!span_is(binding->type, QUEUE_TYPE)) {
		return;
	}
	struct queue_figures *figures = need(ctx, binding->filter->scope);
	if (binding->until_seq == 0) {
		figures->current = binding;
	}
	figures->waiting += binding->held - binding->busy;
	figures->running += binding->busy;
	figures->delivered += binding->delivered;
	figures->failed += binding->failed;
	figures->retried += binding->retried;
	figures->lagging = figures->lagging || binding->lagging;
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		figures->parked += delivery->target != NULL && !target_is_served(delivery->target);
	}
}

static bool count_letter(struct dead_list *list, struct span json)
{
	struct queue_list *queues = MEM_CONTAINER(list, struct queue_list, list);
	struct span trigger;
	struct buf text = {0};
	if (json_get(json, SPAN("trigger"), &trigger)) {
		json_string(trigger, &text);
	}
	struct span id = buf_view(&text);
	if (span_starts_with(id, SPAN(QUEUE_TRIGGER))) {
		size_t at = sizeof QUEUE_TRIGGER - 1;
		need(queues, span_make(id.ptr + at, id.len - at))->dead++;
	}
	buf_free(&text);
	return true;
}

static const char *status_of(const struct queue_figures *figures)
{
	return figures->current == NULL        ? "removed"
	       : figures->current->pause.is_on ? "paused"
	       : figures->lagging              ? "lagging"
	                                       : "live";
}

static void write_figures(const struct queue_figures *figures, struct buf *out)
{
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_string(out, "queue", figures->name);
	json_write_member_string(out, "status", span_of(status_of(figures)));
	if (figures->current != NULL) {
		const struct binding *binding = figures->current;
		bool is_fifo = binding->filter->group.count != 0;
		json_write_member_string(out, "type", is_fifo ? SPAN("fifo") : SPAN("standard"));
		json_write_member_uint(out, "concurrency", binding->policy.concurrency);
		json_write_member_raw(out, "config", binding->config);
	}
	json_write_member_uint(out, "waiting", figures->waiting);
	json_write_member_uint(out, "running", figures->running);
	json_write_member_uint(out, "parked", figures->parked);
	json_write_member_uint(out, "delivered", figures->delivered);
	json_write_member_uint(out, "failed_attempts", figures->failed);
	json_write_member_uint(out, "retries", figures->retried);
	json_write_member_uint(out, "dead", figures->dead);
	buf_byte(out, '}');
}

static void letters_counted(struct dead_list *list, int status, const struct err *err)
{
	struct queue_list *queues = MEM_CONTAINER(list, struct queue_list, list);
	struct work *work = queues->work;
	if (status == 0) {
		catalog_each(work->core->catalog, add_binding, queues);
		BUF_LITERAL(&work->out, "{\"queues\":[");
		for (size_t i = 0; i < queues->count; i++) {
			write_figures(queues->items[i], &work->out);
		}
		BUF_LITERAL(&work->out, "]}");
		work_reply_out(work);
	} else {
		work_fail(work, err);
	}
	free_list(queues);
}

/* First the dead letters are counted, which takes turns of the loop; then the rest is looked at. */
static void list_queues(struct work *work, struct span data)
{
	(void)data;
	struct queue_list *queues = MEM_NEW(struct queue_list);
	queues->work = work;
	queues->list = (struct dead_list){.each = count_letter, .done = letters_counted};
	dead_list_start(work->core->dead, &queues->list, false);
}

const struct builtin_row builtin_queue_rows[] = {
        {"engine::queue::list", list_queues, "Lists the queues with their figures."},
        {NULL, NULL, NULL},
};
