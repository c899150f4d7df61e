/* This file fills, wraps and names errors, and ends the program on our own mistakes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *err, int number, const char *code, const char *format, ...)
{
	if (err != NULL) {
		va_list args;
		va_start(args, format);
		(void)vsnprintf(err->text, sizeof err->text, format, args);
		va_end(args);
		err->number = number;
		err->code = code;
	}
	return number;
}

/* Puts ": cause" behind the `used` bytes of the text; what has no room is cut off. */
static void add_cause(struct err *err, int used, const char *cause)
{
	if (used >= 0 && (size_t)used < sizeof err->text) {
		(void)snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", cause);
	}
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (err == NULL) {
		return E_INVALID;
	}
	char old[ERR_TEXT_MAX];
	memcpy(old, err->text, sizeof old);
	va_list args;
	va_start(args, format);
	int used = vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	add_cause(err, used, old);
	return err->number;
}

int err_errno(struct err *err, int system_errno, const char *format, ...)
{
	int number = E_IO;
	const char *code = "io_error";
	if (system_errno == ENOSPC || system_errno == EDQUOT) {
		number = E_FULL;
		code = "disk_full";
	} else if (system_errno == EADDRINUSE || system_errno == EWOULDBLOCK) {
		number = E_BUSY;
		code = "busy";
	}
	if (err != NULL) {
		va_list args;
		va_start(args, format);
		int used = vsnprintf(err->text, sizeof err->text, format, args);
		va_end(args);
		add_cause(err, used, strerror(system_errno));
		err->number = number;
		err->code = code;
	}
	return number;
}

const char *err_number_text(int number)
{
	switch (number) {
#define X(name, value, text)                                                                       \
	case name:                                                                                 \
		return text;
		ERR_CODES(X)
#undef X
	default:
		return "unknown error";
	}
}

_Noreturn void err_abort(const char *kind, const char *claim, const char *file, int line)
{
	(void)fprintf(stderr,
	              "pawl: %s failed: %s (%s:%d). This is a bug in pawl; please report it.\n",
	              kind, claim, file, line);
	abort();
}
