/* This file formats log lines and writes each with one system call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/clock.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_words[] = {"debug", "info", "warn", "error"};
/* Other threads speak while the config changes these. */
static atomic_int least_level = LOG_INFO;
static atomic_bool as_json;
static atomic_bool in_colour;

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

void log_say(enum log_level level, const char *part, const char *format, ...)
{
	if ((int)level < least_level) {
		return;
	}
	char message[2048];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	char time_text[CLOCK_TEXT_LEN + 1];
	clock_format(clock_wall_ms(), time_text);
	char line[2 * sizeof message];
	size_t len;
	if (as_json) {
		len = (size_t)snprintf(
		        line, sizeof line,
		        "{\"time\":\"%s\",\"level\":\"%s\",\"part\":\"%s\",\"message\":\"",
		        time_text, level_words[level], part);
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
