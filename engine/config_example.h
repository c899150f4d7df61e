/* This file prints what can be configured: the example file and the manual's list of options. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_EXAMPLE_H
#define ENGINE_CONFIG_EXAMPLE_H

#include "base/buf.h"

/* Appends config.yaml.example: every option with its default. Functions and triggers, which have
 * none, stand at its end as examples behind `#`; prose there stands behind `##`. */
void config_print_example(struct buf *out);

/* Appends every option with its default and its sentence, as text. */
void config_print_options(struct buf *out);

#endif
