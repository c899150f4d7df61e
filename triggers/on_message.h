/* This file reads what triggers ask for that wake on messages: subscribers and queues. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ON_MESSAGE_H
#define TRIGGERS_ON_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "triggers/filter.h"

/*
 * DESIGN. A subscriber asks for the messages of one topic; its condition, its selection and how it
 * is delivered are those of a state trigger. What iii's subscribers say (max_retries, backoff_ms,
 * queue_config) is understood and becomes the same policy. A queue takes the messages that were put
 * into it: it has an order (fifo: by group, standard: none) and a policy, but asks nothing of them.
 * Errors as on_state_parse.
 */

/* type: durable:subscriber, woken by iii::durable::publish. */
int on_message_parse_durable(const struct trigger_request *request, struct filter **out,
                             struct trigger_policy *out_policy, struct err *err);
/* type: subscribe, woken by publish. */
int on_message_parse_subscribe(const struct trigger_request *request, struct filter **out,
                               struct trigger_policy *out_policy, struct err *err);
/* type: queue; made from `queues` of the configuration, with the name of the queue as `queue`. */
int on_message_parse_queue(const struct trigger_request *request, struct filter **out,
                           struct trigger_policy *out_policy, struct err *err);

/* The group of a message with this data, as the queue wants it: appended, as text. E_INVALID
 * "message_group_missing": it is not there, or no text and no number. */
int on_message_group(const struct filter *filter, struct span data, struct buf *out,
                     struct err *err);

/* Append the own fields of subscribers, or of queues, as text, a paragraph each, for the manual. */
void on_message_print(const char *prefix, struct buf *out);
void on_message_print_queue(const char *prefix, struct buf *out);

#endif
