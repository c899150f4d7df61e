/* This file judges the section `telemetry` of a configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_TELEMETRY_H
#define ENGINE_CONFIG_TELEMETRY_H

#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

/* `root`: where lines are looked up; the section has been read. */
void config_check_telemetry(const struct yaml_node *root, const struct config *config,
                            struct report *report);

#endif
