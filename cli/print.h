/* This file prints answers: as tables and indented JSON for people, as they are for programs. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/span.h"
#include <stdbool.h>

/* A list of objects as a table. `columns`: "TITLE:member TITLE:member:first", members of each
 * object; of an object in a cell its member `first` stands before the others. Texts stand without
 * quotes, other values as JSON. Cells are cut unless `wide`; the last column has what the others
 * leave of the terminal. */
void print_table(struct span array, const char *columns, bool wide);
/* JSON with line breaks and two spaces a level. */
void print_json(struct span value);
/* "error: sentence" and what to do, from a problem document, to standard error. */
void print_problem(struct span problem);

#endif
