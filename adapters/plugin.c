/* This file loads a shared object and checks that its adapter fits this program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/plugin.h"

#include "adapters/journal.h"
#include "base/mem.h"
#include "base/yaml.h"
#include <dlfcn.h>
#include <unistd.h>

static bool has_journal(const struct adapter_type *type)
{
	return type->head != NULL;
}

/* A missing function is found here and not when it is first called. */
static int check_functions(const struct adapter_type *type, const char *path, struct err *err)
{
	bool all = type->open && type->close && type->get && type->scan && type->parts &&
	           (has_journal(type) ? type->write && type->read && type->trim &&
	                                        !type->apply == !type->replay &&
	                                        !type->apply == !type->applied
	                              : type->apply && type->applied);
	if (type->name != NULL && type->help != NULL && all) {
		return 0;
	}
	return err_set(err, E_INVALID, "plugin_incomplete",
	               "%s lacks a function that %s must have; see adapters/README.md", path,
	               has_journal(type)
	                       ? "a store (open, close, get, scan, parts, head, write, "
	                         "read, trim, and apply, applied, replay together)"
	                       : "a view (open, close, get, scan, parts, apply, applied)");
}

static int check(const struct adapter_type *type, const char *path, struct err *err)
{
	if (type->abi_version != ADAPTER_ABI_VERSION) {
		return err_set(err, E_VERSION, "plugin_version",
		               "%s is made for version %u of the adapter interface, and this "
		               "program has version %d: build it against the headers of this one",
		               path, type->abi_version, ADAPTER_ABI_VERSION);
	}
	if (type->size != sizeof *type) {
		return err_set(err, E_VERSION, "plugin_version",
		               "%s has an adapter_type of %u bytes, and this program's has %zu: "
		               "build it against the headers of this one",
		               path, type->size, sizeof *type);
	}
	return check_functions(type, path, err);
}

static int load(const char *path, const struct adapter_type **out, struct err *err)
{
	if (access(path, R_OK) != 0) {
		return err_set(err, E_NOT_FOUND, "plugin_missing", "there is no adapter at %s",
		               path);
	}
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL) {
		return err_set(err, E_INVALID, "plugin_unloadable", "cannot load %s: %s", path,
		               dlerror());
	}
	const struct adapter_type *type = dlsym(object, PLUGIN_SYMBOL);
	if (type == NULL) {
		return err_set(err, E_INVALID, "plugin_symbol",
		               "%s exports no `const struct adapter_type %s`", path, PLUGIN_SYMBOL);
	}
	int status = check(type, path, err);
	if (status == 0) {
		*out = type;
	}
	return status;
}

/* JSON is YAML: the reader of the config file reads it. *out_path is the caller's. */
static int read_path(struct span config, char **out_path, struct err *err)
{
	struct yaml *yaml = NULL;
	int status = yaml_parse(config, "plugin", &yaml, err);
	if (status != 0) {
		return status;
	}
	const struct yaml_node *root = yaml_root(yaml);
	const struct yaml_entry *path =
	        root->kind == YAML_MAPPING ? yaml_find(root, SPAN("path")) : NULL;
	if (path != NULL && path->value->kind == YAML_SCALAR && path->value->text.len != 0) {
		*out_path = mem_copy(path->value->text.ptr, path->value->text.len);
	} else {
		status = err_set(
		        err, E_INVALID, "plugin_path",
		        "the adapter 'plugin' needs config.path, the shared object to load");
	}
	yaml_close(yaml);
	return status;
}

static int plugin_open(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	char *path = NULL;
	const struct adapter_type *type = NULL;
	int status = read_path(how->config, &path, err);
	if (status == 0) {
		status = load(path, &type, err);
	}
	if (status == 0 && has_journal(type)) {
		status = type->open(how, out, err);
	} else if (status == 0) {
		struct journal_options journal = {.view = type, .view_open = *how};
		status = journal_open(&journal, out, err);
	}
	mem_free(path);
	return status;
}

static void plugin_close(struct adapter *adapter)
{
	adapter->type->close(adapter);
}

const struct adapter_type plugin_adapter = {
        .size = sizeof(struct adapter_type),
        .abi_version = ADAPTER_ABI_VERSION,
        .name = "plugin",
        .help = "An adapter of your own, from a shared object.",
        .open = plugin_open,
        .close = plugin_close,
};
