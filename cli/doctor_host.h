/* This file examines the machine: the data directory, its disk, the clock, limits and memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DOCTOR_HOST_H
#define CLI_DOCTOR_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct findings;

/* *out_holder is the process that has the directory: 0 nobody, -1 one that we cannot see. */
void doctor_host_data(const struct config *config, struct findings *findings, int64_t *out_holder);
void doctor_host_clock(struct findings *findings);
/* Of the engine that runs as `holder`, else of this process. */
void doctor_host_limits(const struct config *config, int64_t holder, struct findings *findings);

#endif
