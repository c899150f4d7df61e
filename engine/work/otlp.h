/* This file exports spans and log lines, and what workers send of theirs, as OTLP over HTTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_OTLP_H
#define ENGINE_WORK_OTLP_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/tracer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. Three queues (otlp_queue.h), one for each path of a collector: /v1/traces, /v1/metrics,
 * /v1/logs. Spans come from the tracer, log lines from base/log of the loop's thread; bodies that a
 * worker has composed go on as they are. JSON is the encoding of all.
 *
 * Without an endpoint nothing is sent: what workers have composed is counted and forgotten.
 */
enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_SIGNALS };

struct otlp;
struct alarms;
struct uv_loop_s;

/* Copied. */
struct otlp_options {
	const char *endpoint; /* "http://127.0.0.1:4318"; NULL: there is none */
	struct span headers;  /* "Name: value" and a NUL, each; may be absent */
	bool traces, logs;    /* ours */
	uint32_t per_million; /* of the traces that begin here */
	int64_t timeout_ms;
	const char *service;
};

/* E_UNSUPPORTED "curl_missing". */
int otlp_new(struct uv_loop_s *loop, struct alarms *alarms, const struct otlp_options *options,
             struct otlp **out, struct err *err);
/* What waits is sent, within a second; then `freed` (once, perhaps from inside this). The tracer is
 * gone at once. */
void otlp_free(struct otlp *otlp, void (*freed)(void *ctx), void *ctx);

struct tracer *otlp_tracer(const struct otlp *otlp); /* NULL: spans are not wanted */

/* A binary frame of a worker: OTLP, MTRC or LOGS and a JSON text, which is passed on. Anything else
 * is passed over. */
void otlp_take(void *otlp, struct span frame);

struct otlp_stats {
	uint64_t taken[OTLP_SIGNALS]; /* frames of workers */
	uint64_t sent[OTLP_SIGNALS];  /* items: spans, log lines, bodies of workers */
	uint64_t dropped[OTLP_SIGNALS];
};
void otlp_get_stats(const struct otlp *otlp, struct otlp_stats *out);

#endif
