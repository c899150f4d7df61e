/* This file reads the section of a configuration that holds secrets. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_SECRETS_H
#define ENGINE_CONFIG_SECRETS_H

#include "base/report.h"
#include "base/yaml.h"

struct secrets;

/* DESIGN. `secrets: {name: value}`: a value is the secret itself, which had better come from the
 * environment (${VAR}), or file:/path, whose content is the secret without the line break at its
 * end. What is wrong is said without the value. */
enum { CONFIG_SECRET_MAX = 64 << 10 };

/* `root` is the whole configuration. Never NULL: without the section there are none. */
struct secrets *config_read_secrets(const struct yaml_node *root, struct report *report);
size_t config_secrets_count(const struct secrets *secrets);

#endif
