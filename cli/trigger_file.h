/* This file reads a trigger that stands alone: one item of a configuration's triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TRIGGER_FILE_H
#define CLI_TRIGGER_FILE_H

#include "base/err.h"
#include "base/report.h"
#include "base/span.h"
#include "engine/config.h"

/* What the file may leave out; NULL: it has to say it. */
struct trigger_names {
	const char *id;
	const char *function;
};

/* Reads and judges it as a configuration would; `config` is empty and gets one trigger, which
 * config_free_items frees. On failure the report lists what is wrong, or err says why it could not
 * be read. */
int trigger_file_load(const char *path, const struct trigger_names *names, struct config *config,
                      struct report *report, struct err *err);
/* The same from a text; errors call it by the name. */
int trigger_file_parse(struct span text, const char *name, const struct trigger_names *names,
                       struct config *config, struct report *report, struct err *err);

/* Prints what is wrong to the standard error. */
void trigger_file_complain(const char *name, const struct report *report, const struct err *err);

#endif
