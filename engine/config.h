/* This file loads a configuration: read, expanded, validated, or refused with every reason. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include "base/err.h"
#include "base/report.h"
#include "engine/config_items.h"
#include "engine/config_table.h"

/*
 * Reads the file at `path`; NULL means no file, everything at its default. judge may be NULL.
 * On failure *out is untouched, err says the first reason as "path:line:column: sentence" and how
 * many more there are, and the report, which must be empty before, lists all of them in the order
 * of the file. The report stays empty when the file cannot be read or is not YAML; err says why.
 */
int config_load(const char *path, const struct config_judge *judge, struct config **out,
                struct report *report, struct err *err);
/* Where a configuration comes from: all of these may be NULL. */
struct config_source {
	const char *path;
	const char *listen; /* what the command line puts in the place of the file's */
	const char *data;
};
/* Puts the command line's words in. E_INVALID "invalid_listen". */
int config_override(struct config *config, const struct config_source *source, struct err *err);
/* Says what of an iii configuration counts, and in one warning what is ignored. */
void config_warn_iii(const struct config *config);
/* The same as text, a line each; nothing for a file in pawl's own form. */
void config_describe_iii(const struct config *config, struct buf *out);
/* The log is as the configuration wants it from here on. */
void config_open_log(const struct config *config);
void config_free(struct config *config);

#endif
