/* This file defines how the lists of functions and triggers in a configuration are read. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_ITEMS_H
#define ENGINE_CONFIG_ITEMS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

/* Who knows trigger types judges what a trigger says. */
struct config_judge {
	/* 0, or an error whose sentence is shown at the line of the member named in *out_member (of
	 * the trigger's config; a pointer that outlives the call), or else of the trigger. */
	int (*trigger)(void *ctx, const struct config_trigger *trigger, const char **out_member,
	               struct err *err);
	/* The same of a function over HTTP, when its options are well-formed and the secrets are
	 * known; may be NULL. */
	int (*function)(void *ctx, const struct config *config,
	                const struct config_function *function, struct err *err);
	/* Do the triggers, each good by itself, go together? *out_index is the one that does not;
	 * may be NULL. */
	int (*together)(void *ctx, const struct config *config, size_t *out_index, struct err *err);
	void *ctx;
};

/* Ids are unique: of functions in their namespace, of triggers everywhere. */
void config_read_functions(const struct yaml_node *root, struct config *config,
                           const struct config_judge *judge, struct report *report);
/* judge may be NULL: then endpoints, trigger types and their configs are not judged. */
void config_read_triggers(const struct yaml_node *root, struct config *config,
                          const struct config_judge *judge, struct report *report);
void config_free_items(struct config *config);

/* Appends everything that a function or a trigger says as one JSON object; a trigger's own options
 * stand beside those that every trigger has. Equal texts are equal declarations. */
void config_write_function(const struct config_function *function, struct buf *out);
void config_write_trigger(const struct config_trigger *trigger, struct buf *out);

/* Appends the options of one function and one trigger as text. */
void config_print_item_tables(struct buf *out);

#endif
