/* This file splits conditions into alternatives, and these into atoms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/atom.h"

#include "triggers/expr/eval.h"
#include <math.h>

enum { ATOMS_MAX = 16 }; /* of one alternative */

static const double integers_of_double = 0x1p53; /* every integer below is a double */

struct link {
	struct expr_atom atom;
	const struct link *next;
};

struct alternative {
	const struct link *atoms;
	size_t count;
};

/* One empty alternative: nothing is known. None at all: it is never true. */
struct alternatives {
	struct alternative items[EXPR_ALTERNATIVES_MAX];
	size_t count;
};

struct collector {
	struct block *block;
	struct arena *scratch;
};

static struct alternatives unknown(void)
{
	return (struct alternatives){.count = 1};
}

static struct alternatives never(void)
{
	return (struct alternatives){0};
}

static struct alternatives one(struct collector *collector, enum expr_atom_op op, uint32_t slot,
                               const struct value *values, size_t count)
{
	struct link *link = ARENA_NEW(collector->scratch, struct link);
	*link = (struct link){.atom = {op, slot, values, count}};
	struct alternatives result = {.count = 1};
	result.items[0] = (struct alternative){link, 1};
	return result;
}

/* ---- the prefix of a pattern ---- */

/* Whether a `|` may stand outside of all groups. Sets and quotes could hide brackets: then yes. */
static bool may_have_branches(struct span pattern)
{
	if (memchr(pattern.ptr, '|', pattern.len) == NULL) {
		return false;
	}
	int depth = 0;
	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];
		bool quotes = c == '\\' && i + 1 < pattern.len && pattern.ptr[i + 1] == 'Q';
		if (c == '[' || quotes || (c == '|' && depth == 0)) {
			return true;
		}
		i += c == '\\';
		depth += (c == '(') - (c == ')');
	}
	return false;
}

static bool is_meta(char c)
{
	return strchr("\\.+*?()|[]{}^$", c) != NULL; /* the NUL too */
}

static bool is_optional_after(struct span pattern, size_t at)
{
	return at < pattern.len && strchr("*?{", pattern.ptr[at]) != NULL;
}

struct span atom_prefix(struct arena *scratch, struct span pattern)
{
	char *text = arena_take(scratch, pattern.len + 1);
	size_t len = 0;
	if (pattern.len == 0 || pattern.ptr[0] != '^' || may_have_branches(pattern)) {
		return span_make(text, 0);
	}
	for (size_t i = 1; i < pattern.len;) {
		char c = pattern.ptr[i];
		size_t size = 1;
		if (c == '\\' && i + 1 < pattern.len && pattern.ptr[i + 1] != '\0' &&
		    strchr(".+*?()|[]{}^$\\/-", pattern.ptr[i + 1]) != NULL) {
			i++;
		} else if (is_meta(c)) {
			break;
		}
		/* A character of several bytes is one for what follows it. */
		while (i + size < pattern.len && (pattern.ptr[i + size] & 0xc0) == 0x80) {
			size++;
		}
		if (is_optional_after(pattern, i + size)) {
			break;
		}
		memcpy(text + len, pattern.ptr + i, size);
		len += size;
		i += size;
	}
	return span_make(text, len);
}

/* ---- tests ---- */

static bool is_nan(const struct value *value)
{
	return value->tag == VALUE_DOUBLE && isnan(value->as.d) &&
	       (value->flags & (VALUE_EXACT | VALUE_EXACT_UNSIGNED)) == 0;
}

static bool is_scalar(const struct value *value)
{
	return value->tag >= VALUE_NULL && value->tag <= VALUE_BYTES;
}

static struct alternatives equal_to(struct collector *collector, uint32_t slot,
                                    const struct value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_scalar(&values[i])) {
			return unknown();
		}
	}
	if (count == 0 || (count == 1 && is_nan(values))) {
		return never();
	}
	return one(collector, ATOM_EQUAL, slot, values, count);
}

static struct alternatives ordered(struct collector *collector, const struct node_test *test)
{
	static const enum expr_atom_op ops[] = {
	        [TEST_LESS] = ATOM_LESS,
	        [TEST_LESS_EQUAL] = ATOM_LESS_EQUAL,
	        [TEST_GREATER] = ATOM_GREATER,
	        [TEST_GREATER_EQUAL] = ATOM_GREATER_EQUAL,
	};
	const struct value *constant = &test->constant;
	if (constant->tag < VALUE_INT || constant->tag > VALUE_DOUBLE) {
		return unknown();
	}
	/* Beyond, `<` of an integer and a double rounds, and an index does not. */
	if (fabs(value_double(*constant)) >= integers_of_double) {
		return unknown();
	}
	return is_nan(constant) ? never()
	                        : one(collector, ops[test->node.op], test->node.slot, constant, 1);
}

/* Any text begins with nothing: then it must only be there. */
static struct alternatives begins_or_ends(struct collector *collector, enum expr_atom_op op,
                                          uint32_t slot, const struct value *text)
{
	return text->len != 0 ? one(collector, op, slot, text, 1)
	                      : one(collector, ATOM_HAS, slot, NULL, 0);
}

static struct alternatives matching(struct collector *collector, const struct node_test *test)
{
	const struct node_regex *regex = (const struct node_regex *)(const void *)test;
	if (regex->pattern != NULL) {
		return unknown();
	}
	struct span prefix = atom_prefix(collector->scratch, value_text(test->constant));
	struct value *text = block_take(collector->block, sizeof *text);
	*text = block_value(collector->block, value_string(prefix));
	return begins_or_ends(collector, ATOM_PREFIX, test->node.slot, text);
}

static struct alternatives of_test(struct collector *collector, struct node *node, bool negated)
{
	const struct node_test *test = (const struct node_test *)(void *)node;
	if (negated) {
		return node->op == TEST_NOT_EQUAL
		               ? equal_to(collector, node->slot, &test->constant, 1)
		               : unknown();
	}
	switch (node->op) {
	case TEST_EQUAL:
		return equal_to(collector, node->slot, &test->constant, 1);
	case TEST_IN:
		return equal_to(collector, node->slot, test->constant.as.list->items,
		                test->constant.as.list->count);
	case TEST_LESS:
	case TEST_LESS_EQUAL:
	case TEST_GREATER:
	case TEST_GREATER_EQUAL:
		return ordered(collector, test);
	case TEST_PREFIX:
		return begins_or_ends(collector, ATOM_PREFIX, node->slot, &test->constant);
	case TEST_SUFFIX:
		return begins_or_ends(collector, ATOM_SUFFIX, node->slot, &test->constant);
	case TEST_MATCHES:
		return matching(collector, test);
	case TEST_HAS:
		return one(collector, ATOM_HAS, node->slot, NULL, 0);
	default:
		return unknown();
	}
}

static struct alternatives of_slot(struct collector *collector, uint32_t slot, bool negated)
{
	if (!negated) {
		return one(collector, ATOM_TRUE, slot, NULL, 0);
	}
	struct value *no = block_take(collector->block, sizeof *no);
	*no = value_bool(false);
	return one(collector, ATOM_EQUAL, slot, no, 1);
}

/* ---- && and || ---- */

static struct alternative join(struct collector *collector, struct alternative a,
                               struct alternative b)
{
	for (; b.atoms != NULL && a.count < ATOMS_MAX; b.atoms = b.atoms->next) {
		struct link *link = ARENA_NEW(collector->scratch, struct link);
		*link = (struct link){b.atoms->atom, a.atoms};
		a.atoms = link;
		a.count++;
	}
	return a;
}

/* Both hold. When that would be too many alternatives, the second is forgotten. */
static void both(struct collector *collector, struct alternatives *a, const struct alternatives *b)
{
	struct alternatives result = {0};
	if (a->count * b->count > EXPR_ALTERNATIVES_MAX) {
		return;
	}
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			result.items[result.count++] = join(collector, a->items[i], b->items[j]);
		}
	}
	*a = result;
}

/* False: nothing is known of one of them, or they are too many. */
static bool either(struct alternatives *a, const struct alternatives *b)
{
	if (a->count + b->count > EXPR_ALTERNATIVES_MAX) {
		return false;
	}
	for (size_t i = 0; i < b->count; i++) {
		if (b->items[i].count == 0) {
			return false;
		}
		a->items[a->count++] = b->items[i];
	}
	return true;
}

static struct alternatives of(struct collector *collector, struct node *node, bool negated)
{
	struct node_list *list = (struct node_list *)(void *)node;
	struct alternatives result = unknown();
	bool is_and = (node->kind == NODE_AND) != negated;
	switch (node->kind) {
	case NODE_NOT:
		return of(collector, list->args[0], !negated);
	case NODE_TEST:
		return of_test(collector, node, negated);
	case NODE_SLOT:
		return of_slot(collector, node->slot, negated);
	case NODE_CONST: {
		struct value value = ((struct node_const *)(void *)node)->value;
		bool is_true = value.tag == VALUE_BOOL && value.as.b != negated;
		return value.tag != VALUE_BOOL || is_true ? unknown() : never();
	}
	case NODE_AND:
	case NODE_OR:
		result = is_and ? unknown() : never();
		for (uint32_t i = 0; i < node->slot; i++) {
			struct alternatives part = of(collector, list->args[i], negated);
			if (is_and) {
				both(collector, &result, &part);
			} else if (!either(&result, &part)) {
				return unknown();
			}
		}
		return result;
	default:
		return node->eval == eval_is_true && !negated ? of(collector, list->args[0], false)
		                                              : result;
	}
}

size_t atom_alternatives(struct block *block, struct arena *scratch, struct node *root,
                         struct expr_alternative **out)
{
	struct collector collector = {block, scratch};
	struct alternatives found = of(&collector, root, false);
	*out = NULL;
	if (found.count == 0 || (found.count == 1 && found.items[0].count == 0)) {
		return 0;
	}
	struct expr_alternative *alternatives =
	        block_take(block, found.count * sizeof *alternatives);
	for (size_t i = 0; i < found.count; i++) {
		size_t count = found.items[i].count;
		struct expr_atom *atoms = block_take(block, count * sizeof *atoms);
		const struct link *link = found.items[i].atoms;
		/* The last link is the first that was written. */
		for (size_t j = count; j > 0; j--, link = link->next) {
			atoms[j - 1] = link->atom;
		}
		alternatives[i] = (struct expr_alternative){atoms, count};
	}
	*out = alternatives;
	return found.count;
}
