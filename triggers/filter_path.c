/* This file reads paths: a plain string is one name, dots in it are ordinary characters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/filter_path.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/pointer.h"

static const char CODE[] = "invalid_trigger";

enum { SEGMENTS_MAX = 32 };

/* What is being read, and what to say of it. */
struct reading {
	const char *field;
	const char *must_be;
	struct filter_path *path;
};

static int refuse(const struct reading *reading, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, CODE, "'%s' %s", reading->field, what);
}

static int add_segment(const struct reading *reading, struct span plain, struct err *err)
{
	struct filter_path *path = reading->path;
	if (path->count == SEGMENTS_MAX) {
		return refuse(reading, reading->must_be, err);
	}
	path->segments = mem_grow(path->segments, (path->count + 1) * sizeof *path->segments);
	path->segments[path->count++] = mem_span(plain);
	return 0;
}

static int read_pointer(const struct reading *reading, struct span pointer, struct err *err)
{
	struct buf segment = {0};
	int status = 0;
	while (status == 0 && pointer.len != 0) {
		status = pointer_next(&pointer, &segment)
		                 ? add_segment(reading, buf_view(&segment), err)
		                 : refuse(reading, POINTER_FAULT, err);
	}
	buf_free(&segment);
	return status;
}

static int read_segments(const struct reading *reading, struct span list, struct err *err)
{
	struct buf plain = {0};
	struct span item;
	int status = 0;
	for (struct json_iter iter = json_iter(list);
	     status == 0 && json_next_item(&iter, &item);) {
		uint64_t index = 0;
		buf_clear(&plain);
		if (json_kind(item) == JSON_STRING) {
			json_string(item, &plain);
		} else if (json_uint64(item, &index)) {
			buf_uint(&plain, index);
		} else {
			status = refuse(reading, reading->must_be, err);
			break;
		}
		status = add_segment(reading, buf_view(&plain), err);
	}
	buf_free(&plain);
	return status != 0 || reading->path->count != 0 ? status
	                                                : refuse(reading, reading->must_be, err);
}

int filter_path_read(struct span json, const char *field, const char *must_be,
                     struct filter_path *path, struct err *err)
{
	const struct reading reading = {field, must_be, path};
	if (json_kind(json) == JSON_ARRAY) {
		return read_segments(&reading, json, err);
	}
	if (json_kind(json) != JSON_STRING || json.len <= 2) {
		return refuse(&reading, must_be, err);
	}
	struct buf plain = {0};
	json_string(json, &plain);
	int status = plain.ptr[0] == '/' ? read_pointer(&reading, buf_view(&plain), err)
	                                 : add_segment(&reading, buf_view(&plain), err);
	buf_free(&plain);
	return status;
}

void filter_path_close(struct filter_path *path)
{
	for (size_t i = 0; i < path->count; i++) {
		mem_free((char *)path->segments[i].ptr);
	}
	mem_free(path->segments);
	*path = (struct filter_path){0};
}
