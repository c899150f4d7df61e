/* This file replays or discards all dead letters that fit a filter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/dead.h"
#include "engine/core/dead_filter.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/letter.h"

/*
 * DESIGN. First the ids of those that fit are collected, then each is looked up and done with, one
 * after the other:
 *
 *   LISTING --> FETCHING <--> (replay or discard) --> COMMITTING --> answered
 *
 * What has been replayed is a job, with the time before which it must not start where a rate was
 * given; what has not is still a dead letter. So a crash in the middle leaves each as one or the
 * other, and the same request does the rest.
 */
enum { LETTERS_MOST = 10000, LETTERS_A_GROUP = 100, REFUSALS_SHOWN = 10 };

struct letters {
	struct dead_list list;
	struct dead_get get;
	struct work *work;
	struct dead_filter filter;
	bool discards;
	bool speaks_iii; /* is asked and answers in the words of iii's queues */
	int64_t rate;    /* a second; 0 = no bound */
	int64_t begin_ms;
	uint64_t limit;
	uint64_t found; /* ids in `ids` */
	bool more;
	struct buf ids; /* each with a NUL behind it */
	size_t at;      /* in ids: the one that is being done with */
	uint64_t done;
	uint64_t refused;
	struct buf refusals; /* JSON objects */
};

static void next_letter(struct letters *letters);

static void letters_free(struct letters *letters)
{
	dead_filter_close(&letters->filter);
	buf_free(&letters->ids);
	buf_free(&letters->refusals);
	mem_free(letters);
}

static void letters_fail(struct letters *letters, const struct err *err)
{
	work_fail(letters->work, err);
	letters_free(letters);
}

static void write_redriven(const struct letters *letters, struct buf *out)
{
	struct span message = letters->filter.member[DEAD_EVENT];
	json_write_member_string(out, "queue", letters->filter.member[DEAD_QUEUE]);
	if (message.ptr != NULL) {
		json_write_member_string(out, "message_id", message);
	}
	json_write_member_uint(out, "redriven", letters->done);
}

static void write_refusals(const struct letters *letters, struct buf *out)
{
	json_write_member_uint(out, "refused", letters->refused);
	json_write_member_bool(out, "more", letters->more);
	json_write_name(out, "refusals");
	buf_byte(out, '[');
	buf_span(out, buf_view(&letters->refusals));
	buf_byte(out, ']');
}

static void letters_answer(struct letters *letters)
{
	struct work *work = letters->work;
	struct buf *out = &work->out;
	buf_byte(out, '{');
	if (letters->speaks_iii) {
		write_redriven(letters, out);
	} else {
		json_write_member_uint(out, letters->discards ? "discarded" : "replayed",
		                       letters->done);
	}
	if (!letters->speaks_iii || letters->refused != 0) {
		write_refusals(letters, out);
	}
	buf_byte(out, '}');
	store_commit(work->core->store, work_waiter(work));
	letters_free(letters);
}

static struct span this_id(const struct letters *letters)
{
	return span_of(letters->ids.ptr + letters->at);
}

static void note_refusal(struct letters *letters, const struct err *err)
{
	struct buf *out = &letters->refusals;
	if (letters->refused++ < REFUSALS_SHOWN) {
		json_write_comma(out);
		buf_byte(out, '{');
		json_write_member_string(out, "id", this_id(letters));
		json_write_member_string(out, "code", span_of(err->code));
		json_write_member_string(out, "message", span_of(err->text));
		buf_byte(out, '}');
	}
}

static int64_t due_of(const struct letters *letters)
{
	return letters->rate != 0
	               ? letters->begin_ms + (int64_t)letters->done * 1000 / letters->rate
	               : 0;
}

static void letter_came(struct dead_get *get, int status, struct span json, const struct err *err)
{
	struct letters *letters = MEM_CONTAINER(get, struct letters, get);
	const struct core *core = letters->work->core;
	struct err why;
	if (status == E_NOT_FOUND) {
		next_letter(letters); /* somebody else was faster */
		return;
	}
	if (status != 0 || store_refuses_records(core->store, &why) != 0) {
		letters_fail(letters, status != 0 ? err : &why);
		return;
	}
	const struct letter_again again = {.due_ms = due_of(letters)};
	if (letters->discards) {
		letter_discard(core, get, json, this_id(letters));
		letters->done++;
	} else if (letter_replay(core, get, json, &again, &why) == 0) {
		letters->done++;
	} else {
		note_refusal(letters, &why);
	}
	if (letters->done % LETTERS_A_GROUP == 0) {
		store_commit(core->store, NULL);
	}
	next_letter(letters);
}

static void fetch_letter(struct letters *letters)
{
	if (letters->at == letters->ids.len) {
		letters_answer(letters);
		return;
	}
	letters->get = (struct dead_get){.done = letter_came};
	dead_get_start(letters->work->core->dead, &letters->get, this_id(letters));
}

static void next_letter(struct letters *letters)
{
	letters->at += this_id(letters).len + 1;
	fetch_letter(letters);
}

static bool take_id(struct dead_list *list, struct span json)
{
	struct letters *letters = MEM_CONTAINER(list, struct letters, list);
	struct span id;
	if (!dead_filter_fits(&letters->filter, json) || !json_get(json, SPAN("id"), &id)) {
		return true;
	}
	letters->more = letters->found == letters->limit;
	if (!letters->more) {
		letters->found++;
		json_string(id, &letters->ids);
		buf_byte(&letters->ids, '\0');
	}
	return !letters->more;
}

static void all_listed(struct dead_list *list, int status, const struct err *err)
{
	struct letters *letters = MEM_CONTAINER(list, struct letters, list);
	if (status != 0) {
		letters_fail(letters, err);
	} else {
		fetch_letter(letters);
	}
}

static void do_all(struct work *work, struct span data, bool discards)
{
	struct letters *letters = MEM_NEW(struct letters);
	struct err err;
	letters->work = work;
	letters->discards = discards;
	letters->begin_ms = clock_wall_ms();
	letters->limit = work_uint(data, "limit", LETTERS_MOST);
	int status = dead_filter_read(&letters->filter, data, &err);
	if (status == 0) {
		status = work_rate(data, &letters->rate, &err);
	}
	if (status == 0 && dead_filter_is_empty(&letters->filter) && !work_bool(data, "all")) {
		status = err_set(
		        &err, E_INVALID, "invalid_data",
		        "say which: trigger, function, reason, scope, prefix, since, until, queue, "
		        "event, or all: true");
	}
	if (status == 0 && (letters->limit == 0 || letters->limit > LETTERS_MOST)) {
		status = err_set(&err, E_INVALID, "invalid_data", "'limit' must be 1 to %d",
		                 LETTERS_MOST);
	}
	if (status != 0) {
		letters_fail(letters, &err);
		return;
	}
	letters->list.each = take_id;
	letters->list.done = all_listed;
	dead_list_start(work->core->dead, &letters->list, false);
}

/* ---- in the words of iii's queues ---- */

/* {"queue" or "topic", "message_id"}: as the receipt says, or the id of the dead letter. */
static int read_message(struct dead_filter *filter, struct span data, bool is_one, struct err *err)
{
	struct buf *texts = &filter->texts;
	(void)buf_reserve(texts, data.len * 3); /* the texts must not move */
	struct span queue = work_text(data, "queue", texts);
	queue = queue.ptr != NULL ? queue : work_text(data, "topic", texts);
	struct span message = is_one ? work_text(data, "message_id", texts) : SPAN_NONE;
	const char *slash = message.len != 0 ? memchr(message.ptr, '/', message.len) : NULL;
	if (slash != NULL) {
		message.len = (size_t)(slash - message.ptr);
	}
	if (queue.len == 0 || (is_one && message.len == 0)) {
		return err_set(err, E_INVALID, "invalid_data", "say %s",
		               is_one ? "the 'queue' (or 'topic') and the 'message_id'"
		                      : "the 'queue' or 'topic'");
	}
	filter->member[DEAD_QUEUE] = queue;
	filter->member[DEAD_EVENT] = message;
	return 0;
}

static void do_messages(struct work *work, struct span data, bool is_one, bool discards)
{
	struct letters *letters = MEM_NEW(struct letters);
	struct err err;
	letters->work = work;
	letters->discards = discards;
	letters->speaks_iii = true;
	letters->limit = LETTERS_MOST;
	letters->list.each = take_id;
	letters->list.done = all_listed;
	if (read_message(&letters->filter, data, is_one, &err) != 0) {
		letters_fail(letters, &err);
		return;
	}
	dead_list_start(work->core->dead, &letters->list, false);
}

static void redrive(struct work *work, struct span data)
{
	do_messages(work, data, false, false);
}

static void redrive_message(struct work *work, struct span data)
{
	do_messages(work, data, true, false);
}

static void discard_message(struct work *work, struct span data)
{
	do_messages(work, data, true, true);
}

static void replay_all(struct work *work, struct span data)
{
	do_all(work, data, false);
}

static void discard_all(struct work *work, struct span data)
{
	do_all(work, data, true);
}

const struct builtin_row builtin_letter_rows[] = {
        {"engine::dead::replay_all", replay_all,
         "Delivers all dead letters again that fit, at most so many a second."},
        {"engine::dead::discard_all", discard_all, "Throws all dead letters away that fit."},
        {"iii::queue::redrive", redrive, "Runs the dead messages of a queue or topic again."},
        {"iii::queue::redrive_message", redrive_message, "Runs one dead message again."},
        {"iii::queue::discard_message", discard_message, "Throws one dead message away."},
        {NULL, NULL, NULL},
};
