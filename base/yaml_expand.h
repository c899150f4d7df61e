/* This file puts the environment into the text of a configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_EXPAND_H
#define BASE_YAML_EXPAND_H

#include "base/buf.h"
#include "base/report.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Appends the text with its ${VAR} and ${VAR:default} carried out (see yaml_expand in base/yaml.h).
 * True: there was one. Faults go to the report with the place of the text. */
bool yaml_expand_text(struct span text, uint32_t line, uint32_t column, struct buf *out,
                      struct report *report);

#endif
