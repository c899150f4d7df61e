/* This file writes the daemon's log: text for a terminal, one JSON object a line otherwise. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Writes to standard error. `json` false means text, with colour when it is a terminal. */
void log_open(enum log_level least, bool json);

/* One line. `part` is the file stem that speaks ("store"); the message is a sentence with its
 * facts in it and no final full stop. Safe from every thread. */
void log_say(enum log_level level, const char *part, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Where in a trace this thread is, as a traceparent; NULL: nowhere. JSON lines say it. Borrowed
 * until it is set again; returns what it was. */
const char *log_set_trace(const char *traceparent);

/* A line as it is written; borrowed during the call. */
struct log_line {
	enum log_level level;
	const char *part;
	const char *message;
	const char *trace; /* a traceparent; NULL: none */
};
/* Every line that this thread writes is shown to `take`, too, which may say nothing itself; NULL:
 * no more. */
void log_tee(void (*take)(void *ctx, const struct log_line *line), void *ctx);

#define log_debug(part, ...) log_say(LOG_DEBUG, (part), __VA_ARGS__)
#define log_info(part, ...)  log_say(LOG_INFO, (part), __VA_ARGS__)
#define log_warn(part, ...)  log_say(LOG_WARN, (part), __VA_ARGS__)
#define log_error(part, ...) log_say(LOG_ERROR, (part), __VA_ARGS__)

#endif
