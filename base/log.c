/* This file formats log lines and writes each with one system call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/clock.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 2048 };

static const char *const level_words[] = {"debug", "info", "warn", "error"};
/* Other threads speak while the config changes these. */
static atomic_int least_level = LOG_INFO;
static atomic_bool as_json;
static atomic_bool in_colour;

static _Thread_local const char *trace;
static _Thread_local struct {
	void (*take)(void *ctx, const struct log_line *line);
	void *ctx;
} tee;

const char *log_set_trace(const char *traceparent)
{
	const char *before = trace;
	trace = traceparent;
	return before;
}

void log_tee(void (*take)(void *ctx, const struct log_line *line), void *ctx)
{
	tee.take = take;
	tee.ctx = ctx;
}

void log_open(enum log_level least, bool json)
{
	least_level = (int)least;
	as_json = json;
	in_colour = !json && isatty(STDERR_FILENO) != 0;
}

/* JSON text of `from`, cut so that it always fits; bytes outside ASCII pass as they are. */
static size_t escape(const char *from, char *out, size_t room)
{
	size_t len = 0;
	for (; *from != '\0' && len + 7 < room; from++) {
		unsigned char byte = (unsigned char)*from;
		if (byte == '"' || byte == '\\') {
			out[len++] = '\\';
			out[len++] = (char)byte;
		} else if (byte < 0x20) {
			len += (size_t)snprintf(out + len, 7, "\\u%04x", byte);
		} else {
			out[len++] = (char)byte;
		}
	}
	return len;
}

/* "00-<trace>-<span>-01" as two members; nothing when it is none. */
static size_t write_trace(char *out, size_t room)
{
	if (trace == NULL || strlen(trace) < 55) {
		return 0;
	}
	return (size_t)snprintf(out, room, "\"trace_id\":\"%.32s\",\"span_id\":\"%.16s\",",
	                        trace + 3, trace + 36);
}

static void write_line(enum log_level level, const char *part, const char *message)
{
	char time_text[CLOCK_TEXT_LEN + 1];
	clock_format(clock_wall_ms(), time_text);
	char line[2 * MESSAGE_MAX];
	size_t len;
	if (as_json) {
		len = (size_t)snprintf(line, sizeof line,
		                       "{\"time\":\"%s\",\"level\":\"%s\",\"part\":\"%s\",",
		                       time_text, level_words[level], part);
		len += write_trace(line + len, sizeof line - len);
		len += (size_t)snprintf(line + len, sizeof line - len, "\"message\":\"");
		len += escape(message, line + len, sizeof line - len - 4);
		memcpy(line + len, "\"}\n", 3);
		len += 3;
	} else {
		static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
		len = (size_t)snprintf(
		        line, sizeof line, "%s%s %-5s %-9s %s%s\n", in_colour ? colours[level] : "",
		        time_text, level_words[level], part, message, in_colour ? "\033[0m" : "");
	}
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written; /* There is nobody left to tell. */
}

void log_say(enum log_level level, const char *part, const char *format, ...)
{
	if ((int)level < least_level) {
		return;
	}
	char message[MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (tee.take != NULL) {
		const struct log_line shown = {level, part, message, trace};
		tee.take(tee.ctx, &shown);
	}
	write_line(level, part, message);
}
