/* This file defines how a function says what went wrong: a code and a sentence for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * DESIGN. A function that can fail returns 0 or one of E_*; callers branch on that number only.
 * `struct err` carries what a person or a client is told: a stable snake_case word (`code`, part of
 * our API) and a sentence. It is filled where the facts are known and wrapped on the way up.
 * PRE, POST and NEVER are for our own mistakes: they abort, in release builds too.
 */

#define ERR_CODES(X)                                                                               \
	X(E_INVALID, 1, "the input is wrong")                                                      \
	X(E_NOT_FOUND, 2, "there is no such thing")                                                \
	X(E_CONFLICT, 3, "somebody else changed it, or it is there already")                       \
	X(E_LIMIT, 4, "a size or a count is over its limit")                                       \
	X(E_IO, 5, "the disk or the network failed")                                               \
	X(E_FULL, 6, "no space is left")                                                           \
	X(E_DAMAGED, 7, "stored data fails its check")                                             \
	X(E_VERSION, 8, "made by a version that this program does not know")                       \
	X(E_UNKNOWN, 9, "the outcome is not known")                                                \
	X(E_CANCELED, 10, "it was called off")                                                     \
	X(E_BUSY, 11, "somebody else holds it, or it cannot be done now")                          \
	X(E_TIMEOUT, 12, "it took too long")                                                       \
	X(E_UNSUPPORTED, 13, "this cannot be done here")                                           \
	X(E_AGAIN, 14, "more input is needed")                                                     \
	X(E_DENIED, 15, "not allowed")

enum err_number {
#define X(name, number, text) name = -(number),
	ERR_CODES(X)
#undef X
};

enum { ERR_TEXT_MAX = 512 };

struct err {
	int number;       /* E_*, or 0 while nothing has gone wrong */
	const char *code; /* static: "invalid_key"; never NULL once number is set */
	char text[ERR_TEXT_MAX];
};

/* Fills err (which may be NULL) and returns number. `code` must be a string literal. */
int err_set(struct err *err, int number, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Puts "format: " before the text that is there; returns err->number. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set with E_FULL / E_BUSY / E_IO chosen from `system_errno`, whose text is appended. */
int err_errno(struct err *err, int system_errno, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* The sentence of the table above; "unknown error" for a number that is not in it. */
const char *err_number_text(int number);

_Noreturn void err_abort(const char *kind, const char *claim, const char *file, int line);

#define PRE(claim)   ((claim) ? (void)0 : err_abort("precondition", #claim, __FILE__, __LINE__))
#define POST(claim)  ((claim) ? (void)0 : err_abort("postcondition", #claim, __FILE__, __LINE__))
#define NEVER(claim) err_abort("never", claim, __FILE__, __LINE__)

#endif
