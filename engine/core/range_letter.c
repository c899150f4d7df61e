/* This file puts range dead letters, and puts them again when their group was lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/range_letter.h"

#include "base/mem.h"
#include "engine/durable/space.h"

struct range_letter {
	struct store_waiter waiter;
	struct list link;
	struct range_letters *letters; /* NULL once that was closed */
	struct binding *binding;       /* NULL once it has gone */
	uint64_t from, to;
	const char *code;
	const char *message;
	uint64_t bytes;
};

void range_letters_init(struct range_letters *letters, struct store *store, struct dead *dead,
                        void (*written)(void *ctx, struct binding *binding), void *ctx)
{
	letters->written = written;
	letters->ctx = ctx;
	letters->store = store;
	letters->dead = dead;
	list_init(&letters->waiting);
	list_init(&letters->lost);
}

static void free_letter(struct range_letter *letter)
{
	list_remove(&letter->link);
	mem_free(letter);
}

void range_letters_close(struct range_letters *letters)
{
	while (!list_is_empty(&letters->lost)) {
		free_letter(LIST_FIRST(&letters->lost, struct range_letter, link));
	}
	LIST_EACH(&letters->waiting, link)
	{
		MEM_CONTAINER(link, struct range_letter, link)->letters = NULL;
		list_remove(link);
	}
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err;
	struct range_letter *letter = MEM_CONTAINER(waiter, struct range_letter, waiter);
	struct range_letters *letters = letter->letters;
	struct binding *binding = letter->binding;
	if (letters == NULL || status == 0) {
		free_letter(letter);
		if (letters != NULL && binding != NULL && --binding->burying == 0) {
			letters->written(letters->ctx, binding);
		}
		return;
	}
	dead_uncount(letters->dead, letter->bytes);
	list_remove(&letter->link);
	list_push(&letters->lost, &letter->link);
}

static void put(struct range_letters *letters, struct range_letter *letter)
{
	uint64_t before = dead_bytes(letters->dead);
	dead_put_range(letters->dead, letter->binding, letter->from, letter->to, letter->code,
	               letter->message);
	letter->bytes = dead_bytes(letters->dead) - before;
	list_push(&letters->waiting, &letter->link);
	store_commit(letters->store, &letter->waiter);
}

void range_letter_put(struct range_letters *letters, struct binding *binding, uint64_t from,
                      uint64_t to, const char *code, const char *message)
{
	struct range_letter *letter = MEM_NEW(struct range_letter);
	letter->waiter.done = is_durable;
	letter->letters = letters;
	letter->binding = binding;
	letter->from = from;
	letter->to = to;
	letter->code = code;
	letter->message = message;
	binding->burying++;
	put(letters, letter);
}

static void forget(struct list *list, const struct binding *binding)
{
	LIST_EACH(list, link)
	{
		struct range_letter *letter = MEM_CONTAINER(link, struct range_letter, link);
		if (letter->binding == binding) {
			letter->binding = NULL;
		}
	}
}

void range_letters_forget(struct range_letters *letters, const struct binding *binding)
{
	forget(&letters->waiting, binding);
	forget(&letters->lost, binding);
}

/* What the letter's group had deleted: those that somebody still owes are put again behind this. */
static void delete_jobs(struct range_letters *letters, const struct range_letter *letter)
{
	struct space_key first;
	struct space_key end;
	struct span id = letter->binding->id;
	store_delete_range(letters->store, SPACE_JOB, id, space_job(&first, id, letter->from).key,
	                   space_job(&end, id, letter->to + 1).key);
}

void range_letters_put_again(struct range_letters *letters)
{
	struct list lost;
	list_init(&lost);
	list_move(&letters->lost, &lost);
	while (!list_is_empty(&lost)) {
		struct range_letter *letter = LIST_FIRST(&lost, struct range_letter, link);
		list_remove(&letter->link);
		if (letter->binding == NULL) {
			mem_free(letter);
			continue;
		}
		delete_jobs(letters, letter);
		put(letters, letter);
	}
}
