/* This file examines an engine that runs, by what it says of itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DOCTOR_ENGINE_H
#define CLI_DOCTOR_ENGINE_H

#include <stdbool.h>

struct config;
struct findings;
struct invocation;

/* `is_held`: some engine has the data directory of the configuration. */
void doctor_engine_examine(const struct invocation *invocation, const struct config *config,
                           bool is_held, struct findings *findings);

#endif
