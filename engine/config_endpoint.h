/* This file defines how the HTTP endpoint of a function is read, and how it is written out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_ENDPOINT_H
#define ENGINE_CONFIG_ENDPOINT_H

#include "base/buf.h"
#include "base/field.h"
#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

extern const struct field config_endpoint_fields[]; /* of struct config_endpoint */

void config_read_endpoint(const struct yaml_node *node, struct config_endpoint *http,
                          struct report *report);
/* Appends it in the form in which workers register theirs: the `invocation` of the worker
 * protocol. */
void config_write_invocation(const struct config_endpoint *http, struct buf *out);

#endif
