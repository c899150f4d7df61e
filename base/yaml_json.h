/* This file turns YAML nodes into JSON text with the types of the YAML 1.2 core schema. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_JSON_H
#define BASE_YAML_JSON_H

#include "base/buf.h"
#include "base/report.h"
#include "base/yaml.h"
#include <stdbool.h>

/* Plain and empty, ~ or null. */
bool yaml_is_null(const struct yaml_node *node);

/* Appends the node as JSON, compact, members in the order of the file. Numbers keep their digits
 * (a sign or zeros that JSON does not know are dropped; 0x and 0o become decimal). What JSON cannot
 * say (.inf, .nan, 0x beyond 64 bits) is added to the report and written as null. */
void yaml_to_json(const struct yaml_node *node, struct buf *out, struct report *report);

#endif
