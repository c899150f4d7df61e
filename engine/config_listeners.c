/* This file reads where the daemon listens, and judges whether it may. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_listeners.h"

#include "base/id.h"
#include "base/mem.h"
#include "engine/config_tokens.h"
#include "wire/tls.h"
#include <arpa/inet.h>
#include <string.h>

/* ---- tables ---- */

const struct field config_tls_fields[] = {
        {.name = "listen",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_tls, listen),
         .min = 1,
         .max = 256,
         .change = FIELD_RESTART,
         .help = "Address and port for the same over TLS, such as 0.0.0.0:49135; without it there "
                 "is no TLS."},
        {.name = "cert",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_tls, cert),
         .min = 1,
         .max = 4095,
         .change = FIELD_LIVE,
         .help = "The certificate, a PEM file with its chain; a reload reads it again."},
        {.name = "key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_tls, key),
         .min = 1,
         .max = 4095,
         .change = FIELD_LIVE,
         .help = "Its key, a PEM file without a password."},
        {.name = "client_ca",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_tls, client_ca),
         .min = 1,
         .max = 4095,
         .change = FIELD_LIVE,
         .help = "Only clients that show a certificate signed by one in this PEM file are let in; "
                 "without it clients need none."},
        {.name = NULL},
};

const struct field config_unix_fields[] = {
        {.name = "path",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_unix, path),
         .min = 1,
         .max = 107,
         .change = FIELD_RESTART,
         .help = "The file of a Unix socket for the same, such as /run/pawl/pawl.sock; without it "
                 "there is none."},
        {.name = "mode",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_unix, mode),
         .otherwise = "0660",
         .min = 1,
         .max = 4,
         .change = FIELD_RESTART,
         .help = "Who may connect: its mode in octal."},
        {.name = "group",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_unix, group),
         .min = 1,
         .max = 64,
         .change = FIELD_RESTART,
         .help = "The group that the file belongs to, a name or a number; without it that of the "
                 "daemon."},
        {.name = NULL},
};

/* ---- addresses ---- */

bool config_is_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, host, &four) == 1) {
		return (ntohl(four.s_addr) >> 24) == 127;
	}
	if (inet_pton(AF_INET6, host, &six) == 1) {
		return IN6_IS_ADDR_LOOPBACK(&six);
	}
	return strcmp(host, "localhost") == 0;
}

bool config_split_listen(const char *listen, char **out_host, uint16_t *out_port)
{
	struct span text = span_of(listen);
	const char *colon = memrchr(text.ptr, ':', text.len);
	if (colon == NULL) {
		return false;
	}
	struct span host = span_make(text.ptr, (size_t)(colon - text.ptr));
	struct span port = span_make(colon + 1, text.len - host.len - 1);
	bool has_brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (has_brackets) {
		host = span_make(host.ptr + 1, host.len - 2);
	} else if (host.len == 0 || memchr(host.ptr, ':', host.len) != NULL) {
		return false;
	}
	uint64_t number = 0;
	if (!id_parse_uint(port, &number) || number > UINT16_MAX) {
		return false;
	}
	*out_host = mem_copy(host.ptr, host.len);
	*out_port = (uint16_t)number;
	return true;
}

/* ---- rules ---- */

static const char not_an_address[] =
        "'listen' must be host:port, such as 127.0.0.1:49134 or [::1]:49134, or none";
static const char nowhere[] = "'listen: none' needs another listener: set 'tls.listen' or "
                              "'unix.path'";
static const char not_loopback[] =
        "'listen' is not loopback, and the config wants no token: whoever reaches this address "
        "could do everything; name a token in 'auth.tokens', set 'auth.required: always' if there "
        "are tokens made by `pawl token create`, or 'insecure: true' if that is meant";
static const char tls_not_an_address[] =
        "'tls.listen' must be host:port, such as 0.0.0.0:49135 or [::1]:49135";
static const char tls_not_loopback[] =
        "'tls.listen' is not loopback, and the config wants no token: whoever reaches this address "
        "could do everything; set 'tls.client_ca', 'auth.tokens' or 'auth.required: always', or "
        "'insecure: true' if that is meant";

static bool is_guarded(const struct config *config)
{
	return config->insecure || config_needs_token(config);
}

const char *config_take_listen(struct config *config)
{
	mem_free(config->listen_host);
	config->listen_host = NULL;
	config->listen_port = 0;
	if (strcmp(config->listen, "none") == 0) {
		return config->tls.listen || config->unix_.path ? NULL : nowhere;
	}
	if (!config_split_listen(config->listen, &config->listen_host, &config->listen_port)) {
		return not_an_address;
	}
	return config_is_loopback(config->listen_host) || is_guarded(config) ? NULL : not_loopback;
}

/* What stands in a section, or the section, or nothing. */
static const struct yaml_entry *entry_near(const struct yaml_node *root, const char *section,
                                           const char *name)
{
	const struct yaml_entry *outer = yaml_find(root, span_of(section));
	const struct yaml_entry *inner =
	        outer && name ? yaml_find(outer->value, span_of(name)) : NULL;
	return inner ? inner : outer;
}

static void refuse(struct report *report, const struct yaml_entry *entry, const char *sentence)
{
	report_add(report, entry ? entry->line : 0, entry ? entry->column : 0, "invalid_value",
	           "%s", sentence);
}

static void load_certificate(const struct yaml_node *root, struct config *config,
                             struct report *report)
{
	const struct tls_files files = {.cert = config->tls.cert,
	                                .key = config->tls.key,
	                                .client_ca = config->tls.client_ca};
	struct err err;
	if (tls_context_serve(&files, &config->tls_context, &err) != 0) {
		const struct yaml_entry *entry = entry_near(root, "tls", "cert");
		report_add(report, entry ? entry->line : 0, entry ? entry->column : 0, err.code,
		           "tls: %s", err.text);
	}
}

static void read_tls(const struct yaml_node *root, struct config *config, struct report *report)
{
	const struct config_tls *tls = &config->tls;
	char *host = NULL;
	uint16_t port;
	if (tls->listen == NULL && tls->cert == NULL && tls->key == NULL &&
	    tls->client_ca == NULL) {
		return;
	}
	if (tls->listen == NULL || tls->cert == NULL || tls->key == NULL) {
		refuse(report, entry_near(root, "tls", NULL),
		       "'tls' needs 'listen', 'cert' and 'key'");
	} else if (!config_split_listen(tls->listen, &host, &port)) {
		refuse(report, entry_near(root, "tls", "listen"), tls_not_an_address);
	} else if (!config_is_loopback(host) && !tls->client_ca && !is_guarded(config)) {
		refuse(report, entry_near(root, "tls", "listen"), tls_not_loopback);
	} else {
		load_certificate(root, config, report);
	}
	mem_free(host);
}

static void read_unix(const struct yaml_node *root, struct config *config, struct report *report)
{
	uint32_t mode = 0;
	for (const char *at = config->unix_.mode; *at != '\0'; at++) {
		if (*at < '0' || *at > '7') {
			refuse(report, entry_near(root, "unix", "mode"),
			       "'unix.mode' must be octal, such as 0660");
			return;
		}
		mode = mode * 8 + (uint32_t)(*at - '0');
	}
	if (mode > 0777) {
		refuse(report, entry_near(root, "unix", "mode"),
		       "'unix.mode' must be at most 0777");
	}
	config->unix_mode = mode;
	if (config->unix_.path == NULL && config->unix_.group != NULL) {
		refuse(report, entry_near(root, "unix", "group"),
		       "'unix.group' means nothing without 'unix.path'");
	}
}

void config_read_listeners(const struct yaml_node *root, struct config *config,
                           struct report *report)
{
	const char *refused = config_take_listen(config);
	if (refused != NULL) {
		refuse(report, entry_near(root, "listen", NULL), refused);
	}
	read_tls(root, config, report);
	read_unix(root, config, report);
}

void config_free_listeners(struct config *config)
{
	tls_context_drop(config->tls_context);
	mem_free(config->listen_host);
}
