/* This file chooses between memory and files by the config of `kv`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/kv.h"

#include "adapters/file.h"
#include "adapters/journal.h"
#include "adapters/memory.h"
#include "adapters/sqlite.h"
#include "base/field.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/yaml.h"
#include <stddef.h>

enum method { METHOD_IN_MEMORY, METHOD_FILE_BASED };
enum durability { DURABILITY_COMMIT, DURABILITY_INTERVAL };

struct kv_options {
	int store_method;
	char *file_path;
	int durability;
	int64_t save_interval_ms;
};

static const char *const methods[] = {"in_memory", "file_based", NULL};
static const char *const durabilities[] = {"commit", "interval", NULL};

#define ROW(member, row_kind)                                                                      \
	.name = #member, .kind = (row_kind), .offset = offsetof(struct kv_options, member)

static const struct field fields[] = {
        {ROW(store_method, FIELD_ENUM), .otherwise = "file_based", .words = methods,
         .help = "Keep records in files, or in memory only, where nothing survives a restart."},
        {ROW(file_path, FIELD_STRING), .min = 1, .max = 4096,
         .help = "The directory of the files; without it the data directory."},
        {ROW(durability, FIELD_ENUM), .otherwise = "commit", .words = durabilities,
         .help = "Make each write durable before it is answered, or all of them by interval: a "
                 "power cut may then take the last ones."},
        {ROW(save_interval_ms, FIELD_INT), .otherwise = "1000", .min = 10, .max = 3600000,
         .unit = "ms", .help = "How often writes are made durable with durability: interval."},
        {.name = NULL},
};

/* JSON is YAML: the reader of the config file reads it, and names what it does not know. */
static int read_options(struct span config, struct kv_options *options, struct err *err)
{
	struct yaml *yaml = NULL;
	struct span text = config.len != 0 ? config : SPAN("{}");
	int status = yaml_parse(text, "kv", &yaml, err);
	if (status != 0) {
		return status;
	}
	struct report *report = MEM_NEW(struct report);
	field_read(fields, yaml_root(yaml), options, report);
	status = report_finish(report, "kv", err);
	report_close(report);
	mem_free(report);
	yaml_close(yaml);
	return status;
}

static int open_files(const struct kv_options *options, const struct adapter_open *how,
                      struct adapter **out, struct err *err)
{
	struct journal_options journal = {
	        .view = &sqlite_adapter,
	        .view_open = *how,
	        .sync_every_ms =
	                options->durability == DURABILITY_INTERVAL ? options->save_interval_ms : 0,
	};
	if (options->file_path != NULL) {
		journal.view_open.dir = options->file_path;
		int status = file_make_dir(options->file_path, err);
		if (status != 0) {
			return status;
		}
	}
	return journal_open(&journal, out, err);
}

static int kv_open(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	struct kv_options options = {0};
	int status = read_options(how->config, &options, err);
	if (status == 0) {
		status = options.store_method == METHOD_IN_MEMORY
		                 ? memory_adapter.open(how, out, err)
		                 : open_files(&options, how, out, err);
	}
	field_free(fields, &options);
	return status;
}

static void kv_close(struct adapter *adapter)
{
	adapter->type->close(adapter);
}

const struct adapter_type kv_adapter = {
        .size = sizeof(struct adapter_type),
        .abi_version = ADAPTER_ABI_VERSION,
        .name = "kv",
        .help = "The built-in store: files in one directory, or memory.",
        .open = kv_open,
        .close = kv_close,
};
