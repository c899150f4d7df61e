/* This file judges what a configuration says about triggers and functions, without running it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ENGINE_JUDGE_H
#define ENGINE_ENGINE_JUDGE_H

#include "engine/config_items.h"

/* For `pawl check`, and whoever loads a configuration to run it. */
struct config_judge engine_judge(void);

struct buf;

/* Appends what is right and yet worth a word: a line each, or the items of a JSON array. */
void engine_judge_warn(const struct config *config, bool json, struct buf *out);

#endif
