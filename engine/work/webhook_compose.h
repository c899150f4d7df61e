/* This file composes the request of one call: body, fields, signature. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_COMPOSE_H
#define ENGINE_WORK_WEBHOOK_COMPOSE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/call.h"
#include "engine/work/webhook_target.h"
#include "triggers/matching.h"

/*
 * DESIGN. What a request says of the event it takes from the event's JSON, as the handler gets it:
 * so it is the same for a delivery, for a dead letter that is delivered again, and for a call that
 * somebody makes with such an event as its data.
 */
struct webhook_composer {
	struct condition_env *conditions; /* NULL: no headers are filled in */
	struct matching matching;
	struct buf source; /* "/pawl/<service>" */
};

/* Both are cleared, and filled. */
struct webhook_message {
	struct buf body;
	struct buf headers; /* "Name: value" and a NUL, each */
	bool is_alarm;      /* its event is an alarm's, which goes to target->alarm_url */
};

void webhook_composer_init(struct webhook_composer *composer, struct condition_env *conditions,
                           struct span service);
void webhook_composer_close(struct webhook_composer *composer);

/* E_INVALID "template_failed", "header_failed", E_NOT_FOUND "secret_missing". */
int webhook_compose(struct webhook_composer *composer, const struct webhook_target *target,
                    struct call *call, struct webhook_message *out, struct err *err);
void webhook_message_close(struct webhook_message *message);

#endif
