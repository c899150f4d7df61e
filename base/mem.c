/* This file asks for memory and ends the program, with a sentence, when there is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void *need(void *ptr, size_t size)
{
	if (ptr == NULL) {
		(void)fprintf(stderr, "pawl: out of memory (asked for %zu bytes)\n", size);
		abort();
	}
	return ptr;
}

void *mem_new(size_t size)
{
	return need(calloc(1, size ? size : 1), size);
}

void *mem_raw(size_t size)
{
	return need(malloc(size ? size : 1), size);
}

void *mem_grow(void *old, size_t size)
{
	return need(realloc(old, size ? size : 1), size);
}

void mem_free(void *ptr)
{
	free(ptr);
}

char *mem_copy(const void *bytes, size_t len)
{
	char *copy = mem_raw(len + 1);
	if (len != 0) {
		memcpy(copy, bytes, len);
	}
	copy[len] = '\0';
	return copy;
}

char *mem_text(const char *text)
{
	return text ? mem_copy(text, strlen(text)) : NULL;
}
