/* This file reads any bytes as a frame of the worker protocol; what is read can be written again.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "wire/baggage.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct message *message, struct buf *scratch)
{
	size_t cap = scratch->cap;
	struct message_error error;
	struct message_action action;
	struct err err = {0};
	if (message->error.ptr) {
		message_error_parse(message->error, scratch, &error);
	}
	(void)message_action_parse(message->action, scratch, &action, &err);
	PRE(scratch->cap == cap);
}

static void check_written(const struct message *message, enum message_sender from)
{
	struct buf first = {0};
	struct buf second = {0};
	struct buf scratch = {0};
	struct message again;
	message_write(&first, message);
	PRE(message_parse(buf_view(&first), from, &scratch, &again, NULL) == 0);
	message_write(&second, &again);
	PRE(span_equal(buf_view(&first), buf_view(&second)));
	buf_free(&first);
	buf_free(&second);
	buf_free(&scratch);
}

static void check_baggage(struct span text)
{
	struct buf scratch = {0};
	struct buf written = {0};
	struct buf second = {0};
	struct baggage baggage;
	struct baggage again;
	if (baggage_parse(text, &scratch, &baggage)) {
		baggage_write(&written, &baggage);
		PRE(baggage_parse(buf_view(&written), &second, &again));
		PRE(span_equal(baggage.delivery, again.delivery));
		PRE(baggage.attempt == again.attempt);
	}
	buf_free(&scratch);
	buf_free(&written);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	static const enum message_sender senders[] = {MESSAGE_FROM_WORKER, MESSAGE_FROM_ENGINE};
	for (size_t i = 0; i < 2; i++) {
		struct buf scratch = {0};
		struct message message;
		struct err err = {0};
		if (message_parse(text, senders[i], &scratch, &message, &err) == 0) {
			check_parts(&message, &scratch);
			check_written(&message, senders[i]);
			check_baggage(message.baggage.ptr ? message.baggage : SPAN(""));
		} else {
			PRE(err.number != 0 && err.code);
		}
		buf_free(&scratch);
	}
	check_baggage(text);
	return 0;
}
