/* This file finds what pawl understands of an iii configuration: its state, and its ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_III_H
#define ENGINE_CONFIG_III_H

#include "base/buf.h"
#include "base/report.h"
#include "base/yaml.h"
#include "engine/config_table.h"

/*
 * DESIGN. Two forms: `modules:`, a list of {class, config}, and the newer `workers:`, a list of
 * {name, config}. The state's adapter and the kv_server fill pawl's own kv options (the adapter
 * goes before the server); the queue_configs of its queues become `queues`; the port of the worker
 * listener becomes `listen` on loopback, and that of the HTTP module (3111 if it says none)
 * `http.listen`. Options of pawl may stand beside the list and are read as ever. Everything else is
 * ignored by name.
 */
struct config_iii {
	struct yaml_node own;              /* the mapping that is pawl's; the entries are ours */
	struct yaml_node kv;               /* likewise, of the kv adapter */
	const struct yaml_entry *kv_at;    /* where the state was found; NULL: nowhere */
	const struct yaml_node *port;      /* NULL: none is given */
	bool has_http;                     /* it wants a listener for HTTP triggers */
	const struct yaml_node *http_port; /* NULL: iii's default */
	struct yaml_node queues;           /* likewise; `own` has an entry for it */
	struct yaml_node *queue_options;   /* of each of them; NULL: there are none */
	struct buf ignored;                /* "a, b" */
};

bool config_is_iii(const struct yaml_node *root);
/* Other adapters than kv are E "not_available" in the report. */
void config_iii_read(const struct yaml_node *root, struct config_iii *out, struct report *report);
void config_iii_close(struct config_iii *iii);

#endif
