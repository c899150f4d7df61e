/* This file finds the triggers whose functions nobody has offered yet, and warns of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog_inside.h"

/* The first trigger whose function nobody has ever offered, and how many there are. */
static const struct binding *find_unbound(const struct catalog *catalog, size_t *out_count)
{
	const struct binding *first = NULL;
	*out_count = 0;
	LIST_EACH(&catalog->bindings, link)
	{
		const struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (!binding->was_bound && binding->until_seq == 0) {
			first = first != NULL ? first : binding;
			++*out_count;
		}
	}
	return first;
}

size_t catalog_unbound(const struct catalog *catalog)
{
	size_t count;
	(void)find_unbound(catalog, &count);
	return count;
}

/* It is likely to be a mistake, so it is said once. */
void catalog_tell_unbound(struct alarm *alarm)
{
	struct catalog *catalog = MEM_CONTAINER(alarm, struct catalog, unbound);
	size_t count;
	const struct binding *first = find_unbound(catalog, &count);
	if (first != NULL) {
		log_warn("catalog",
		         "%zu triggers are unbound: nobody has offered their functions yet; the "
		         "first is "
		         "\"%.*s\", which wakes \"%.*s\"; their events wait",
		         count, SPAN_ARG(first->id), SPAN_ARG(first->function_id));
	}
}
