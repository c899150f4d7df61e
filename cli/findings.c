/* This file collects what a checkup finds, and shows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/findings.h"

#include "base/json.h"
#include "cli/terminal.h"
#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *word;
	enum terminal_color color;
} levels[FINDINGS_LEVELS] = {
        [FINDINGS_OK] = {"ok", TERMINAL_GREEN},
        [FINDINGS_WARN] = {"warn", TERMINAL_YELLOW},
        [FINDINGS_FAIL] = {"fail", TERMINAL_RED},
};

static void print(const struct findings *findings, enum findings_level level, const char *topic,
                  const char *advice, struct span text)
{
	struct buf line = {0};
	terminal_write(span_of(levels[level].word), levels[level].color, findings->color, &line);
	buf_format(&line, "%*s %-10s ", (int)(4 - strlen(levels[level].word)), "", topic);
	terminal_write_safe(text, &line);
	buf_byte(&line, '\n');
	if (advice != NULL && level != FINDINGS_OK) {
		buf_format(&line, "%16s-> %s\n", "", advice);
	}
	(void)fwrite(line.ptr, 1, line.len, stdout);
	(void)fflush(stdout);
	buf_free(&line);
}

void findings_add(struct findings *findings, enum findings_level level, const char *topic,
                  const char *advice, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	findings->counts[level]++;
	if (!findings->json) {
		print(findings, level, topic, advice, span_of(text));
		return;
	}
	struct buf *out = &findings->items;
	buf_format(out, "%s{", out->len == 0 ? "" : ",");
	json_write_member_string(out, "level", span_of(levels[level].word));
	json_write_member_string(out, "topic", span_of(topic));
	json_write_member_string(out, "message", span_of(text));
	if (advice != NULL && level != FINDINGS_OK) {
		json_write_member_string(out, "advice", span_of(advice));
	}
	buf_byte(out, '}');
}

bool findings_end(struct findings *findings)
{
	bool is_good = findings->counts[FINDINGS_FAIL] == 0;
	if (findings->json) {
		printf("{\"ok\":%s,\"findings\":[%.*s]}\n", is_good ? "true" : "false",
		       SPAN_ARG(buf_view(&findings->items)));
	} else {
		printf("%zu ok, %zu to look at, %zu wrong\n", findings->counts[FINDINGS_OK],
		       findings->counts[FINDINGS_WARN], findings->counts[FINDINGS_FAIL]);
	}
	buf_free(&findings->items);
	return is_good;
}
