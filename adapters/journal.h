/* This file makes a store of a view: it keeps the journal in segments beside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_JOURNAL_H
#define ADAPTERS_JOURNAL_H

#include "adapters/adapter.h"
#include <stdint.h>

struct journal_options {
	const struct adapter_type *view; /* outlives the adapter */
	struct adapter_open view_open;   /* how to open it; its dir is the journal's too */
	int64_t sync_every_ms;           /* 0: every write is synced */
	uint64_t segment_len;            /* 0: SEGMENT_LEN */
};

/* E_DAMAGED too when the view has seen more than the journal holds. */
int journal_open(const struct journal_options *options, struct adapter **out, struct err *err);

#endif
