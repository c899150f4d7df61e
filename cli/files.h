/* This file reads the files that command lines name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { FILES_SIZE_MAX = 16 << 20 };

/* Appends the whole file; "-" is the standard input. E_NOT_FOUND, E_IO, E_LIMIT with the path. */
int files_read(const char *path, struct buf *out, struct err *err);
/* The same for a file of one JSON value: E_INVALID says where it breaks. */
int files_read_json(const char *path, struct buf *text, struct span *out_value, struct err *err);

#endif
