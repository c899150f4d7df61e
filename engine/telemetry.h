/* This file opens the way to an OpenTelemetry collector, if the config names one. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_TELEMETRY_H
#define ENGINE_TELEMETRY_H

#include "base/err.h"
#include "engine/config_table.h"
#include "engine/core/core.h"

struct rest;
struct sessions;
struct uv_loop_s;

/* Sets core->otlp. */
int telemetry_open(struct uv_loop_s *loop, struct core *core, const struct config *config,
                   struct err *err);
/* From now on these make spans, if that is wanted, and pass on what workers send. */
void telemetry_follow(const struct core *core, struct rest *rest, struct sessions *sessions);
/* All of those have gone. What waits is sent, within a second; then `closed` (once, perhaps from
 * inside this). */
void telemetry_close(struct core *core, void (*closed)(void *ctx), void *ctx);

#endif
