/* This file is what the files of dispatch share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DISPATCH_INSIDE_H
#define ENGINE_CORE_DISPATCH_INSIDE_H

#include "engine/core/dispatch.h"
#include "engine/core/order.h"
#include "engine/core/range_letter.h"

struct dispatch {
	struct store *store;
	struct functions *functions;
	struct alarms *alarms;
	struct dead *dead;
	struct attempts *attempts;
	struct dispatch_options options;
	struct dispatch_hooks hooks;
	dispatch_dead_fn *died;
	void *died_ctx;
	dispatch_alarm_fn *alarm_ended;
	void *alarm_ctx;
	struct order order;
	struct causes causes;
	struct range_letters ranges;
	struct list live_owed; /* by seq */
	struct list held_back; /* binding.held_link */
	size_t running;
	struct figures gone;
	bool stopping;
};

/* Starts what is ready, as far as there is room. */
void dispatch_pump(struct dispatch *dispatch, struct binding *binding);
/* Its attempt is over, or forgotten. */
void dispatch_has_ended(struct dispatch *dispatch, struct delivery *delivery);
void dispatch_make_ready(struct delivery *delivery);
/* The next of its lane may go: perhaps one of another version of the trigger. */
void dispatch_leave_lane(struct dispatch *dispatch, struct delivery *delivery);
/* It has an outcome: the next of its key may go, and there is room for one more. */
void dispatch_settle(struct dispatch *dispatch, struct delivery *delivery);
/* From here on the delivery is only to be buried, however often that has to be tried. */
void dispatch_doom(struct delivery *delivery, struct span code, struct span message);
void dispatch_free_delivery(struct dispatch *dispatch, struct delivery *delivery);

/* dispatch_alarm.c */
/* What is told of a delivery when it has gone; all zero: nothing. */
struct alarm_farewell {
	struct buf text; /* code, NUL, message */
	uint64_t seq;
	struct binding *binding;
	bool has_failed;
	uint32_t attempts;
};
/* While it is there... */
struct alarm_farewell dispatch_part(const struct delivery *delivery);
/* ...and when it is gone. */
void dispatch_tell_parted(struct dispatch *dispatch, struct alarm_farewell *farewell);

/* dispatch_jobs.c */
/* It is the head of its lane: ready, or it sleeps until it is due. */
void dispatch_line_up(struct dispatch *dispatch, struct delivery *delivery);
void dispatch_sleep(struct dispatch *dispatch, struct delivery *delivery, int64_t wait_ms);
/* It is due, but somebody or something is not there: a wait that no policy asks for. */
void dispatch_ask_again(struct dispatch *dispatch, struct delivery *delivery, int64_t wait_ms);
/* By somebody, the engine itself included, whose functions serve every namespace. */
bool dispatch_function_is_served(const struct function *function);

/* It is dead on disk and holds its lane from here on. */
void dispatch_block(struct dispatch *dispatch, struct delivery *delivery);
/* A dead letter is replayed that holds its lane: it goes on in its place. False: there is none. */
bool dispatch_unblock(struct dispatch *dispatch, struct binding *binding, const struct job *job);

/* dispatch_drop.c */
void dispatch_letter_written(void *ctx, struct binding *binding);

/* dispatch_owed.c */
void dispatch_leave_owed(struct dispatch *dispatch, struct delivery *delivery);
/* From here on its record answers for it, not the cursor. */
void dispatch_record(struct dispatch *dispatch, struct delivery *delivery);
void dispatch_join_live(struct dispatch *dispatch, struct delivery *delivery);

#endif
