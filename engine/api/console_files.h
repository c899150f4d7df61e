/* This file tells of the files of the console, which the build puts into the program. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CONSOLE_FILES_H
#define ENGINE_API_CONSOLE_FILES_H

#include <stddef.h>

/* The array is written by console/embed.cmake; its last file has no name. */
struct console_file {
	const char *name; /* "app.js" */
	const char *etag; /* with its quotes; another one when the bytes are others */
	const unsigned char *bytes;
	size_t len;
};

extern const struct console_file console_files[];

#endif
