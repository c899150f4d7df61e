/* This file examines what an engine needs, and one that runs, and says what to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include "base/clock.h"
#include "cli/command.h"
#include "cli/doctor_engine.h"
#include "cli/doctor_host.h"
#include "cli/findings.h"
#include "cli/terminal.h"
#include "engine/config.h"
#include "engine/config_secrets.h"
#include "engine/engine_judge.h"
#include "wire/tls.h"
#include <stdio.h>
#include <sys/stat.h>

static void tell_faults(const char *path, const struct report *report, const struct err *err,
                        struct findings *findings)
{
	static const char advice[] = "mend it; `pawl check` says the same";
	for (size_t i = 0; i < report->count; i++) {
		const struct report_item *item = &report->items[i];
		findings_add(findings, FINDINGS_FAIL, "config", advice, "%s:%u:%u: %s", path,
		             item->line, item->column, item->text);
	}
	if (report->count == 0) {
		findings_add(findings, FINDINGS_FAIL, "config", advice, "%s", err->text);
	}
}

/* Each line of what is right and yet worth a word. */
static void tell_warnings(const struct config *config, struct findings *findings)
{
	struct buf text = {0};
	engine_judge_warn(config, false, &text);
	for (size_t at = 0; at < text.len;) {
		const char *end = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = end ? (size_t)(end - text.ptr) - at : text.len - at;
		findings_add(findings, FINDINGS_WARN, "config", NULL, "%.*s", (int)len,
		             text.ptr + at);
		at += len + 1;
	}
	buf_free(&text);
}

/* Secrets that stand in a file which everybody may read are none. */
static void examine_file(const char *path, const struct config *config, struct findings *findings)
{
	struct stat about;
	if (path != NULL && config_secrets_count(config->secrets) != 0 && stat(path, &about) == 0 &&
	    (about.st_mode & 07) != 0) {
		findings_add(findings, FINDINGS_WARN, "config",
		             "chmod o-rwx on it, or keep the secrets in files of their own (file:) "
		             "or in the environment",
		             "%s names secrets, and every user of this machine may read it", path);
	}
}

static void examine_tls(const struct config *config, struct findings *findings)
{
	enum { SOON_DAYS = 14 };
	struct stat about;
	if (config->tls_context == NULL) {
		return;
	}
	int64_t left_ms = tls_context_until_ms(config->tls_context) - clock_wall_ms();
	int64_t days = left_ms / (24 * 3600 * 1000LL);
	enum findings_level level = left_ms < 0        ? FINDINGS_FAIL
	                            : days < SOON_DAYS ? FINDINGS_WARN
	                                               : FINDINGS_OK;
	findings_add(findings, level, "tls",
	             level == FINDINGS_OK ? NULL : "get a new one, then `pawl reload`",
	             left_ms < 0 ? "the certificate has ended %lld days ago"
	                         : "the certificate is good for %lld days",
	             (long long)(left_ms < 0 ? -days : days));
	if (stat(config->tls.key, &about) == 0 && (about.st_mode & 07) != 0) {
		findings_add(findings, FINDINGS_WARN, "tls", "chmod o-rwx on it",
		             "every user of this machine may read the key %s", config->tls.key);
	}
}

static struct config *examine_config(const struct invocation *invocation, struct findings *findings)
{
	const char *path = command_option(invocation, "config");
	const struct config_judge judge = engine_judge();
	const struct config_source source = {.data = command_option(invocation, "data")};
	static struct report report;
	struct config *config = NULL;
	struct err err;
	if (config_load(path, &judge, &config, &report, &err) != 0) {
		tell_faults(path ? path : "(no file)", &report, &err, findings);
		report_close(&report);
		return NULL;
	}
	report_close(&report);
	(void)config_override(config, &source, &err); /* a directory is never wrong here */
	findings_add(findings, FINDINGS_OK, "config", NULL,
	             "%s is right: %zu functions, %zu triggers, %zu secrets",
	             path ? path : "the default", config->function_count, config->trigger_count,
	             config_secrets_count(config->secrets));
	tell_warnings(config, findings);
	examine_file(path, config, findings);
	examine_tls(config, findings);
	return config;
}

int doctor_run(const struct invocation *invocation)
{
	struct findings findings = {.json = invocation->json,
	                            .color = terminal_has_color(invocation->color)};
	int64_t holder = 0;
	struct config *config = examine_config(invocation, &findings);
	if (config != NULL) {
		doctor_host_data(config, &findings, &holder);
	}
	doctor_host_clock(&findings);
	if (config != NULL) {
		doctor_host_limits(config, holder, &findings);
	}
	doctor_engine_examine(invocation, config, holder != 0, &findings);
	config_free(config);
	return findings_end(&findings) ? EXIT_DONE : EXIT_FAILED;
}
