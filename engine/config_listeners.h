/* This file reads where the daemon listens, and judges whether it may. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_LISTENERS_H
#define ENGINE_CONFIG_LISTENERS_H

#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"
#include <stdbool.h>
#include <stdint.h>

/* "host:port" or "[v6 address]:port"; the host, without brackets, is the caller's to free. */
bool config_split_listen(const char *listen, char **out_host, uint16_t *out_port);
bool config_is_loopback(const char *host);
/* Takes `listen` apart. NULL, or the sentence that refuses it; what is unknown stays as it was. */
const char *config_take_listen(struct config *config);
/* All of `listen`, `tls` and `unix`; loads the certificate, so that a broken pair is refused with
 * its line. */
void config_read_listeners(const struct yaml_node *root, struct config *config,
                           struct report *report);
void config_free_listeners(struct config *config);

#endif
