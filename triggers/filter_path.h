/* This file defines a way into a value, as triggers write it: a name, a pointer, or segments. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_FILTER_PATH_H
#define TRIGGERS_FILTER_PATH_H

#include "base/err.h"
#include "base/span.h"
#include <stddef.h>

/* Names of members, indexes of arrays; owned. */
struct filter_path {
	struct span *segments;
	size_t count;
};

/* Reads one from JSON: a name, a JSON Pointer ("/a/b") or a list of 1 to 32 segments. E_INVALID
 * "invalid_trigger": "'<field>' <what it must be>". The path is to be closed in any case; it was
 * all zero. */
int filter_path_read(struct span json, const char *field, const char *must_be,
                     struct filter_path *path, struct err *err);
void filter_path_close(struct filter_path *path);

#endif
