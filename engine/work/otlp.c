/* This file exports spans and log lines, and what workers send of theirs, as OTLP over HTTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/otlp.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/work/otlp_queue.h"
#include "engine/work/webhook_fetch.h"

enum { LAST_MS = 1000, REPLY_MAX = 64 * 1024 };

static const struct {
	const char *path;
	const char *resource; /* the names of the three levels of a body */
	const char *scope;
	const char *items;
} signals[OTLP_SIGNALS] = {
        [OTLP_TRACES] = {"/v1/traces", "resourceSpans", "scopeSpans", "spans"},
        [OTLP_METRICS] = {"/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics"},
        [OTLP_LOGS] = {"/v1/logs", "resourceLogs", "scopeLogs", "logRecords"},
};

struct otlp {
	struct otlp_post post;
	struct otlp_queue queues[OTLP_SIGNALS];
	char *before[OTLP_SIGNALS];
	struct tracer *tracer;
	struct buf headers;
	uint64_t taken[OTLP_SIGNALS];
	struct alarm last; /* while it closes */
	bool is_closing;
	void (*freed)(void *ctx);
	void *freed_ctx;
};

/* ---- texts ---- */

static void write_attribute(struct buf *out, const char *name, struct span text)
{
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_string(out, "key", span_of(name));
	json_write_name(out, "value");
	buf_byte(out, '{');
	json_write_member_string(out, "stringValue", text);
	BUF_LITERAL(out, "}}");
}

/* 64-bit numbers are texts in the JSON of protocol buffers. */
static void write_number(struct buf *out, const char *name, int64_t number)
{
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_string(out, "key", span_of(name));
	buf_format(out, ",\"value\":{\"intValue\":\"%lld\"}}", (long long)number);
}

static void write_ns(struct buf *out, const char *name, int64_t wall_us)
{
	json_write_name(out, name);
	buf_format(out, "\"%lld000\"", (long long)wall_us);
}

static void write_hex(struct buf *out, const char *name, const unsigned char *bytes, size_t len)
{
	char text[2 * TRACEPARENT_TRACE + 1];
	id_hex(bytes, len, text);
	json_write_member_string(out, name, span_of(text));
}

/* {"resourceSpans":[{"resource":{...},"scopeSpans":[{"scope":{...},"spans":[ */
static char *text_before(enum otlp_signal signal, const char *service)
{
	struct buf out = {0};
	char instance[ID_UUID_LEN + 1];
	id_uuid(instance);
	buf_format(&out, "{\"%s\":[{\"resource\":{\"attributes\":[", signals[signal].resource);
	write_attribute(&out, "service.name", span_of(service));
	write_attribute(&out, "service.version", SPAN(PAWL_VERSION));
	write_attribute(&out, "service.instance.id", span_of(instance));
	buf_format(&out,
	           "]},\"%s\":[{\"scope\":{\"name\":\"pawl\",\"version\":\"" PAWL_VERSION
	           "\"},\"%s\":[",
	           signals[signal].scope, signals[signal].items);
	buf_byte(&out, '\0');
	return out.ptr;
}

/* ---- spans ---- */

static void write_status(struct buf *out, const struct tracer_end *end)
{
	if (end->error.ptr != NULL) {
		json_write_name(out, "status");
		buf_byte(out, '{');
		json_write_member_uint(out, "code", 2);
		json_write_member_string(out, "message", end->error);
		buf_byte(out, '}');
	}
}

static void write_span(struct buf *out, const struct tracer_span *span,
                       const struct tracer_end *end)
{
	int64_t took_us = clock_mono_us() - span->started_us;
	int64_t now_us = clock_real_wall_us();
	buf_byte(out, '{');
	write_hex(out, "traceId", span->at.trace, sizeof span->at.trace);
	write_hex(out, "spanId", span->at.span, sizeof span->at.span);
	if (span->has_parent) {
		write_hex(out, "parentSpanId", span->parent, sizeof span->parent);
	}
	json_write_member_string(out, "name", end->name);
	json_write_member_uint(out, "kind", end->kind);
	write_ns(out, "startTimeUnixNano", now_us - took_us);
	write_ns(out, "endTimeUnixNano", now_us);
	BUF_LITERAL(out, ",\"attributes\":[");
	for (size_t i = 0; i < end->count; i++) {
		const struct tracer_attribute *attribute = &end->attributes[i];
		if (attribute->text.ptr == NULL) {
			write_number(out, attribute->name, attribute->number);
		} else if (attribute->text.len != 0) {
			write_attribute(out, attribute->name, attribute->text);
		}
	}
	buf_byte(out, ']');
	write_status(out, end);
	buf_byte(out, '}');
}

static void take_span(void *ctx, const struct tracer_span *span, const struct tracer_end *end)
{
	struct otlp_queue *queue = &((struct otlp *)ctx)->queues[OTLP_TRACES];
	struct buf *out = otlp_queue_item(queue);
	if (out != NULL) {
		write_span(out, span, end);
		otlp_queue_end(queue);
	}
}

/* ---- log lines ---- */

static void take_line(void *ctx, const struct log_line *line)
{
	static const struct {
		const char *word;
		uint64_t number;
	} severities[] = {{"DEBUG", 5}, {"INFO", 9}, {"WARN", 13}, {"ERROR", 17}};
	struct otlp *otlp = ctx;
	struct traceparent at;
	struct buf *out = otlp_queue_item(&otlp->queues[OTLP_LOGS]);
	if (out == NULL) {
		return;
	}
	buf_byte(out, '{');
	write_ns(out, "timeUnixNano", clock_real_wall_us());
	json_write_member_uint(out, "severityNumber", severities[line->level].number);
	json_write_member_string(out, "severityText", span_of(severities[line->level].word));
	json_write_name(out, "body");
	buf_byte(out, '{');
	json_write_member_string(out, "stringValue", span_of(line->message));
	BUF_LITERAL(out, "},\"attributes\":[");
	write_attribute(out, "pawl.part", span_of(line->part));
	buf_byte(out, ']');
	if (line->trace != NULL && traceparent_read(span_of(line->trace), &at)) {
		write_hex(out, "traceId", at.trace, sizeof at.trace);
		write_hex(out, "spanId", at.span, sizeof at.span);
	}
	buf_byte(out, '}');
	otlp_queue_end(&otlp->queues[OTLP_LOGS]);
}

/* ---- what workers send ---- */

void otlp_take(void *ctx, struct span frame)
{
	static const char *const marks[OTLP_SIGNALS] = {"OTLP", "MTRC", "LOGS"};
	struct otlp *otlp = ctx;
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		struct span json;
		if (!span_starts_with(frame, span_of(marks[i]))) {
			continue;
		}
		otlp->taken[i]++;
		if (otlp->post.fetcher == NULL || frame.len > OTLP_BYTES_MOST ||
		    json_check(span_make(frame.ptr + 4, frame.len - 4), &json, NULL) != 0 ||
		    json_kind(json) != JSON_OBJECT) {
			otlp->queues[i].dropped++;
		} else {
			otlp_queue_body(&otlp->queues[i], json);
		}
	}
}

/* ---- life ---- */

static char *url_of(const char *endpoint, const char *path)
{
	struct buf text = {0};
	size_t len = strlen(endpoint);
	while (len > 0 && endpoint[len - 1] == '/') {
		len--;
	}
	buf_add(&text, endpoint, len);
	buf_span(&text, span_of(path));
	buf_byte(&text, '\0');
	return text.ptr;
}

static void fetcher_is_gone(void *ctx)
{
	struct otlp *otlp = ctx;
	void (*freed)(void *ctx) = otlp->freed;
	void *freed_ctx = otlp->freed_ctx;
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		mem_free(otlp->before[i]);
	}
	buf_free(&otlp->headers);
	mem_free(otlp);
	freed(freed_ctx);
}

static void end(struct otlp *otlp)
{
	alarm_clear(otlp->post.alarms, &otlp->last);
	for (int i = 0; i < OTLP_SIGNALS && otlp->post.fetcher != NULL; i++) {
		otlp_queue_close(&otlp->queues[i]);
	}
	if (otlp->post.fetcher != NULL) {
		webhook_fetcher_free(otlp->post.fetcher, fetcher_is_gone, otlp);
	} else {
		fetcher_is_gone(otlp);
	}
}

static void time_is_over(struct alarm *alarm)
{
	end(MEM_CONTAINER(alarm, struct otlp, last));
}

static bool is_empty(const struct otlp *otlp)
{
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		if (!otlp_queue_is_empty(&otlp->queues[i])) {
			return false;
		}
	}
	return true;
}

/* It may come from inside the fetcher, which ends in a later turn. */
static void something_was_sent(struct otlp_post *post)
{
	struct otlp *otlp = MEM_CONTAINER(post, struct otlp, post);
	if (otlp->is_closing && is_empty(otlp)) {
		alarm_set_real(post->alarms, &otlp->last, 0);
	}
}

static void open_queues(struct otlp *otlp, const struct otlp_options *options)
{
	BUF_LITERAL(&otlp->headers, "Content-Type: application/json\0");
	buf_span(&otlp->headers, options->headers);
	otlp->post.headers = buf_view(&otlp->headers);
	otlp->post.timeout_ms = options->timeout_ms;
	otlp->post.sent = something_was_sent;
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		otlp->before[i] = text_before((enum otlp_signal)i, options->service);
		otlp_queue_init(&otlp->queues[i], &otlp->post,
		                url_of(options->endpoint, signals[i].path), otlp->before[i],
		                "]}]}]}");
	}
	if (options->traces) {
		otlp->tracer = tracer_new(options->per_million, take_span, otlp);
	}
	if (options->logs) {
		log_tee(take_line, otlp);
	}
}

int otlp_new(struct uv_loop_s *loop, struct alarms *alarms, const struct otlp_options *options,
             struct otlp **out, struct err *err)
{
	const struct webhook_fetch_options fetching = {.allow_private = true,
	                                               .max_reply_bytes = REPLY_MAX};
	struct webhook_fetcher *fetcher = NULL;
	if (options->endpoint != NULL && webhook_fetcher_new(loop, &fetching, &fetcher, err) != 0) {
		return err_wrap(err, "telemetry.otlp");
	}
	struct otlp *otlp = MEM_NEW(struct otlp);
	otlp->post.fetcher = fetcher;
	otlp->post.alarms = alarms;
	otlp->last.fn = time_is_over;
	if (fetcher != NULL) {
		open_queues(otlp, options);
	}
	*out = otlp;
	return 0;
}

void otlp_free(struct otlp *otlp, void (*freed)(void *ctx), void *ctx)
{
	if (otlp->post.fetcher == NULL) {
		otlp->freed = freed;
		otlp->freed_ctx = ctx;
		end(otlp);
		return;
	}
	log_tee(NULL, NULL);
	tracer_free(otlp->tracer);
	otlp->tracer = NULL;
	otlp->freed = freed;
	otlp->freed_ctx = ctx;
	otlp->is_closing = true;
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		otlp_queue_flush(&otlp->queues[i]);
	}
	alarm_set_real(otlp->post.alarms, &otlp->last, is_empty(otlp) ? 0 : LAST_MS);
}

struct tracer *otlp_tracer(const struct otlp *otlp)
{
	return otlp->tracer;
}

void otlp_get_stats(const struct otlp *otlp, struct otlp_stats *out)
{
	for (int i = 0; i < OTLP_SIGNALS; i++) {
		out->taken[i] = otlp->taken[i];
		out->sent[i] = otlp->queues[i].sent;
		out->dropped[i] = otlp->queues[i].dropped;
	}
}
