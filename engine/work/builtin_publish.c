/* This file takes events from outside into the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/once.h"
#include "engine/work/publishing.h"
#include "wire/cloudevent.h"

enum { EVENTS_MOST = 1000 };

/* The events of one call. */
struct taking {
	struct publishing publishing;
	struct idem *idem;
	size_t count;   /* of those that were put */
	uint64_t group; /* that tells of the others, as in store_look */
};

/* All of them, before the first is put: none is taken when one is wrong. */
static int check_all(struct span list, size_t *out_count, struct err *err)
{
	struct json_iter iter = json_iter(list);
	struct span item;
	struct span type;
	struct span subject;
	struct buf texts = {0};
	size_t count = 0;
	int status = 0;
	while (status == 0 && json_next_item(&iter, &item)) {
		buf_clear(&texts);
		if (++count > EVENTS_MOST || item.len > PUBLISHING_BYTES_MAX) {
			status = err_set(err, E_LIMIT, "payload_too_large",
			                 "at most %d events are taken at once, each of at most "
			                 "%d MiB",
			                 EVENTS_MOST, PUBLISHING_BYTES_MAX >> 20);
		} else {
			status = cloudevent_check(item, &texts, &type, &subject, err);
		}
	}
	buf_free(&texts);
	*out_count = count;
	return status != 0 || count != 0
	               ? status
	               : err_set(err, E_INVALID, "invalid_cloudevent", "there is no event in it");
}

static void put(const struct publishing *publishing, struct span item, struct buf *out)
{
	struct buf texts = {0};
	struct event event = {.kind = EVENT_CUSTOM, .new_value = item};
	int status = cloudevent_check(item, &texts, &event.scope, &event.key, NULL);
	POST(status == 0); /* checked before */
	publishing_put(publishing, &event, out);
	buf_free(&texts);
}

/* Puts it unless it has come before (`name` NULL: who knows), and writes its id. */
static void put_once(struct taking *taking, struct span item, const struct idem_name *name,
                     struct buf *out)
{
	struct idem *idem = taking->idem;
	struct idem_found found = {0};
	struct buf id = {0};
	json_write_comma(out);
	if (name != NULL && idem_look(idem, name, &found) == IDEM_SAME) {
		buf_span(out, found.answer);
		taking->group = found.group > taking->group ? found.group : taking->group;
		return;
	}
	put(&taking->publishing, item, &id);
	if (name != NULL) {
		idem_put(idem, name, buf_view(&id));
	}
	buf_span(out, buf_view(&id));
	taking->count++;
	buf_free(&id);
}

/* Answered when they are durable: whoever hears of it need not send them again. */
static void publish_once(struct once *once)
{
	struct work *work = once->work;
	struct err err = {0};
	struct taking taking = {.idem = work->core->idem};
	struct span list;
	struct span item;
	if (once_is_answered(once)) {
		return;
	}
	if (publishing_begin(work, &taking.publishing, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	bool is_list = json_get(once->data, SPAN("events"), &list);
	POST(is_list); /* checked before */
	struct json_iter iter = json_iter(list);
	BUF_LITERAL(&work->out, "{\"ids\":[");
	for (size_t i = 0; json_next_item(&iter, &item); i++) {
		put_once(&taking, item, i < once->count ? &once->names[i] : NULL, &work->out);
	}
	BUF_LITERAL(&work->out, "]}");
	work->replayed = taking.count == 0;
	if (work->replayed && once->key == NULL) {
		work_reply_behind(work, taking.group);
	} else {
		once_commit(once);
	}
}

/* By source and id, as CloudEvents are told apart. */
static struct idem_name *names_of(struct span list, size_t count)
{
	struct idem_name *names = MEM_ARRAY(struct idem_name, count);
	struct json_iter iter = json_iter(list);
	struct span item;
	struct buf text = {0};
	for (size_t i = 0; i < count && json_next_item(&iter, &item); i++) {
		buf_clear(&text);
		(void)buf_reserve(&text, item.len * 2); /* the texts must not move */
		struct span source = work_text(item, "source", &text);
		idem_name_thing(&names[i], source, work_text(item, "id", &text));
	}
	buf_free(&text);
	return names;
}

static void publish(struct work *work, struct span data)
{
	struct span list;
	struct err err = {0};
	struct idem_name *names = NULL;
	size_t count = 0;
	if (!json_get(data, SPAN("events"), &list) || json_kind(list) != JSON_ARRAY) {
		work_refuse(work, "invalid_cloudevent",
		            "engine::events::publish takes {\"events\": [CloudEvents]}");
		return;
	}
	if (check_all(list, &count, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	if (work->core->once_cloudevents) {
		names = names_of(list, count);
	}
	once_run(work, data, names, names != NULL ? count : 0, publish_once);
}

const struct builtin_row builtin_publish_rows[] = {
        {"engine::events::publish", publish, "Takes CloudEvents, for triggers of type event."},
        {NULL, NULL, NULL},
};
