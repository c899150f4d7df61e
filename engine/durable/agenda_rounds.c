/* This file carries batches of due records from the agenda to whoever looks at them, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/agenda_rounds.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"

enum { RETRY_MS = 1000, PAGE = 4096, IN_MEMORY = 131072 };

struct agenda_rounds {
	struct store *store;
	struct alarms *alarms;
	struct agenda_rounds_options options;
	struct agenda *agenda;
	struct alarm repeat;
	struct list out; /* round.link */
};

struct round {
	struct list link;
	struct agenda_rounds *rounds; /* NULL once they were freed */
	struct store_fetch fetch;
	struct store_waiter waiter;
	struct buf names;
	struct record_key keys[AGENDA_BATCH];
	size_t count;
};

static void finish(struct round *round, int status)
{
	struct agenda_rounds *rounds = round->rounds;
	list_remove(&round->link);
	buf_free(&round->names);
	mem_free(round);
	if (rounds == NULL) {
		return;
	}
	if (status != 0) {
		agenda_rounds_repeat(rounds);
	}
	agenda_done(rounds->agenda);
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err; /* the store has told it */
	finish(MEM_CONTAINER(waiter, struct round, waiter), status);
}

static void look_at_all(struct round *round)
{
	const struct agenda_rounds_options *options = &round->rounds->options;
	struct store *store = round->rounds->store;
	uint64_t group = 0;
	bool any = false;
	for (size_t i = 0; i < round->count; i++) {
		any |= options->look(options->ctx, round->keys[i], &group);
	}
	crash_at(options->point);
	if (any) {
		store_commit(store, &round->waiter);
	} else if (store_wait(store, group, &round->waiter)) {
		finish(round, 0);
	}
}

static void fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	(void)err;
	struct round *round = MEM_CONTAINER(fetch, struct round, fetch);
	struct err why;
	if (status == 0 && round->rounds != NULL) {
		status = store_refuses(round->rounds->store, &why);
	}
	if (status != 0 || round->rounds == NULL) {
		finish(round, status);
	} else {
		look_at_all(round);
	}
}

static struct span keep(struct buf *text, struct span from)
{
	size_t at = text->len;
	buf_span(text, from);
	return span_make(text->ptr + at, from.len);
}

static void are_due(void *ctx, const struct agenda_due list[], size_t count)
{
	struct agenda_rounds *rounds = ctx;
	struct round *round = MEM_NEW(struct round);
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		len += list[i].part.len + list[i].key.len;
	}
	(void)buf_reserve(&round->names, len); /* it does not move any more */
	for (size_t i = 0; i < count; i++) {
		const struct span part = keep(&round->names, list[i].part);
		const struct span key = keep(&round->names, list[i].key);
		round->keys[i] = (struct record_key){rounds->options.space, part, key};
	}
	round->rounds = rounds;
	round->count = count;
	round->fetch.done = fetched;
	round->waiter.done = is_durable;
	list_init(&round->waiter.link);
	list_push(&rounds->out, &round->link);
	store_fetch_start(rounds->store, &round->fetch, round->keys, count);
}

static void repeat_is_due(struct alarm *alarm)
{
	agenda_restart(MEM_CONTAINER(alarm, struct agenda_rounds, repeat)->agenda);
}

void agenda_rounds_repeat(struct agenda_rounds *rounds)
{
	if (!alarm_is_set(&rounds->repeat)) {
		alarm_set_in(rounds->alarms, &rounds->repeat, RETRY_MS);
	}
}

struct agenda_rounds *agenda_rounds_new(struct store *store, struct alarms *alarms,
                                        const struct agenda_rounds_options *options)
{
	struct agenda_rounds *rounds = MEM_NEW(struct agenda_rounds);
	rounds->store = store;
	rounds->alarms = alarms;
	rounds->options = *options;
	rounds->repeat.fn = repeat_is_due;
	list_init(&rounds->out);
	const struct agenda_options agenda = {.space = options->space,
	                                      .page = PAGE,
	                                      .most = IN_MEMORY,
	                                      .due = are_due,
	                                      .ctx = rounds};
	rounds->agenda = agenda_new(store, alarms, &agenda);
	return rounds;
}

void agenda_rounds_free(struct agenda_rounds *rounds)
{
	if (rounds == NULL) {
		return;
	}
	for (struct round *round; (round = LIST_FIRST(&rounds->out, struct round, link)) != NULL;) {
		round->rounds = NULL;
		list_remove(&round->link);
	}
	alarm_clear(rounds->alarms, &rounds->repeat);
	agenda_free(rounds->agenda);
	mem_free(rounds);
}

void agenda_rounds_start(struct agenda_rounds *rounds)
{
	agenda_start(rounds->agenda);
}

void agenda_rounds_note(struct agenda_rounds *rounds, struct record_key key, int64_t at_ms)
{
	const struct agenda_due due = {key.part, key.key, at_ms};
	agenda_note(rounds->agenda, &due);
}

void agenda_rounds_get_stats(const struct agenda_rounds *rounds, struct agenda_stats *out)
{
	agenda_get_stats(rounds->agenda, out);
}
