/* This file stands below the journal and takes the power away at a chosen sync. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ADAPTERS_POWER_CUT_H
#define TESTS_ADAPTERS_POWER_CUT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Every call of adapters/file.h is carried out on the real directory and remembered. What a
 * sync covers becomes durable in the model; the rest is pending. When the power goes, the n-th sync
 * and everything behind it fails, and the model writes down a directory as a disk might hold it:
 * what was durable, and of what was pending nothing, everything, or any half of its sectors and
 * names, in whatever order they got there.
 */
enum power_cut_keeps { POWER_CUT_NOTHING, POWER_CUT_SOME, POWER_CUT_ALL, POWER_CUT_MODES };

/* From here on files below `dir` are watched; the `cut_at`-th sync (from 1) does not happen. */
void power_cut_begin(const char *dir, unsigned cut_at);
bool power_cut_happened(void);
/* Writes the files that the disk holds to `to`, which must be empty. */
void power_cut_write(const char *to, enum power_cut_keeps keeps, uint64_t seed);
void power_cut_end(void); /* the real calls are back, the model is forgotten */

#endif
