/* This file defines the figures of watch streams, for /v1/status. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_WATCH_COUNTS_H
#define ENGINE_CORE_WATCH_COUNTS_H

#include <stddef.h>
#include <stdint.h>

struct watch_counts {
	size_t watchers;  /* that are connected */
	size_t interests; /* what they want, the same counted once */
	uint64_t events;  /* that were written out, once for all who watch live */
	uint64_t sent;    /* copies of them */
	uint64_t reread;  /* events that single watchers got from the journal */
	uint64_t cut;     /* watchers that did not read fast enough */
};

#endif
