/* This file reads the HTTP endpoint of a function that a configuration declares. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_endpoint.h"

#include "base/json.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };

static const char *const auth_types[] = {"none", "hmac", "bearer", "api_key", NULL};
const char *const config_formats[] = {"json", "cloudevents", "cloudevents_binary", NULL};
const char *const config_methods[] = {"POST", "GET", "PUT", "PATCH", "DELETE", NULL};

static const struct field auth_fields[] = {
        {.name = "type",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config_auth, type),
         .otherwise = "none",
         .words = auth_types,
         .help = "How requests are authenticated."},
        {.name = "secret_key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_auth, secret_key),
         .min = 1,
         .max = 256,
         .help = "hmac: the environment variable with the secret."},
        {.name = "token_key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_auth, token_key),
         .min = 1,
         .max = 256,
         .help = "bearer: the environment variable with the token."},
        {.name = "header",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_auth, header),
         .min = 1,
         .max = 256,
         .help = "api_key: the header that carries the key."},
        {.name = "value_key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_auth, value_key),
         .min = 1,
         .max = 256,
         .help = "api_key: the environment variable with the key."},
        {.name = NULL},
};

const struct field config_endpoint_fields[] = {
        {.name = "url",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_endpoint, url),
         .min = 1,
         .max = 2048,
         .required = true,
         .help = "The address, http or https."},
        {.name = "method",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config_endpoint, method),
         .otherwise = "POST",
         .words = config_methods,
         .help = "The method."},
        {.name = "headers",
         .kind = FIELD_MAP,
         .offset = offsetof(struct config_endpoint, headers),
         .help = "Headers that are sent along; ${{ }} holds an expression over the event, or "
                 "secrets.NAME."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_endpoint, timeout),
         .otherwise = "30s",
         .min = 1,
         .max = HOUR,
         .help = "How long a request may take."},
        {.name = "auth",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config_endpoint, auth),
         .fields = auth_fields,
         .help = "How requests are authenticated."},
        {.name = "sign",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_endpoint, sign),
         .max = 8,
         .help = "Secrets (whsec_...) that requests are signed with as Standard Webhooks says."},
        {.name = "format",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config_endpoint, format),
         .otherwise = "json",
         .words = config_formats,
         .help = "What the request looks like: the event itself, or a CloudEvent."},
        {.name = "concurrency",
         .kind = FIELD_INT,
         .offset = offsetof(struct config_endpoint, concurrency),
         .otherwise = "10",
         .min = 1,
         .max = 10000,
         .help = "How many requests run at a time."},
        {.name = "follow_redirects",
         .kind = FIELD_INT,
         .offset = offsetof(struct config_endpoint, follow_redirects),
         .otherwise = "0",
         .min = 0,
         .max = 10,
         .help = "How many redirects are followed, with the same method and body."},
        {.name = "ca_file",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_endpoint, ca_file),
         .min = 1,
         .max = 4095,
         .help = "Certificates that the server's must come from, instead of the system's."},
        {.name = "insecure",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config_endpoint, insecure),
         .otherwise = "false",
         .help = "Do not check the server's certificate: anybody may answer in its place."},
        {.name = "alarm_path",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_endpoint, alarm_path),
         .min = 1,
         .max = 2048,
         .help = "The path at the same server to which alarms are POSTed, such as "
                 "/internal/alarm, instead of url's own."},
        {.name = NULL},
};

static void read_auth(const struct config_auth *auth, const struct yaml_node *http,
                      struct report *report)
{
	const struct {
		const char *name;
		const char *value;
		enum config_auth_type type;
	} members[] = {
	        {"secret_key", auth->secret_key, CONFIG_AUTH_HMAC},
	        {"token_key", auth->token_key, CONFIG_AUTH_BEARER},
	        {"header", auth->header, CONFIG_AUTH_API_KEY},
	        {"value_key", auth->value_key, CONFIG_AUTH_API_KEY},
	};
	const struct yaml_entry *entry = yaml_find(http, SPAN("auth"));
	for (size_t i = 0; entry != NULL && i < sizeof members / sizeof members[0]; i++) {
		bool is_wanted = (int)members[i].type == auth->type;
		if (is_wanted != (members[i].value != NULL)) {
			report_add(report, entry->line, entry->column, "invalid_value",
			           "auth of type %s %s '%s'", auth_types[auth->type],
			           is_wanted ? "needs" : "has no", members[i].name);
		}
	}
}

void config_read_endpoint(const struct yaml_node *node, struct config_endpoint *http,
                          struct report *report)
{
	field_read(config_endpoint_fields, node, http, report);
	read_auth(&http->auth, node, report);
	const struct yaml_entry *url = yaml_find(node, SPAN("url"));
	if (http->url != NULL && strncmp(http->url, "http://", 7) != 0 &&
	    strncmp(http->url, "https://", 8) != 0) {
		report_add(report, url->line, url->column, "invalid_value",
		           "'url' must begin with http:// or https://");
	}
}

static void write_auth(const struct config_auth *auth, struct buf *out)
{
	static const char *const types[] = {NULL, "hmac", "bearer", "api_key"};
	const struct {
		const char *name;
		const char *value;
	} members[] = {{"type", types[auth->type]},
	               {"secret_key", auth->secret_key},
	               {"token_key", auth->token_key},
	               {"header", auth->header},
	               {"value_key", auth->value_key}};
	json_write_name(out, "auth");
	buf_byte(out, '{');
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (members[i].value != NULL) {
			json_write_member_string(out, members[i].name, span_of(members[i].value));
		}
	}
	buf_byte(out, '}');
}

static void write_names(const char *name, const struct field_strings *names, struct buf *out)
{
	json_write_name(out, name);
	buf_byte(out, '[');
	for (size_t i = 0; i < names->count; i++) {
		json_write_comma(out);
		json_write_string(out, span_of(names->items[i]));
	}
	buf_byte(out, ']');
}

void config_write_invocation(const struct config_endpoint *http, struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_string(out, "url", span_of(http->url));
	json_write_member_string(out, "method", span_of(config_methods[http->method]));
	json_write_member_int(out, "timeout_ms", http->timeout);
	json_write_name(out, "headers");
	buf_byte(out, '{');
	for (size_t i = 0; i < http->headers.count; i++) {
		json_write_member_string(out, http->headers.pairs[i].name,
		                         span_of(http->headers.pairs[i].value));
	}
	buf_byte(out, '}');
	if (http->auth.type != CONFIG_AUTH_NONE) {
		write_auth(&http->auth, out);
	}
	json_write_member_string(out, "format", span_of(config_formats[http->format]));
	json_write_member_int(out, "concurrency", http->concurrency);
	json_write_member_int(out, "follow_redirects", http->follow_redirects);
	json_write_member_bool(out, "insecure", http->insecure);
	if (http->ca_file != NULL) {
		json_write_member_string(out, "ca_file", span_of(http->ca_file));
	}
	if (http->alarm_path != NULL) {
		json_write_member_string(out, "alarm_path", span_of(http->alarm_path));
	}
	if (http->sign.count != 0) {
		write_names("sign", &http->sign, out);
	}
	buf_byte(out, '}');
}
