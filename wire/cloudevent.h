/* This file reads and writes events as CloudEvents 1.0 has them: structured and binary mode. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CLOUDEVENT_H
#define WIRE_CLOUDEVENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Plain UTF-8 texts without control characters; an attribute that is absent is left out. */
struct cloudevent {
	struct span id;
	struct span source;
	struct span type;
	struct span subject;
	struct span time;        /* RFC 3339 */
	struct span traceparent; /* of the extension for distributed tracing */
	struct span data;        /* JSON */
};

/* What Content-Type says of the structured mode, and of several at once. */
#define CLOUDEVENT_STRUCTURED "application/cloudevents+json"
#define CLOUDEVENT_BATCH      "application/cloudevents-batch+json"

enum { CLOUDEVENT_TYPE_MAX = 512, CLOUDEVENT_SUBJECT_MAX = 1024 };

/* Is a valid JSON value a CloudEvent 1.0? E_INVALID "invalid_cloudevent" names the attribute. Its
 * type and subject (absent if it has none) are appended to `texts`, where the spans point. */
int cloudevent_check(struct span json, struct buf *texts, struct span *out_type,
                     struct span *out_subject, struct err *err);

/* Appends the event as one JSON object with its data inside. */
void cloudevent_write(const struct cloudevent *event, struct buf *out);
/* Appends its attributes as fields, "ce-id: ..." and a NUL each; the data is the body. */
void cloudevent_write_fields(const struct cloudevent *event, struct buf *out);

/* Appends a text with every character that an attribute or a field may not hold percent-encoded:
 * only control characters, or also space, '"', '%' and all that is not ASCII. */
void cloudevent_write_clean(struct span text, struct buf *out);
void cloudevent_write_ascii(struct span text, struct buf *out);

#endif
