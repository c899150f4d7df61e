/* This file defines the pause of a trigger: what it does meanwhile, since when and why. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_PAUSE_H
#define ENGINE_CORE_PAUSE_H

#include "base/buf.h"
#include "base/span.h"
#include "triggers/filter.h"
#include <stdbool.h>
#include <stdint.h>

enum { PAUSE_REASON_MAX = 200 };

/*
 * DESIGN. Part of the trigger's record. A pause that holds stops the reading of the journal; one
 * that drops makes the events of [drop_from, drop_until) unwanted, and that range stays in the
 * record after the pause: a crash may bring events of it back before the cursor has passed them.
 */
struct pause {
	bool is_on;
	enum trigger_pause mode;
	int64_t since_ms;    /* wall clock */
	uint64_t drop_from;  /* 0: nothing was ever dropped */
	uint64_t drop_until; /* 0 = open: it is dropping */
	char reason[PAUSE_REASON_MAX + 1];
};

/* It reads no more events and starts nothing. */
static inline bool pause_holds(const struct pause *pause)
{
	return pause->is_on && pause->mode == PAUSE_HOLD;
}

static inline bool pause_drops(const struct pause *pause, uint64_t seq)
{
	return pause->drop_from != 0 && seq >= pause->drop_from &&
	       (pause->drop_until == 0 || seq < pause->drop_until);
}

/* Long reasons are cut between two characters. */
void pause_begin(struct pause *pause, enum trigger_pause mode, struct span reason,
                 uint64_t next_seq);
void pause_end(struct pause *pause, uint64_t next_seq);

/* "hold", "drop" */
const char *pause_mode_name(enum trigger_pause mode);
bool pause_mode_parse(struct span word, enum trigger_pause *out);

/* As a JSON object in the trigger's record. */
void pause_encode(const struct pause *pause, struct buf *out);
/* Of what pause_encode wrote; an absent span is no pause. False: it is damaged. */
bool pause_decode(struct span json, struct pause *out);

#endif
