/* This file is what the files of react share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_REACT_INSIDE_H
#define ENGINE_CORE_REACT_INSIDE_H

#include "engine/core/react.h"
#include "engine/core/shape.h"

struct react {
	struct store *store;
	struct dispatch *dispatch;
	struct dead *dead;
	struct alarms *alarms;
	struct react_options options;
	struct shape *shape;
	struct index *index;
	struct feedback *feedback;
	struct list active;  /* bindings that owe, lag or end: the only ones that cost anything */
	struct list behind;  /* those that lag or end: the only ones that every group is shown to */
	uint64_t next_seq;   /* the first event that the live ones have not seen */
	uint64_t cursor_put; /* what the shared record says */
	bool started;
	struct live_read *reading; /* the live ones are behind the head: after a start */
	bool sweeps_slowly;
	struct alarm cursor_alarm;
	struct alarm sweep_alarm;
	struct alarm long_alarm; /* conditions have taken their share of this turn */
	struct alarm park_alarm; /* for whoever has been parked longest */
	char log[ADAPTER_LOG_LEN + 1];
	struct matching matching; /* the event that filters are being asked about */
	void (*finished)(void *ctx, struct binding *binding);
	void *finished_ctx;
	void (*alarm_matched)(void *ctx, const struct event *event, bool taken);
	void *alarm_ctx;
	void (*alarm_gone)(void *ctx);
	void *alarm_gone_ctx;
	size_t woken; /* live ones that have taken the event that is matched */
	void (*came)(void *ctx);
	void *came_ctx;
	void (*recovered)(void *ctx);
	void *recovered_ctx;
};

/* One chunk of the journal, read for all live bindings. */
struct live_read {
	struct store_read read;
	struct react *react; /* NULL once it was freed */
	int64_t spent;       /* steps of conditions */
};

/* One chunk of the journal, read for one lagging binding. */
struct catch_up {
	struct store_read read;
	struct react *react;
	struct binding *binding; /* NULL once it was removed */
	int64_t spent;
};

/* react_match.c */
void react_want_sweep(struct react *react);
void react_activate(struct react *react, struct binding *binding);
void react_begin_to_lag(struct react *react, struct binding *binding, uint64_t next_seq);
/* What it would collect now is its own: see catalog.h on redeploys. */
bool react_collects(const struct binding *binding);
bool react_may_read(const struct react *react, const struct binding *binding);
/* Asks all live triggers about the event of react->next_seq, which moves on; whoever has not been
 * asked when MATCHING_TURN is spent begins to lag. Returns the steps that conditions took. */
int64_t react_match(struct react *react, uint64_t seq, struct span bytes);
/* Asks one that lags. */
int64_t react_match_one(struct react *react, struct binding *binding, uint64_t seq,
                        struct span bytes);

/* react_doom.c */
/* Why the event at hand can only become a dead letter. False: it is to be delivered. */
bool react_is_doomed(const struct react *react, const struct binding *binding,
                     enum filter_answer answer, struct delivery_doom *out);

/* react_owed.c */
void react_park_is_over(struct alarm *alarm);

/* react_hooks.c */
void react_tell_alarm(struct react *react, const struct event *event, bool taken);
void react_tell_alarm_gone(struct react *react, const struct binding *binding);

/* react_cursor.c */
/* Puts them soon, all in one group. */
void react_want_cursors(struct react *react);
void react_delete_cursor(struct react *react, const struct binding *binding);
/* Returns whether it has to be called again even if nothing more is settled. */
bool react_put_cursors(struct react *react);
/* `binding` NULL: the shared one. */
void react_put_cursor(struct react *react, const struct binding *binding, uint64_t cursor);
void react_put_own_cursor(struct react *react, struct binding *binding); /* which lags */
void react_cursor_is_due(struct alarm *alarm);
uint64_t react_live_cursor(const struct react *react); /* as it would be put now */
bool react_is_behind(const struct binding *binding);   /* it lags, or ends */
bool react_is_at_rest(const struct binding *binding);  /* costs nothing until its next event */

#endif
