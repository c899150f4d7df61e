/* This file looks at a database before SQLite is let near it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SQLITE_FILE_H
#define ADAPTERS_SQLITE_FILE_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	SQLITE_FILE_FORMAT = 1,               /* user_version */
	SQLITE_FILE_APPLICATION = 0x7061776c, /* application_id: "pawl" */
};

/* Only reads. *out_new: there is no file, or an empty one. E_VERSION for a newer format, E_DAMAGED
 * for a file that is none of ours or is shorter than it says. */
int sqlite_file_inspect(const char *path, const char *wal_path, bool *out_new, struct err *err);

#endif
