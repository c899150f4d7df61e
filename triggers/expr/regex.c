/* This file keeps compiled patterns and runs them with pcre2 under limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "triggers/expr/regex.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "triggers/expr/regex_dialect.h"
#include <pcre2.h>
#include <stdint.h>

enum {
	MATCH_LIMIT = 100000,
	DEPTH_LIMIT = 10000,
	HEAP_LIMIT_KIB = 1024,
	JIT_AFTER = 8,
	JIT_STACK_FIRST = 32 << 10,
	JIT_STACK_MOST = 512 << 10,
	JIT_BYTES_MOST = 16 << 20,
	JIT_PROGRAM_MOST = 16 << 10, /* of pcre2's own code: longer ones would take long to compile
	                              */
	JIT_GROWTH = 16,             /* machine code per byte of that, at most, roughly */
};

struct regex {
	struct map_node by_pattern;
	struct span pattern; /* owned */
	pcre2_code *code;
	uint32_t users;
	uint32_t uses;
	size_t jit_bytes;
};

/* What all programs share; everything in it goes with the last of them. */
static struct machine {
	struct map programs;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* NULL until something is compiled for the machine */
	size_t jit_bytes;
} machine;

static void machine_open(void)
{
	if (machine.limits == NULL) {
		machine.match = pcre2_match_data_create(1, NULL);
		machine.limits = pcre2_match_context_create(NULL);
		PRE(machine.match != NULL && machine.limits != NULL);
		(void)pcre2_set_match_limit(machine.limits, MATCH_LIMIT);
		(void)pcre2_set_depth_limit(machine.limits, DEPTH_LIMIT);
		(void)pcre2_set_heap_limit(machine.limits, HEAP_LIMIT_KIB);
	}
}

static void machine_close(void)
{
	if (machine.programs.count == 0) {
		map_close(&machine.programs);
		pcre2_jit_stack_free(machine.stack);
		pcre2_match_context_free(machine.limits);
		pcre2_match_data_free(machine.match);
		machine = (struct machine){0};
	}
}

static bool has_pattern(const struct map_node *node, const void *key)
{
	const struct regex *regex = MEM_CONTAINER(node, struct regex, by_pattern);
	return span_equal(regex->pattern, *(const struct span *)key);
}

static int compile(struct span pattern, struct span translated, pcre2_code **out, struct err *err)
{
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX |
	                         PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PRE(context != NULL);
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	int code = 0;
	PCRE2_SIZE at = 0;
	*out = pcre2_compile((PCRE2_SPTR)translated.ptr, translated.len, options, &code, &at,
	                     context);
	pcre2_compile_context_free(context);
	if (*out == NULL) {
		PCRE2_UCHAR text[160];
		(void)pcre2_get_error_message(code, text, sizeof text);
		return err_set(err, E_INVALID, "invalid_regex", "near column %zu: %s",
		               regex_dialect_column(pattern, at), (const char *)text);
	}
	return 0;
}

static int build(struct span pattern, pcre2_code **out, struct err *err)
{
	struct buf translated = {0};
	int status = regex_dialect_translate(pattern, &translated, err);
	if (status == 0) {
		status = compile(pattern, buf_view(&translated), out, err);
	}
	buf_free(&translated);
	return status;
}

int regex_new(struct span pattern, struct regex **out, struct err *err)
{
	if (pattern.len > REGEX_PATTERN_MAX) {
		return err_set(err, E_LIMIT, "invalid_regex",
		               "the pattern has %zu bytes, %d are allowed; make it shorter",
		               pattern.len, REGEX_PATTERN_MAX);
	}
	if (!json_utf8_valid(pattern)) {
		return err_set(err, E_INVALID, "invalid_regex", "the pattern is not valid UTF-8");
	}
	uint64_t hash = hash_bytes(pattern, 0);
	struct map_node *node = map_get(&machine.programs, hash, &pattern, has_pattern);
	if (node != NULL) {
		*out = regex_take(MEM_CONTAINER(node, struct regex, by_pattern));
		return 0;
	}
	pcre2_code *code = NULL;
	int status = build(pattern, &code, err);
	if (status != 0) {
		return status;
	}
	machine_open();
	struct regex *regex = MEM_NEW(struct regex);
	regex->users = 1;
	regex->code = code;
	regex->pattern = mem_span(pattern);
	map_add(&machine.programs, &regex->by_pattern, hash);
	*out = regex;
	return 0;
}

struct regex *regex_take(struct regex *regex)
{
	regex->users++;
	return regex;
}

void regex_drop(struct regex *regex)
{
	if (regex != NULL && --regex->users == 0) {
		map_remove(&machine.programs, &regex->by_pattern);
		machine.jit_bytes -= regex->jit_bytes;
		pcre2_code_free(regex->code);
		mem_free((char *)regex->pattern.ptr);
		mem_free(regex);
		machine_close();
	}
}

/* Where the processor has no JIT, or memory may not be made executable, or too much of it is in use
 * already, the interpreter goes on. */
static void compile_for_machine(struct regex *regex)
{
	size_t bytes = 0;
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &bytes);
	bool fits = bytes <= JIT_PROGRAM_MOST &&
	            machine.jit_bytes + bytes * JIT_GROWTH <= JIT_BYTES_MOST;
	if (!fits || pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) != 0) {
		return;
	}
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &regex->jit_bytes);
	machine.jit_bytes += regex->jit_bytes;
	if (machine.stack == NULL) {
		machine.stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
		PRE(machine.stack != NULL);
		pcre2_jit_stack_assign(machine.limits, NULL, machine.stack);
	}
}

int regex_matches(struct regex *regex, struct span subject, bool *out, struct err *err)
{
	if (regex->uses < JIT_AFTER && ++regex->uses == JIT_AFTER) {
		compile_for_machine(regex);
	}
	const char *bytes = subject.ptr ? subject.ptr : "";
	int found = pcre2_match(regex->code, (PCRE2_SPTR)bytes, subject.len, 0, PCRE2_NO_UTF_CHECK,
	                        machine.match, machine.limits);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
		return err_set(err, E_LIMIT, "regex_limit",
		               "the pattern needs too much work on this text (pcre2 error %d); "
		               "make it less ambiguous",
		               found);
	}
	*out = found >= 0;
	return 0;
}
