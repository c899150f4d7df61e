/* This file looks through the tables of functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/overloads.h"

#include "base/spelling.h"

static const struct overload *const tables[] = {
        overload_arithmetic, overload_compare, overload_convert, overload_list,   overload_optional,
        overload_string,     overload_format,  overload_math,    overload_encode, overload_time,
};

enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

static bool is_named(const struct overload *row, struct span name)
{
	return name.len != 0 && row->name[0] == name.ptr[0] &&
	       strncmp(row->name, name.ptr, name.len) == 0 && row->name[name.len] == '\0';
}

size_t overloads_find(struct span name, bool method, size_t arg_count, const struct overload *out[])
{
	size_t found = 0;
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		for (const struct overload *row = tables[i]; row->name != NULL; row++) {
			bool counts =
			        row->variadic ? arg_count >= row->count : arg_count == row->count;
			if (counts && row->method == method && is_named(row, name) &&
			    found < OVERLOADS_MAX) {
				out[found++] = row;
			}
		}
	}
	return found;
}

bool overloads_know(struct span name)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		for (const struct overload *row = tables[i]; row->name != NULL; row++) {
			if (is_named(row, name)) {
				return true;
			}
		}
	}
	return false;
}

const char *overloads_nearest(struct span name)
{
	const char *nearest = NULL;
	size_t least = name.len / 3 + 2; /* further away is another word */
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		for (const struct overload *row = tables[i]; row->name != NULL; row++) {
			size_t distance = spelling_distance(name, span_of(row->name));
			if (distance < least && row->name[0] != '_' && row->name[0] != '@') {
				least = distance;
				nearest = row->name;
			}
		}
	}
	return nearest;
}
