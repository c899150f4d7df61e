/* This file reads a YAML document into a tree of our own that knows where everything stood. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/err.h"
#include "base/report.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. One document a file, JSON included. An alias is the very node of its anchor, so the tree
 * may share nodes; the number of nodes is counted as if every alias were a copy, and bounded, so
 * that a walk over the tree is bounded too. Merge keys (`<<: *base`) are carried out: what the
 * mapping says itself wins, then the earlier of several bases. Refused: a key twice (both lines are
 * named), a key that is no scalar, tags other than !!str, a second document, and anything over the
 * limits below.
 */
enum {
	YAML_SIZE_MAX = 4 << 20,
	YAML_DEPTH_MAX = 64,
	YAML_NODES_MAX = 250000,
	YAML_ANCHORS_MAX = 256,
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node;

struct yaml_entry {
	struct span key;
	uint32_t line; /* of the key, from 1 */
	uint32_t column;
	const struct yaml_node *value;
};

struct yaml_node {
	enum yaml_kind kind;
	bool quoted;     /* scalar: quoted, a block or !!str: a string whatever it looks like */
	bool expanded;   /* scalar: a ${VARIABLE} was put in; may be secret, so do not repeat it */
	uint16_t height; /* levels in it, itself included */
	uint32_t weight; /* nodes in it, itself included */
	uint32_t line;   /* from 1 */
	uint32_t column;
	struct span text;               /* scalar; a NUL stands behind */
	struct yaml_entry *entries;     /* mapping, in the order of the file; keys are unique */
	const struct yaml_node **items; /* sequence */
	size_t count;                   /* entries or items */
};

struct yaml;

/* `name` is what errors call the text. An empty document is an empty mapping. Errors are
 * "name:line:column: reason", E_INVALID with code "invalid_yaml", or E_LIMIT with "yaml_limit". */
int yaml_parse(struct span text, const char *name, struct yaml **out, struct err *err);
/* The same from a file; E_NOT_FOUND or E_IO with code "file_unreadable" if it cannot be read. */
int yaml_load(const char *path, struct yaml **out, struct err *err);
void yaml_close(struct yaml *yaml); /* NULL is harmless; libyaml has a yaml_free of its own */

/* The nodes live as long as `yaml`. */
const struct yaml_node *yaml_root(const struct yaml *yaml);

/* Puts the environment into every scalar that is a value: ${VAR}, or ${VAR:default} with the
 * default up to the next brace; $${ stands for ${ itself. A variable that is not set and has no
 * default is reported with its name and line. ${{ stays: it begins an expression. Calling it twice
 * expands twice: call it once. */
void yaml_expand(struct yaml *yaml, struct report *report);

const struct yaml_entry *yaml_find(const struct yaml_node *mapping, struct span key);
const char *yaml_kind_name(const struct yaml_node *node); /* "a mapping", "a list", "a value" */

#endif
