/* This file shows what a changed config changes, a line for each change. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/difference.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/terminal.h"
#include <stdio.h>

static struct span member(struct span object, const char *name)
{
	struct span value;
	return json_get(object, span_of(name), &value) ? value : SPAN_NONE;
}

static void add_text(struct buf *line, struct span value)
{
	struct buf text = {0};
	if (json_kind(value) == JSON_STRING) {
		json_string(value, &text);
	} else {
		buf_span(&text, value);
	}
	terminal_write_safe(buf_view(&text), line);
	buf_free(&text);
}

/* "trigger crm" or "log.level: info -> debug" or "function crm::sync: http.url, http.timeout". */
static void add_change(struct buf *line, struct span change)
{
	struct span kind = member(change, "kind");
	struct span from = member(change, "from");
	struct span fields = member(change, "fields");
	if (!json_string_is(kind, SPAN("option"))) {
		add_text(line, kind);
		buf_byte(line, ' ');
	}
	add_text(line, member(change, "id"));
	if (from.ptr != NULL) {
		BUF_LITERAL(line, ": ");
		add_text(line, from);
		BUF_LITERAL(line, " -> ");
		add_text(line, member(change, "to"));
	}
	if (fields.ptr != NULL) {
		struct span field;
		const char *before = ": ";
		for (struct json_iter iter = json_iter(fields); json_next_item(&iter, &field);) {
			buf_span(line, span_of(before));
			add_text(line, field);
			before = ", ";
		}
	}
}

static void print_line(struct buf *line)
{
	printf("%.*s\n", SPAN_ARG(buf_view(line)));
	buf_clear(line);
}

void difference_show(struct span answer)
{
	static const struct {
		const char *member;
		const char *mark;
		const char *behind;
	} lists[] = {
	        {"added", "+ ", ""},
	        {"changed", "~ ", ""},
	        {"removed", "- ", ""},
	        {"needs_restart", "! ", " (needs a restart)"},
	};
	struct buf line = {0};
	bool any = false;
	struct span item;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct span list = member(answer, lists[i].member);
		for (struct json_iter iter = json_iter(list); json_next_item(&iter, &item);) {
			buf_span(&line, span_of(lists[i].mark));
			add_change(&line, item);
			buf_span(&line, span_of(lists[i].behind));
			print_line(&line);
			any = true;
		}
	}
	struct span warnings = member(answer, "warnings");
	for (struct json_iter iter = json_iter(warnings); json_next_item(&iter, &item);) {
		BUF_LITERAL(&line, "warning: ");
		add_text(&line, item);
		print_line(&line);
	}
	printf("%s%s\n", any ? "" : "nothing differs; ",
	       json_is_true(member(answer, "applied")) ? "taken" : "dry run: nothing was changed");
	buf_free(&line);
}
