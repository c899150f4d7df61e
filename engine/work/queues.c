/* This file looks queues up by their names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/queues.h"

#include "engine/core/queue_names.h"

static bool is_queue(const struct binding *binding)
{
	return span_is(binding->type, QUEUE_TYPE) && binding->until_seq == 0;
}

static void count_one(void *ctx, struct binding *binding)
{
	size_t *count = ctx;
	*count += is_queue(binding);
}

size_t queues_count(const struct catalog *catalog)
{
	size_t count = 0;
	catalog_each(catalog, count_one, &count);
	return count;
}

static void add_name(void *ctx, struct binding *binding)
{
	struct buf *out = ctx;
	if (is_queue(binding)) {
		buf_format(out, "%s%.*s", out->len != 0 ? ", " : "",
		           SPAN_ARG(binding->filter->scope));
	}
}

struct binding *queues_find(const struct catalog *catalog, struct span name, struct err *err)
{
	struct buf id = {0};
	buf_format(&id, QUEUE_TRIGGER "%.*s", SPAN_ARG(name));
	struct binding *binding = name.len != 0 ? catalog_find(catalog, buf_view(&id)) : NULL;
	buf_free(&id);
	if (binding == NULL || binding->until_seq != 0) {
		struct buf names = {0};
		catalog_each(catalog, add_name, &names);
		(void)err_set(err, E_NOT_FOUND, "queue_not_found",
		              "there is no queue \"%.*s\"; the queues of the config are: %.*s",
		              (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "",
		              SPAN_ARG(buf_view(&names)));
		buf_free(&names);
		return NULL;
	}
	return binding;
}
