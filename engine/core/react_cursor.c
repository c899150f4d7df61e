/* This file puts the cursors: up to where every event is answered for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/mem.h"
#include "engine/core/job_store.h"
#include "engine/core/react_inside.h"
#include "engine/core/throttle_store.h"
#include "engine/core/window_store.h"
#include "engine/durable/space.h"

enum { CURSOR_FORMAT = 1, CURSOR_MS = 100 };

uint64_t react_live_cursor(const struct react *react)
{
	uint64_t owed = dispatch_first_owed(react->dispatch);
	return (owed != 0 && owed < react->next_seq ? owed : react->next_seq) - 1;
}

static uint64_t react_own_cursor(const struct binding *binding)
{
	uint64_t owed = dispatch_first_owed_by(binding);
	return (owed != 0 && owed < binding->next_seq ? owed : binding->next_seq) - 1;
}

bool react_has_passed(const struct react *react, const struct binding *binding, uint64_t seq)
{
	return seq < (binding->lagging ? binding->next_seq : react->next_seq);
}

uint64_t react_cursor(const struct react *react, const struct binding *binding)
{
	if (!binding->lagging) {
		return react->cursor_put;
	}
	return binding->cursor_put != REACT_NO_CURSOR ? binding->cursor_put : 0;
}

void react_put_cursor(struct react *react, const struct binding *binding, uint64_t cursor)
{
	struct space_key room;
	struct buf value = {0};
	space_put_u8(&value, CURSOR_FORMAT);
	space_put_u64(&value, cursor);
	struct record record = {.value = buf_view(&value)};
	store_put(react->store,
	          binding ? space_cursor_of(&room, binding->id, binding->version) : space_cursor(),
	          &record);
	buf_free(&value);
	crash_at(CRASH_CURSOR);
}

void react_delete_cursor(struct react *react, const struct binding *binding)
{
	struct space_key room;
	store_delete(react->store, space_cursor_of(&room, binding->id, binding->version), 0);
}

static bool react_has_caught_up(const struct react *react, const struct binding *binding)
{
	return !binding->reading && react->reading == NULL && binding->next_seq == react->next_seq;
}

/* A binding is live again when the shared cursor answers for all that it owes, and for all that its
 * own one says is settled. */
static bool try_to_join(struct react *react, struct binding *binding)
{
	uint64_t owed = dispatch_first_owed_by(binding);
	uint64_t cursor = react_live_cursor(react);
	if (!react_has_caught_up(react, binding) || cursor < react_cursor(react, binding) ||
	    (owed != 0 && owed <= cursor)) {
		return false;
	}
	dispatch_set_lagging(react->dispatch, binding, false);
	react_delete_cursor(react, binding);
	return true;
}

void react_put_own_cursor(struct react *react, struct binding *binding)
{
	binding->cursor_put = react_own_cursor(binding);
	react_put_cursor(react, binding, binding->cursor_put);
}

static void put_binding_cursor(struct react *react, struct binding *binding)
{
	if (!binding->lagging || try_to_join(react, binding)) {
		return;
	}
	uint64_t cursor = react_own_cursor(binding);
	/* One that has caught up waits there for the shared cursor, which comes within a second. */
	bool waits = binding->cursor_put != REACT_NO_CURSOR &&
	             react_has_caught_up(react, binding) && dispatch_first_owed_by(binding) == 0;
	if (cursor != binding->cursor_put && !waits) {
		react_put_cursor(react, binding, cursor);
		binding->cursor_put = cursor;
	}
}

/* Tombstones go in the group of the cursor that has passed them. */
static bool forget_done(struct react *react)
{
	bool pending = false;
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		uint64_t cursor = react_cursor(react, binding);
		pending |= job_store_forget_done(react->store, binding, cursor);
	}
	return pending;
}

bool react_put_cursors(struct react *react)
{
	bool again = false;
	/* Before the shared one moves: whoever began to lag must have his own in the same group,
	 * and whoever collects events what he has. */
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		window_store_put_dirty(react->store, binding);
		throttle_store_put_dirty(react->store, binding);
		put_binding_cursor(react, binding);
		again |= binding->lagging && react_has_caught_up(react, binding);
	}
	uint64_t cursor = react_live_cursor(react);
	if (cursor != react->cursor_put) {
		react_put_cursor(react, NULL, cursor);
		react->cursor_put = cursor;
	}
	again |= forget_done(react);
	store_commit_lazy(react->store);
	return again;
}

bool react_is_behind(const struct binding *binding)
{
	return binding->lagging || binding->until_seq != 0;
}

bool react_is_at_rest(const struct binding *binding)
{
	return !binding->lagging && binding->until_seq == 0 && dispatch_owes_nothing(binding) &&
	       list_is_empty(&binding->done) && windows_are_at_rest(binding->windows) &&
	       throttle_store_is_at_rest(binding);
}

static bool is_pending(const struct react *react, struct record_key key)
{
	struct store_look look;
	(void)store_look(react->store, key, &look);
	return !store_has_written(react->store, look.group);
}

/* Nothing before until_seq is left to be matched or delivered. */
static bool is_past(const struct react *react, const struct binding *binding)
{
	uint64_t next = binding->lagging ? binding->next_seq : react->next_seq;
	return binding->until_seq != 0 && next >= binding->until_seq &&
	       dispatch_owes_nothing(binding) && list_is_empty(&binding->done) &&
	       react_cursor(react, binding) + 1 >= binding->until_seq;
}

/* What says so is on disk. A version that goes earlier would come back at the next start, and do
 * its work again, if the group of its removal is lost. */
static bool is_past_for_good(const struct react *react, const struct binding *binding)
{
	struct space_key room;
	return !is_pending(react, space_cursor_of(&room, binding->id, binding->version)) &&
	       (binding->lagging || !is_pending(react, space_cursor()));
}

void react_want_cursors(struct react *react)
{
	if (react->started && !alarm_is_set(&react->cursor_alarm)) {
		alarm_set_real(react->alarms, &react->cursor_alarm, CURSOR_MS);
	}
}

void react_cursor_is_due(struct alarm *alarm)
{
	struct react *react = MEM_CONTAINER(alarm, struct react, cursor_alarm);
	if (!store_can_put(react->store)) {
		alarm_set_real(react->alarms, &react->cursor_alarm, CURSOR_MS);
		return;
	}
	if (react_put_cursors(react)) {
		react_want_cursors(react);
	}
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		if (!react_is_behind(binding)) {
			list_remove(&binding->behind_link);
		}
		if (is_past(react, binding)) {
			if (is_past_for_good(react, binding)) {
				react->finished(react->finished_ctx, binding);
			} else {
				react_want_cursors(react);
			}
		} else if (react_is_at_rest(binding)) {
			list_remove(&binding->active_link);
		}
	}
}
