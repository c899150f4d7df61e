/* This file reads an event of the journal, or says why it is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/one_event.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/work/builtin.h"

static void entry_came(struct entry *entry, int status, struct span bytes, const struct err *err)
{
	struct one_event *one = MEM_CONTAINER(entry, struct one_event, entry);
	struct event event;
	struct err damaged;
	if (status == E_NOT_FOUND) {
		work_refuse(one->work, "event_gone",
		            "event %llu is not in the journal any more; explain one that is there "
		            "(`pawl events`), or a copy of it: `pawl explain event.json`",
		            (unsigned long long)one->seq);
	} else if (status != 0) {
		work_fail(one->work, err);
	} else if (event_decode(one->seq, bytes, &event, &damaged) != 0) {
		work_fail(one->work, &damaged);
	} else {
		one->done(one, &event);
		return;
	}
	one->done(one, NULL);
}

static bool read_seq(struct span value, uint64_t *out)
{
	struct buf text = {0};
	if (json_kind(value) == JSON_STRING) {
		json_string(value, &text);
	} else {
		buf_span(&text, value);
	}
	struct span number;
	bool is_number = json_check(buf_view(&text), &number, NULL) == 0 &&
	                 json_kind(number) == JSON_NUMBER && json_uint64(number, out);
	buf_free(&text);
	return is_number;
}

void one_event_get(struct one_event *one, struct span seq)
{
	struct store *store = one->work->core->store;
	struct adapter_head head;
	store_head(store, &head);
	uint64_t last = store_durable_seq(store);
	if (!read_seq(seq, &one->seq) || one->seq == 0) {
		work_refuse(one->work, "invalid_argument",
		            "seq must be the number of an event, from 1, not %.*s",
		            (int)(seq.len < 64 ? seq.len : 64), seq.ptr);
	} else if (one->seq > last) {
		work_refuse(one->work, "event_not_found",
		            "there is no event %llu yet: the last one is %llu; `pawl events` lists "
		            "them",
		            (unsigned long long)one->seq, (unsigned long long)last);
	} else if (one->seq < head.first_seq) {
		work_refuse(one->work, "event_gone",
		            "event %llu is not in the journal any more, which begins at %llu; "
		            "explain one that is there, or a copy of it: `pawl explain event.json`",
		            (unsigned long long)one->seq, (unsigned long long)head.first_seq);
	} else {
		one->entry.done = entry_came;
		entry_get(store, &one->entry, one->seq);
		return;
	}
	one->done(one, NULL);
}
