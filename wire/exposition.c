/* This file writes figures as Prometheus reads them: text format 0.0.4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/exposition.h"

#include "base/json.h"

static const char *const kinds[] = {"counter", "gauge", "histogram"};

/* Quotes are escaped in the values of labels only. */
static void write_escaped(struct buf *out, struct span text, bool is_label)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		if (byte == '\n') {
			BUF_LITERAL(out, "\\n");
			continue;
		}
		if (byte == '\\' || (byte == '"' && is_label)) {
			buf_byte(out, '\\');
		}
		buf_byte(out, byte);
	}
}

void exposition_begin(struct buf *out, const char *name, enum exposition_kind kind,
                      const char *help)
{
	buf_format(out, "# HELP %s ", name);
	write_escaped(out, span_of(help), false);
	buf_format(out, "\n# TYPE %s %s\n", name, kinds[kind]);
}

static void write_labels(struct buf *out, const struct exposition_label labels[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct span value = labels[i].value;
		buf_byte(out, i == 0 ? '{' : ',');
		buf_span(out, span_of(labels[i].name));
		BUF_LITERAL(out, "=\"");
		write_escaped(out, json_utf8_valid(value) ? value : SPAN("?"), true);
		buf_byte(out, '"');
	}
	buf_span(out, count != 0 ? SPAN("} ") : SPAN(" "));
}

/* Without digits that say nothing: "1.5", "12", "0.00002". */
static void write_parts(struct buf *out, uint64_t value, uint64_t parts)
{
	buf_uint(out, value / parts);
	uint64_t rest = value % parts;
	if (rest != 0) {
		buf_byte(out, '.');
	}
	while (rest != 0) {
		rest *= 10;
		buf_byte(out, (char)('0' + rest / parts));
		rest %= parts;
	}
}

void exposition_parts(struct buf *out, const char *name, const struct exposition_label labels[],
                      size_t count, uint64_t value, uint64_t parts)
{
	buf_span(out, span_of(name));
	write_labels(out, labels, count);
	write_parts(out, value, parts);
	buf_byte(out, '\n');
}

void exposition_uint(struct buf *out, const char *name, const struct exposition_label labels[],
                     size_t count, uint64_t value)
{
	exposition_parts(out, name, labels, count, value, 1);
}

void exposition_histogram(struct buf *out, const char *name, const struct histogram *histogram,
                          const struct exposition_buckets *how)
{
	static const int64_t steps[] = {1, 2, 5};
	int64_t unit = how->least;
	for (unsigned decade = 0; decade < how->decades; decade++, unit *= 10) {
		for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
			buf_format(out, "%s_bucket{le=\"", name);
			write_parts(out, (uint64_t)(steps[i] * unit), how->parts);
			BUF_LITERAL(out, "\"} ");
			buf_uint(out, histogram_up_to(histogram, steps[i] * unit));
			buf_byte(out, '\n');
		}
	}
	buf_format(out, "%s_bucket{le=\"+Inf\"} ", name);
	buf_uint(out, histogram->count);
	buf_format(out, "\n%s_sum ", name);
	write_parts(out, histogram->sum, how->parts);
	buf_format(out, "\n%s_count ", name);
	buf_uint(out, histogram->count);
	buf_byte(out, '\n');
}
