/* This file reads the section of a configuration that holds secrets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_secrets.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/yaml_json.h"
#include "engine/core/secrets.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128 };

/* What may stand behind "secrets." in a header. */
static bool is_name(struct span name)
{
	bool is = name.len != 0 && name.len <= NAME_MAX_BYTES;
	for (size_t i = 0; is && i < name.len; i++) {
		char byte = name.ptr[i];
		is = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
		     byte == '-' || (byte >= '0' && byte <= '9');
	}
	return is;
}

static void complain(const struct yaml_entry *entry, const char *what, struct report *report)
{
	report_add(report, entry->line, entry->column, "invalid_secret", "the secret '%.*s' %s",
	           SPAN_ARG(entry->key), what);
}

static struct span without_end(struct span text)
{
	while (text.len != 0 &&
	       (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r')) {
		text.len--;
	}
	return text;
}

static void read_file(const struct yaml_entry *entry, struct span path, struct secrets *secrets,
                      struct report *report)
{
	char *name = mem_copy(path.ptr, path.len);
	char *bytes = mem_new(CONFIG_SECRET_MAX + 1);
	FILE *file = fopen(name, "rbe");
	if (file == NULL) {
		report_add(report, entry->line, entry->column, "invalid_secret",
		           "the secret '%.*s': %s cannot be read: %s", SPAN_ARG(entry->key), name,
		           strerror(errno));
	} else {
		size_t len = fread(bytes, 1, CONFIG_SECRET_MAX + 1, file);
		struct span value = without_end(span_make(bytes, len));
		if (ferror(file) != 0 || len > CONFIG_SECRET_MAX || value.len == 0) {
			complain(entry, "is in a file that is empty, over 64 KiB or unreadable",
			         report);
		} else {
			secrets_put(secrets, entry->key, value);
		}
		(void)fclose(file);
	}
	explicit_bzero(bytes, CONFIG_SECRET_MAX + 1);
	mem_free(bytes);
	mem_free(name);
}

static void read_one(const struct yaml_entry *entry, struct secrets *secrets, struct report *report)
{
	static const struct span FROM_FILE = {"file:", 5};
	const struct yaml_node *value = entry->value;
	if (!is_name(entry->key)) {
		complain(entry, "has a name that is not letters, digits, '-' and '_'", report);
	} else if (value->kind != YAML_SCALAR || value->text.len == 0) {
		complain(entry, "must be a text, such as \"${VARIABLE}\" or file:/path", report);
	} else if (span_starts_with(value->text, FROM_FILE)) {
		read_file(
		        entry,
		        span_make(value->text.ptr + FROM_FILE.len, value->text.len - FROM_FILE.len),
		        secrets, report);
	} else if (value->text.len > CONFIG_SECRET_MAX) {
		complain(entry, "is over 64 KiB", report);
	} else {
		secrets_put(secrets, entry->key, value->text);
	}
}

struct secrets *config_read_secrets(const struct yaml_node *root, struct report *report)
{
	struct secrets *secrets = secrets_new();
	const struct yaml_entry *section = yaml_find(root, SPAN("secrets"));
	if (section == NULL || yaml_is_null(section->value)) {
		return secrets;
	}
	const struct yaml_node *node = section->value;
	if (node->kind != YAML_MAPPING) {
		report_add(report, section->line, section->column, "invalid_value",
		           "'secrets' must be a mapping of names to texts, not %s",
		           yaml_kind_name(node));
		return secrets;
	}
	for (size_t i = 0; i < node->count; i++) {
		read_one(&node->entries[i], secrets, report);
	}
	return secrets;
}

size_t config_secrets_count(const struct secrets *secrets)
{
	return secrets_count(secrets);
}
