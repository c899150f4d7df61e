/* This file defines how the queues in a configuration are read. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_QUEUES_H
#define ENGINE_CONFIG_QUEUES_H

#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_items.h"
#include "engine/config_table.h"

/* Each becomes a trigger of type "queue"; "default" is there also when nobody declares it. The
 * triggers have been read: none of them may be a queue. judge may be NULL. */
void config_read_queues(const struct yaml_node *root, struct config *config,
                        const struct config_judge *judge, struct report *report);
void config_free_queues(struct config *config);

#endif
