/* This file reads what a configuration says of whole scopes of the state. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_SCOPES_H
#define ENGINE_CONFIG_SCOPES_H

#include "base/buf.h"
#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

struct state;

/* DESIGN. `scopes` is a list: the first item whose glob matches the name of a scope says how long
 * its records last, where a write does not, and whether writes that change nothing make events. */

/* `root` is the whole configuration. */
void config_read_scopes(const struct yaml_node *root, struct config *config, struct report *report);
void config_free_scopes(struct config *config);

/* Appends all of them as a JSON list: equal texts say the same. */
void config_write_scopes(const struct config *config, struct buf *out);
/* Appends the options of one item as text. */
void config_print_scope_table(struct buf *out);

/* What it says from now on; the state copies. */
void config_take_scopes(const struct config *config, struct state *state);

#endif
