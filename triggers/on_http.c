/* This file is the table of an HTTP trigger's fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_http.h"

#include "base/field.h"
#include "base/field_json.h"
#include "base/field_print.h"
#include "base/mem.h"
#include "triggers/http_rule.h"

enum { FUNCTION_MAX = 256, MIDDLEWARE_MAX = 16, TIMEOUT_MAX_MS = 15 * 60 * 1000 };

struct config {
	char *api_path;
	char *http_method;
	char *condition_function_id;
	struct field_strings middleware;
	int64_t timeout_ms;
	bool durable;
	bool paused;
	bool raw_body;
	char *description;
};

static const struct field http_trigger_fields[] = {
        {.name = "api_path",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, api_path),
         .min = 1,
         .max = HTTP_PATH_MAX,
         .required = true,
         .help = "type: http. Requests to this path, such as /users/:id or /files/*path."},
        {.name = "http_method",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, http_method),
         .otherwise = "GET",
         .min = 1,
         .max = 16,
         .help = "type: http. Requests of this method: GET, POST, PUT, PATCH, DELETE, HEAD, "
                 "OPTIONS."},
        {.name = "condition_function_id",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, condition_function_id),
         .min = 1,
         .max = FUNCTION_MAX,
         .help = "type: http. A function that is called first with the same request; when it says "
                 "no the answer is 422."},
        {.name = "middleware_function_ids",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config, middleware),
         .max = MIDDLEWARE_MAX,
         .help = "type: http. Functions that are called one after the other before the handler; "
                 "each lets the request go on or answers it."},
        {.name = "timeout_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct config, timeout_ms),
         .min = 1,
         .max = TIMEOUT_MAX_MS,
         .unit = "ms",
         .help = "type: http. How long a request may take, all functions together; without it "
                 "delivery.timeout."},
        {.name = "durable",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, durable),
         .otherwise = "false",
         .help = "It stays when the worker that registered it goes."},
        {.name = "paused",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, paused),
         .otherwise = "false",
         .help = "It begins paused, until `pawl trigger resume`: requests are answered 503."},
        {.name = "raw_body",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, raw_body),
         .otherwise = "false",
         .help = "type: http. The handler gets the bytes of the body too, as base64 in "
                 "raw_body: for signatures."},
        {.name = "description",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, description),
         .max = FIELD_TEXT_MAX,
         .help = "type: http. A sentence for people."},
        {.name = NULL},
};

static void take_middleware(const struct field_strings *ids, struct http_rule *rule)
{
	rule->middleware = MEM_ARRAY(struct span, ids->count + 1);
	for (size_t i = 0; i < ids->count; i++) {
		rule->middleware[rule->middleware_count++] = mem_span(span_of(ids->items[i]));
	}
}

int on_http_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err)
{
	const struct retry_text unsaid = RETRY_UNSAID;
	struct config config = {0};
	struct http_rule *rule = NULL;
	int status = field_read_json(http_trigger_fields, request->config, "invalid_trigger",
	                             &config, err);
	if (status == 0) {
		status = http_rule_new(span_of(config.http_method), span_of(config.api_path), &rule,
		                       err);
	}
	if (status == 0) {
		struct filter *filter = MEM_NEW(struct filter);
		take_middleware(&config.middleware, rule);
		rule->raw_body = config.raw_body;
		filter->http = rule;
		if (config.condition_function_id != NULL) {
			filter->condition_function_id =
			        mem_span(span_of(config.condition_function_id));
		}
		*out_policy = (struct trigger_policy){
		        .durable = config.durable,
		        .paused = config.paused,
		        .timeout_ms = config.timeout_ms,
		        .retry = unsaid.said,
		        .condition_function_id = filter->condition_function_id,
		};
		*out = filter;
	}
	field_free(http_trigger_fields, &config);
	return status;
}

void on_http_print(const char *prefix, struct buf *out)
{
	field_print_text(http_trigger_fields, prefix, out);
}
