/* This file says what can be configured: the data of a configuration and its option tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_TABLE_H
#define ENGINE_CONFIG_TABLE_H

#include "base/field.h"
#include "base/sha256.h"
#include "engine/core/rights.h"
#include "triggers/retry_fields.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. The structs are plain data, filled by base/field from the tables below; their rows
 * are the only place where an option's name, default, bounds and sentence stand. Durations and
 * members that end in _ms are milliseconds, sizes are bytes; both fit in int64_t and are never
 * negative. The order of enums is the order of their words in the table.
 */
enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_TEXT, CONFIG_LOG_JSON };
enum config_adapter { CONFIG_ADAPTER_KV, CONFIG_ADAPTER_PLUGIN };
enum config_journal_full { CONFIG_JOURNAL_DETACH, CONFIG_JOURNAL_REFUSE_WRITES };
enum config_required { CONFIG_REQUIRED_AUTO, CONFIG_REQUIRED_ALWAYS };
enum config_condition { CONFIG_CONDITION_PAWL, CONFIG_CONDITION_III };
enum config_exec_mode { CONFIG_EXEC_CALL, CONFIG_EXEC_LINES };
enum config_auth_type {
	CONFIG_AUTH_NONE,
	CONFIG_AUTH_HMAC,
	CONFIG_AUTH_BEARER,
	CONFIG_AUTH_API_KEY
};
/* WORKER: whoever offers it on the socket; the config only says how it is called. */
enum config_function_kind { CONFIG_FUNCTION_EXEC, CONFIG_FUNCTION_HTTP, CONFIG_FUNCTION_WORKER };

struct config_token {
	char *name;
	char *hash_text;
	char *expires_at; /* NULL: never */
	struct rights rights;
	uint8_t hash[SHA256_LEN];
	int64_t expires_ms; /* 0: never */
	uint32_t line;
};

struct config_access {
	int required; /* enum config_required */
	struct config_token *tokens;
	size_t count;
};

struct config_retry {
	int64_t max_attempts;
	int64_t initial_ms;
	int64_t max_ms;
	int64_t multiplier; /* thousandths */
	int64_t jitter;     /* percent of the wait, up or down */
	int64_t max_age;
	struct field_strings schedule; /* as written; durations */
};

struct config_delivery {
	bool index;
	struct config_retry retry;
	int64_t timeout;
	int64_t timeout_max;
	int64_t concurrency;
	int64_t job_max;
	int64_t park_max;
	int64_t loop_depth;
	int64_t loop_rate;
};

struct config_alarms {
	struct config_retry retry;
	int64_t timeout;
};

struct config_workers {
	int64_t credit;
	int64_t detach_grace;
	int64_t reattach_grace;
	int64_t registration_namespace_grace_ms;
	bool unique_names;
	int64_t ping_interval;
};

struct config_limits {
	int64_t max_message;
	int64_t max_value;
	int64_t max_reply;
	int64_t max_connections;
	int64_t max_unsent;
	int64_t transact_keys;
	int64_t transact_bytes;
};

struct config_watch {
	int64_t heartbeat;
	int64_t retry;
};

struct config_http {
	char *listen; /* as written; NULL: there are no HTTP triggers */
	int64_t max_body;
	int64_t max_concurrent;
	struct field_strings cors_origins;
	struct field_strings allowed_hosts;
	struct field_strings allowed_origins;
	int64_t header_timeout;
	int64_t idle_timeout;
	int64_t max_header;
};

struct config_tls {
	char *listen; /* as written; NULL: no TLS */
	char *cert;
	char *key;
	char *client_ca; /* NULL: clients need no certificate */
};

struct config_unix {
	char *path; /* NULL: no socket */
	char *mode; /* octal */
	char *group;
};

struct config_otlp {
	char *endpoint; /* NULL: nothing is exported */
	struct field_map headers;
	bool traces;
	bool logs;
	int64_t sample_ratio; /* thousandths */
	int64_t timeout;
};

struct config_telemetry {
	struct config_otlp otlp;
};

struct config_exec {
	struct field_strings command; /* at least the program */
	int mode;                     /* enum config_exec_mode */
	char *cwd;                    /* NULL: where pawl runs */
	struct field_map env;
	int64_t timeout;
	int64_t concurrency;
	struct field_strings state; /* namespaces that it may use */
	struct rights rights;       /* further ones of its token */
};

/* The members that end in _key are names of environment variables. */
struct config_auth {
	int type; /* enum config_auth_type; it says which of the others are set */
	char *secret_key;
	char *token_key;
	char *header;
	char *value_key;
};

struct config_endpoint {
	char *url;
	int method; /* an index into config_methods */
	struct field_map headers;
	int64_t timeout;
	struct config_auth auth;
	int format; /* an index into config_formats */
	struct field_strings sign;
	int64_t follow_redirects;
	int64_t concurrency;
	char *ca_file;
	bool insecure;
	char *alarm_path; /* NULL: alarms go where everything goes */
};

extern const char *const config_methods[]; /* "GET", "POST", ...; ends with NULL */
extern const char *const config_formats[]; /* "json", "cloudevents", ...; ends with NULL */

struct config_function {
	char *id;
	char *description; /* may be NULL */
	char *namespace_;
	int64_t concurrency;            /* 0 = no bound */
	struct retry_text retry;        /* read: retry.said is whole */
	enum config_function_kind kind; /* says which of these two is filled */
	struct config_exec exec;
	struct config_endpoint http;
	uint32_t line;
};

struct config_trigger {
	char *id;
	char *type; /* "state" */
	char *function;
	char *namespace_;
	char *config;   /* JSON object in canonical form: every member that is not named here */
	char *metadata; /* JSON; NULL when there is none */
	uint32_t line;
};

struct secrets;
struct tls_context;

struct config {
	char *listen;      /* as written; "none" */
	char *listen_host; /* without brackets; NULL: none */
	uint16_t listen_port;
	struct config_tls tls;
	struct tls_context *tls_context; /* loaded; NULL: no TLS */
	struct config_unix unix_;
	uint32_t unix_mode;
	bool insecure;
	char *data;
	struct {
		int level;  /* enum log_level */
		int format; /* enum config_log_format */
	} log;
	struct {
		char *name;
	} service;
	struct {
		struct {
			int name;     /* enum config_adapter */
			char *config; /* JSON object, for the adapter; complete for kv */
			char *plugin; /* path of the shared object; NULL for kv */
		} adapter;
	} state;
	struct {
		int64_t max_bytes;
	} cache;
	struct {
		int64_t max_age;
		int64_t max_bytes;
		int on_journal_full; /* enum config_journal_full */
	} journal;
	struct config_delivery delivery;
	struct config_alarms alarms;
	struct config_workers workers;
	struct config_limits limits;
	struct config_http http;
	struct config_telemetry telemetry;
	struct config_watch watch;
	struct config_access access;
	struct {
		struct field_strings allowed_origins;
	} cors;
	struct {
		bool allow_private;
		int64_t max_concurrent;
		int64_t timeout;
	} webhooks;
	struct {
		int64_t max_bytes;
	} dead;
	struct {
		int64_t ttl;
		bool cloudevents;
	} idempotency;
	struct {
		int condition; /* enum config_condition */
	} compat;
	struct config_scope *scopes;
	size_t scope_count;
	struct secrets *secrets; /* never NULL; by name, for functions over HTTP */
	struct config_function *functions;
	size_t function_count;
	struct config_trigger *triggers;
	size_t trigger_count;
	struct config_trigger *queues; /* each as the trigger that it is; "default" among them */
	size_t queue_count;
	char *iii_ignored; /* NULL: the file is pawl's own form; else what of iii's is not used */
};

/* What is said of all scopes that a glob matches. */
struct config_scope {
	char *match;
	int64_t ttl; /* 0 = they last */
	bool event_on_noop;
};

/* What `state.adapter.config` is for kv; written out as JSON by field_write_json. */
struct config_kv {
	int store_method;
	char *file_path;
	int durability;
	int64_t save_interval_ms;
};

extern const struct field config_fields[];           /* struct config */
extern const struct field config_alarms_fields[];    /* struct config_alarms, likewise */
extern const struct field config_cors_fields[];      /* struct config, a section of it */
extern const struct field config_http_fields[];      /* struct config_http, a section of it */
extern const struct field config_kv_fields[];        /* struct config_kv */
extern const struct field config_tls_fields[];       /* struct config_tls, likewise */
extern const struct field config_unix_fields[];      /* struct config_unix, likewise */
extern const struct field config_telemetry_fields[]; /* struct config_telemetry */
extern const struct field config_watch_fields[];     /* struct config */
extern const struct field config_auth_fields[];      /* struct config, a section of it */

#endif
