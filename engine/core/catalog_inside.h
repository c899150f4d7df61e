/* This file is what the files of the catalog share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CATALOG_INSIDE_H
#define ENGINE_CORE_CATALOG_INSIDE_H

#include "engine/core/catalog.h"
#include "engine/core/timetable.h"

struct catalog {
	struct store *store;
	struct functions *functions;
	struct alarms *alarms;
	struct dispatch *dispatch;
	struct react *react;
	struct footprints *footprints;
	struct timetable *timetable;
	struct catalog_options options;
	struct list bindings; /* binding.link, oldest first */
	struct map by_name;   /* binding.by_name: id and version */
	size_t count;
	struct alarm unbound; /* since the last trigger came */
	bool started;         /* the daemon is ready */
};

int catalog_build(const struct catalog *catalog, const struct trigger_spec *spec,
                  struct binding **out, struct err *err);
int catalog_check_function(const struct trigger_spec *spec, struct err *err);
/* Is there a listener for the HTTP trigger (others are passed over), and its path free? */
int catalog_check_route(const struct catalog *catalog, const struct binding *fresh,
                        struct err *err);
/* The current binding of this content: an old one, or the fresh one, which is taken over either
 * way. The caller commits; so for the next one. */
struct binding *catalog_place(struct catalog *catalog, struct binding *fresh);
/* Judges nothing from `until_seq` on; goes when all before that is settled. */
void catalog_end_at(struct catalog *catalog, struct binding *binding, uint64_t until_seq);
void catalog_put_record(struct catalog *catalog, const struct binding *binding);

/* catalog_unbound.c */
void catalog_tell_unbound(struct alarm *alarm); /* of catalog.unbound */

/* catalog_pause.c */
/* A trigger begins, or goes on in another version (`old`; else NULL): is it paused? */
void catalog_inherit_pause(struct catalog *catalog, struct binding *fresh,
                           const struct binding *old);
/* One of its deliveries is dead: it may have to be paused, in the same group. */
void catalog_died(void *ctx, const struct delivery *delivery, const struct event *event);
/* It seems to wake itself: it is paused. */
void catalog_suspects(void *ctx, struct binding *binding, struct span reason);

#endif
