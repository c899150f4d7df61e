/* This file builds the tree of a YAML document from the events of libyaml. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/yaml_expand.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

/* The children are gathered in arrays that double; a node's are const once it is complete. */
struct made {
	struct yaml_node node;
	struct made *next; /* every node of the document, for expanding and freeing */
	char *anchor;      /* NULL if it has none */
	size_t cap;
	bool is_key;
};

enum { BYTES_PER_NODE = 256 };

struct yaml {
	struct made *made;
	const struct yaml_node *root;
};

/*
 * DESIGN. Events come in, open collections stand on a stack. A node is attached to what is open
 * when it is complete, so an alias can only name a complete node and the tree has no circles.
 */
struct open_node {
	struct made *made;
	bool has_key; /* a mapping that waits for the value of `key` */
	bool has_merge;
	struct yaml_entry key;
};

struct builder {
	yaml_parser_t parser;
	struct yaml *yaml;
	const char *name;
	struct err *err;
	struct made *anchors[YAML_ANCHORS_MAX];
	size_t anchor_count;
	struct open_node open[YAML_DEPTH_MAX];
	size_t depth;
	size_t total; /* nodes, aliases counted as copies */
};

static int refuse(struct builder *builder, int number, yaml_mark_t mark, const char *reason)
{
	return err_set(builder->err, number, number == E_LIMIT ? "yaml_limit" : "invalid_yaml",
	               "%s:%zu:%zu: %s", builder->name, mark.line + 1, mark.column + 1, reason);
}

/* Text that YAML takes for something else is the slip that people make most. */
static const char QUOTE_HINT[] =
        "; put a text that begins with !, a quote or a bracket, or holds ': ' or ' #', into quotes "
        "(or behind >- on lines of its own)";

static int refuse_tag(struct builder *builder, const yaml_event_t *event)
{
	char reason[256];
	(void)snprintf(reason, sizeof reason, "tags other than !!str are not understood%s",
	               QUOTE_HINT);
	return refuse(builder, E_INVALID, event->start_mark, reason);
}

static int refuse_syntax(struct builder *builder, const char *problem)
{
	char reason[256];
	(void)snprintf(reason, sizeof reason, "%.60s%s", problem, QUOTE_HINT);
	return refuse(builder, E_INVALID, builder->parser.problem_mark, reason);
}

static int count_nodes(struct builder *builder, uint32_t weight, yaml_mark_t mark)
{
	builder->total += weight;
	if (builder->total > YAML_NODES_MAX) {
		return refuse(builder, E_LIMIT, mark, "too many nodes, aliases counted as copies");
	}
	return 0;
}

static int make(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind,
                const yaml_char_t *anchor, struct made **out)
{
	yaml_mark_t mark = event->start_mark;
	int result = count_nodes(builder, 1, mark);
	if (result != 0) {
		return result;
	}
	struct made *made = MEM_NEW(struct made);
	made->node.kind = kind;
	made->node.height = 1;
	made->node.weight = 1;
	made->node.line = (uint32_t)mark.line + 1;
	made->node.column = (uint32_t)mark.column + 1;
	made->anchor = mem_text((const char *)anchor);
	made->next = builder->yaml->made;
	builder->yaml->made = made;
	*out = made;
	return 0;
}

/* Long text weighs more, so that aliases cannot multiply it either. */
static int make_scalar(struct builder *builder, const yaml_event_t *event, struct made **out)
{
	size_t len = event->data.scalar.length;
	int result = make(builder, event, YAML_SCALAR, event->data.scalar.anchor, out);
	if (result == 0) {
		(*out)->node.text = span_make(mem_copy(event->data.scalar.value, len), len);
		(*out)->node.weight += (uint32_t)(len / BYTES_PER_NODE);
		result = count_nodes(builder, (*out)->node.weight - 1, event->start_mark);
	}
	return result;
}

/* Sorting finds equal keys; `order` keeps those of one key in the order of precedence. */
struct rank {
	struct span key;
	size_t order;
};

static int rank_order(const void *a, const void *b)
{
	const struct rank *left = a;
	const struct rank *right = b;
	int order = span_compare(left->key, right->key);
	return order != 0 ? order : (left->order > right->order) - (left->order < right->order);
}

/* Drops every entry from `own` on whose key stands further ahead; refuses such an entry before. */
static int settle_keys(struct builder *builder, struct made *made, size_t own)
{
	struct yaml_entry *entries = made->node.entries;
	size_t count = made->node.count;
	if (count < 2) {
		return 0;
	}
	struct rank *ranks = MEM_ARRAY(struct rank, count);
	for (size_t i = 0; i < count; i++) {
		ranks[i] = (struct rank){entries[i].key, i};
	}
	qsort(ranks, count, sizeof ranks[0], rank_order);
	int result = 0;
	for (size_t i = 1, first = 0; i < count && result == 0; i++) {
		if (!span_equal(ranks[i].key, ranks[first].key)) {
			first = i;
			continue;
		}
		struct yaml_entry *entry = &entries[ranks[i].order];
		if (ranks[i].order >= own) {
			entry->value = NULL;
			continue;
		}
		result = err_set(builder->err, E_INVALID, "invalid_yaml",
		                 "%s:%u:%u: '%.*s' stands in line %u already", builder->name,
		                 entry->line, entry->column, SPAN_ARG(entry->key),
		                 entries[ranks[first].order].line);
	}
	mem_free(ranks);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].value != NULL) {
			entries[kept++] = entries[i];
		}
	}
	made->node.count = kept;
	return result;
}

static void *room_for_one(void *array, size_t count, size_t *cap, size_t size)
{
	if (count == *cap) {
		*cap = *cap ? *cap * 2 : 4;
		array = mem_grow(array, *cap * size);
	}
	return array;
}

static void add_entry(struct made *made, struct yaml_entry entry)
{
	struct yaml_node *node = &made->node;
	node->entries = room_for_one(node->entries, node->count, &made->cap, sizeof entry);
	node->entries[node->count++] = entry;
}

static void merge_from(struct made *made, const struct yaml_node *base)
{
	for (size_t i = 0; i < base->count; i++) {
		add_entry(made, base->entries[i]);
	}
}

/* Replaces each `<<` by what it names, behind the mapping's own entries. */
static int merge_bases(struct builder *builder, struct made *made, yaml_mark_t mark)
{
	struct yaml_node *node = &made->node;
	size_t own = 0;
	const struct yaml_node *from = NULL;
	for (size_t i = 0; i < node->count; i++) {
		if (node->entries[i].key.ptr == NULL) {
			from = node->entries[i].value;
		} else {
			node->entries[own++] = node->entries[i];
		}
	}
	node->count = own;
	bool is_list = from->kind == YAML_SEQUENCE;
	for (size_t i = 0; i < (is_list ? from->count : 1); i++) {
		const struct yaml_node *base = is_list ? from->items[i] : from;
		if (base->kind != YAML_MAPPING) {
			return refuse(builder, E_INVALID, mark,
			              "'<<' in the mapping that ends here must name a mapping or a "
			              "list of them");
		}
		merge_from(made, base);
	}
	return settle_keys(builder, made, own);
}

static void attach(struct builder *builder, const struct yaml_node *node)
{
	if (builder->depth == 0) {
		builder->yaml->root = node;
		return;
	}
	struct open_node *open = &builder->open[builder->depth - 1];
	struct yaml_node *parent = &open->made->node;
	parent->weight += node->weight;
	if (parent->height <= node->height) {
		parent->height = (uint16_t)(node->height + 1);
	}
	if (parent->kind == YAML_SEQUENCE) {
		parent->items = room_for_one(parent->items, parent->count, &open->made->cap,
		                             sizeof parent->items[0]);
		parent->items[parent->count++] = node;
		return;
	}
	open->key.value = node;
	add_entry(open->made, open->key);
	open->has_key = false;
}

static int complete(struct builder *builder, struct made *made, yaml_mark_t mark)
{
	if (made->anchor != NULL) {
		if (builder->anchor_count == YAML_ANCHORS_MAX) {
			return refuse(builder, E_LIMIT, mark, "too many anchors");
		}
		builder->anchors[builder->anchor_count++] = made;
	}
	attach(builder, &made->node);
	return 0;
}

static bool waits_for_key(const struct builder *builder)
{
	const struct open_node *open = builder->depth ? &builder->open[builder->depth - 1] : NULL;
	return open != NULL && open->made->node.kind == YAML_MAPPING && !open->has_key;
}

static int on_key(struct builder *builder, const yaml_event_t *event)
{
	struct open_node *open = &builder->open[builder->depth - 1];
	yaml_mark_t mark = event->start_mark;
	if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor != NULL) {
		return refuse(builder, E_INVALID, mark, "a key must be plain text");
	}
	struct span text =
	        span_make((const char *)event->data.scalar.value, event->data.scalar.length);
	bool is_merge = span_is(text, "<<") && event->data.scalar.plain_implicit;
	if (is_merge && open->has_merge) {
		return refuse(builder, E_INVALID, mark,
		              "'<<' stands here twice; name several mappings in a list: "
		              "<<: [*a, *b]");
	}
	struct made *made = NULL;
	int result = make_scalar(builder, event, &made);
	if (result != 0) {
		return result;
	}
	made->is_key = true;
	open->has_merge |= is_merge;
	open->has_key = true;
	open->key = (struct yaml_entry){.key = is_merge ? SPAN_NONE : made->node.text,
	                                .line = (uint32_t)mark.line + 1,
	                                .column = (uint32_t)mark.column + 1};
	return 0;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_text = tag != NULL && (strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0);
	if (tag != NULL && !is_text) {
		return refuse_tag(builder, event);
	}
	struct made *made = NULL;
	int result = make_scalar(builder, event, &made);
	if (result != 0) {
		return result;
	}
	made->node.quoted = is_text || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return complete(builder, made, event->start_mark);
}

static int on_alias(struct builder *builder, const yaml_event_t *event)
{
	const char *anchor = (const char *)event->data.alias.anchor;
	const struct yaml_node *node = NULL;
	for (size_t i = builder->anchor_count; i-- > 0 && node == NULL;) {
		if (strcmp(builder->anchors[i]->anchor, anchor) == 0) {
			node = &builder->anchors[i]->node;
		}
	}
	if (node == NULL) {
		return refuse(builder, E_INVALID, event->start_mark,
		              "this alias names no anchor that is complete before it");
	}
	if (builder->depth + node->height > YAML_DEPTH_MAX) {
		return refuse(builder, E_LIMIT, event->start_mark, "nested too deeply");
	}
	int result = count_nodes(builder, node->weight, event->start_mark);
	if (result == 0) {
		attach(builder, node);
	}
	return result;
}

static int on_begin(struct builder *builder, const yaml_event_t *event)
{
	bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
	const yaml_char_t *anchor =
	        is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;
	if ((is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag) != NULL) {
		return refuse_tag(builder, event);
	}
	if (builder->depth == YAML_DEPTH_MAX) {
		return refuse(builder, E_LIMIT, event->start_mark, "nested too deeply");
	}
	struct made *made = NULL;
	int result = make(builder, event, is_list ? YAML_SEQUENCE : YAML_MAPPING, anchor, &made);
	if (result == 0) {
		builder->open[builder->depth++] = (struct open_node){.made = made};
	}
	return result;
}

static int on_end(struct builder *builder, const yaml_event_t *event)
{
	struct open_node *open = &builder->open[builder->depth - 1];
	int result = 0;
	if (open->has_merge) {
		result = merge_bases(builder, open->made, event->start_mark);
	} else if (open->made->node.kind == YAML_MAPPING) {
		result = settle_keys(builder, open->made, open->made->node.count);
	}
	if (result == 0) {
		builder->depth--;
		result = complete(builder, open->made, event->start_mark);
	}
	return result;
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
	bool is_end =
	        event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
	bool is_node = event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT ||
	               event->type == YAML_SEQUENCE_START_EVENT ||
	               event->type == YAML_MAPPING_START_EVENT;
	if (is_end) {
		return on_end(builder, event);
	}
	if (is_node && waits_for_key(builder)) {
		return on_key(builder, event);
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(builder, event);
	case YAML_ALIAS_EVENT:
		return on_alias(builder, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return on_begin(builder, event);
	case YAML_DOCUMENT_START_EVENT:
		return builder->yaml->root == NULL
		               ? 0
		               : refuse(builder, E_INVALID, event->start_mark,
		                        "a second document begins here; a file holds one");
	default:
		return 0;
	}
}

static int next_event(struct builder *builder, yaml_event_t *event)
{
	if (yaml_parser_parse(&builder->parser, event)) {
		return 0;
	}
	const yaml_parser_t *parser = &builder->parser;
	const char *problem = parser->problem ? parser->problem : "this is not YAML";
	if (parser->error == YAML_READER_ERROR) {
		/* The reader counts bytes, not lines: the place in the text is not known. */
		return err_set(builder->err, E_INVALID, "invalid_yaml", "%s: %s, at byte %zu",
		               builder->name, problem, parser->problem_offset);
	}
	return refuse_syntax(builder, problem);
}

static int build(struct builder *builder)
{
	bool at_end = false;
	int result = 0;
	while (!at_end && result == 0) {
		yaml_event_t event;
		result = next_event(builder, &event);
		if (result == 0) {
			at_end = event.type == YAML_STREAM_END_EVENT;
			result = on_event(builder, &event);
			yaml_event_delete(&event);
		}
	}
	return result;
}

int yaml_parse(struct span text, const char *name, struct yaml **out, struct err *err)
{
	if (text.len > YAML_SIZE_MAX) {
		return err_set(err, E_LIMIT, "yaml_limit", "%s: over %d MiB", name,
		               YAML_SIZE_MAX >> 20);
	}
	struct yaml *yaml = MEM_NEW(struct yaml);
	struct builder *builder = MEM_NEW(struct builder);
	builder->yaml = yaml;
	builder->name = name;
	builder->err = err;
	PRE(yaml_parser_initialize(&builder->parser));
	yaml_parser_set_input_string(&builder->parser, (const unsigned char *)text.ptr, text.len);
	int result = build(builder);
	yaml_parser_delete(&builder->parser);
	mem_free(builder);
	if (result != 0) {
		yaml_close(yaml);
		return result;
	}
	if (yaml->root == NULL) {
		struct made *made = MEM_NEW(struct made);
		made->node = (struct yaml_node){
		        .kind = YAML_MAPPING, .height = 1, .weight = 1, .line = 1, .column = 1};
		yaml->made = made;
		yaml->root = &made->node;
	}
	*out = yaml;
	return 0;
}

int yaml_load(const char *path, struct yaml **out, struct err *err)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		int number = errno == ENOENT ? E_NOT_FOUND : E_IO;
		return err_set(err, number, "file_unreadable", "%s: %s", path, strerror(errno));
	}
	/* One byte over the limit is enough for yaml_parse to refuse it. */
	struct buf text = {0};
	size_t got = 0;
	do {
		got = fread(buf_reserve(&text, 65536), 1, 65536, file);
		text.len += got;
	} while (got != 0 && text.len <= YAML_SIZE_MAX);
	int result = 0;
	if (ferror(file)) {
		result = err_set(err, E_IO, "file_unreadable", "%s: %s", path, strerror(errno));
	} else {
		result = yaml_parse(buf_view(&text), path, out, err);
	}
	(void)fclose(file);
	buf_free(&text);
	return result;
}

void yaml_close(struct yaml *yaml)
{
	if (yaml == NULL) {
		return;
	}
	while (yaml->made != NULL) {
		struct made *made = yaml->made;
		yaml->made = made->next;
		mem_free(made->node.entries);
		mem_free(made->node.items);
		mem_free((char *)made->node.text.ptr);
		mem_free(made->anchor);
		mem_free(made);
	}
	mem_free(yaml);
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
	return yaml->root;
}

const struct yaml_entry *yaml_find(const struct yaml_node *mapping, struct span key)
{
	for (size_t i = 0; mapping->kind == YAML_MAPPING && i < mapping->count; i++) {
		if (span_equal(mapping->entries[i].key, key)) {
			return &mapping->entries[i];
		}
	}
	return NULL;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	static const char *const names[] = {"a value", "a list", "a mapping"};
	return names[node->kind];
}

static void expand_scalar(struct yaml_node *node, struct report *report)
{
	struct buf out = {0};
	node->expanded |= yaml_expand_text(node->text, node->line, node->column, &out, report);
	mem_free((char *)node->text.ptr);
	node->text = mem_span(buf_view(&out));
	buf_free(&out);
}

void yaml_expand(struct yaml *yaml, struct report *report)
{
	size_t bytes = 0;
	for (struct made *made = yaml->made; made != NULL; made = made->next) {
		struct yaml_node *node = &made->node;
		if (node->kind != YAML_SCALAR || made->is_key ||
		    memmem(node->text.ptr, node->text.len, "${", 2) == NULL) {
			continue;
		}
		expand_scalar(node, report);
		bytes += node->text.len;
		if (bytes > YAML_SIZE_MAX) {
			report_add(report, node->line, node->column, "yaml_limit",
			           "the environment makes this file too large");
			return;
		}
	}
}
