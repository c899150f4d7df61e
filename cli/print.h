/* This file prints answers: as tables and indented JSON for people, as they are for programs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct print_style {
	bool wide; /* cells are whole, however long the lines become */
	bool color;
	size_t columns; /* of the terminal; 0: it is none */
	int64_t now_ms; /* times are told as "in 5 m" from here; 0: exactly */
};

/* A list of objects as a table. `columns`: "TITLE:member TITLE:member:first", members of each
 * object; of an object in a cell its member `first` stands before the others. ":@time" marks a time
 * (ms since 1970, or RFC 3339), ":@state" a word that may have a colour. Texts stand without
 * quotes, other values as JSON. Lines fit the terminal: the last column has what the others leave,
 * then the widest ones are cut. */
void print_table(struct span array, const char *columns, const struct print_style *style);
/* Has the table times? */
bool print_has_times(const char *columns);
/* JSON with line breaks and two spaces a level; what would steer a terminal is escaped. */
void print_json(struct span value);
/* "error: sentence" and what to do, from a problem document, to standard error. */
void print_problem(struct span problem);

#endif
