/* This file starts the engine, or judges what it would be started with. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/local.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "engine/config.h"
#include "engine/config_example.h"
#include "engine/engine.h"
#include "engine/engine_judge.h"
#include "triggers/expr/moment_read.h"
#include <stdio.h>

static void print_report(const char *path, const struct report *report, const struct err *err)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_item *item = &report->items[i];
		(void)fprintf(stderr, "%s:%u:%u: %s\n", path, item->line, item->column, item->text);
	}
	if (report->count == 0) {
		(void)fprintf(stderr, "%s\n", err->text); /* it begins with the file */
	}
}

static void print_report_json(const struct report *report, const struct err *err)
{
	struct buf out = {0};
	BUF_LITERAL(&out, "{\"ok\":false,\"errors\":[");
	for (size_t i = 0; i < report->count; i++) {
		const struct report_item *item = &report->items[i];
		if (i != 0) {
			buf_byte(&out, ',');
		}
		buf_byte(&out, '{');
		json_write_member_uint(&out, "line", item->line);
		json_write_member_uint(&out, "column", item->column);
		json_write_member_string(&out, "code", span_of(item->code));
		json_write_member_string(&out, "message", span_of(item->text));
		buf_byte(&out, '}');
	}
	if (report->count == 0) {
		buf_byte(&out, '{');
		json_write_member_string(&out, "code", span_of(err->code));
		json_write_member_string(&out, "message", span_of(err->text));
		buf_byte(&out, '}');
	}
	BUF_LITERAL(&out, "]}");
	printf("%.*s\n", SPAN_ARG(buf_view(&out)));
	buf_free(&out);
}

static struct config *load(const struct invocation *invocation)
{
	const char *path = command_option(invocation, "config");
	const struct config_judge judge = engine_judge();
	static struct report report;
	struct config *config = NULL;
	struct err err;
	if (config_load(path, &judge, &config, &report, &err) != 0) {
		if (invocation->json) {
			print_report_json(&report, &err);
		} else {
			print_report(path ? path : "(no file)", &report, &err);
		}
		config = NULL;
	}
	report_close(&report);
	return config;
}

/* What is said besides, if there is any. */
static void add_members(const struct config *config, struct buf *out)
{
	struct buf warnings = {0};
	engine_judge_warn(config, true, &warnings);
	out->len -= 2; /* the brace and the line */
	if (config->iii_ignored != NULL) {
		json_write_member_string(out, "iii_ignored", span_of(config->iii_ignored));
	}
	if (warnings.len != 0) {
		buf_format(out, ",\"warnings\":[%.*s]", SPAN_ARG(buf_view(&warnings)));
	}
	BUF_LITERAL(out, "}\n");
	buf_free(&warnings);
}

int local_check(const struct invocation *invocation)
{
	struct buf out = {0};
	if (command_option(invocation, "print-example") != NULL) {
		config_print_example(&out);
	} else if (command_option(invocation, "print-man") != NULL) {
		help_write_man(invocation->set, &out);
	} else if (command_option(invocation, "print-cli-docs") != NULL) {
		help_write_docs(invocation->set, &out);
	} else if (command_option(invocation, "print-commands") != NULL) {
		help_write_json(invocation->set, &out);
	} else {
		struct config *config = load(invocation);
		if (config == NULL) {
			return EXIT_FAILED;
		}
		buf_format(&out,
		           invocation->json ? "{\"ok\":true,\"functions\":%zu,\"triggers\":%zu}\n"
		                            : "ok: %zu functions, %zu triggers\n",
		           config->function_count, config->trigger_count);
		if (!invocation->json) {
			config_describe_iii(config, &out);
			engine_judge_warn(config, false, &out);
		} else {
			add_members(config, &out);
		}
		config_free(config);
	}
	printf("%.*s", SPAN_ARG(buf_view(&out)));
	buf_free(&out);
	return EXIT_DONE;
}

/* Without the option the clock is the system's. */
static int choose_clock(const struct invocation *invocation)
{
	static const char start[] = "manual=";
	const char *kind = command_option(invocation, "clock");
	int64_t seconds = 0;
	uint32_t nanos = 0;
	if (kind == NULL || strcmp(kind, "real") == 0) {
		return EXIT_DONE;
	}
	if (strcmp(kind, "manual") == 0) {
		clock_set_virtual(clock_wall_ms());
		return EXIT_DONE;
	}
	bool good = strncmp(kind, start, sizeof start - 1) == 0 &&
	            moment_read_timestamp(span_of(kind + sizeof start - 1), &seconds, &nanos) == 0;
	int64_t wall_ms = seconds * 1000 + nanos / 1000000;
	if (!good || wall_ms < 0 || wall_ms > CLOCK_MOST_MS) {
		return command_wrong(invocation,
		                     "--clock is manual, or manual=TIME with a time from 1970 to "
		                     "9000 such as 2026-01-01T00:00:00Z, not",
		                     kind);
	}
	clock_set_virtual(wall_ms);
	return EXIT_DONE;
}

int local_run(const struct invocation *invocation)
{
	if (choose_clock(invocation) != EXIT_DONE) {
		return EXIT_USAGE;
	}
	struct config *config = load(invocation);
	if (config == NULL) {
		return EXIT_FAILED;
	}
	const struct config_source source = {
	        .path = command_option(invocation, "config"),
	        .listen = command_option(invocation, "listen"),
	        .data = command_option(invocation, "data"),
	};
	struct err err;
	int code = EXIT_DONE;
	if (config_override(config, &source, &err) != 0) {
		(void)fprintf(stderr, "pawl run: --listen: %s\n", err.text);
		code = EXIT_USAGE;
	}
	config_open_log(config);
	config_warn_iii(config);
	if (code == EXIT_DONE && engine_run(config, &source, &err) != 0) {
		log_error("engine", "%s", err.text);
		code = EXIT_FAILED;
	}
	config_free(config);
	return code;
}
