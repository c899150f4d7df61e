/* This file reads a section of the configuration into a struct by a table of options. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "base/field_row.h"
#include "base/report.h"
#include "base/yaml.h"
#include <stddef.h>

/*
 * DESIGN. A table describes a plain struct, row by row, and ends with a row without a name. From it
 * come the reader (defaults, bounds, unknown names), the freeing of what was read, and in
 * base/field_print the example file, the manual and the same values as JSON. The struct must be all
 * zero before field_read. Faults go to the report with their line; the value then stays at its
 * default, so that reading can go on and find the rest.
 */
struct field_strings {
	char **items;
	size_t count;
};

struct field_pair {
	char *name;
	char *value;
};

struct field_map {
	struct field_pair *pairs; /* in the order of the file */
	size_t count;
};

/* `node` is a mapping, or NULL when the whole section is absent. */
void field_read(const struct field *fields, const struct yaml_node *node, void *data,
                struct report *report);
void field_free(const struct field *fields, void *data); /* all zero again */

#endif
