/* This file reads the tokens that a configuration names. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_TOKENS_H
#define ENGINE_CONFIG_TOKENS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

struct tokens;

/* `auth.tokens`; faults go to the report. */
void config_read_tokens(const struct yaml_node *root, struct config *config, struct report *report);
void config_free_tokens(struct config *config);
void config_write_tokens(const struct config *config, struct buf *out); /* to be compared */
void config_print_token_table(struct buf *out);
/* What it says from now on; the registry copies. */
void config_take_tokens(const struct config *config, struct tokens *tokens);
/* Could this be an item? The rights are JSON; appends them as they are understood. */
int config_judge_token(struct span name, struct span rights, struct buf *out_rights,
                       struct err *err);
/* Is a token needed from the start, whatever records there are? */
bool config_needs_token(const struct config *config);

#endif
