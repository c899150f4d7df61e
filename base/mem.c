/* This file asks for memory and ends the program, with a sentence, when there is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *ptr, size_t size)
{
	if (ptr == NULL) {
		(void)fprintf(stderr, "pawl: out of memory (asked for %zu bytes)\n", size);
		abort();
	}
	return ptr;
}

void *mem_raw(size_t size)
{
	return need(malloc(size ? size : 1), size);
}

/* glibc's calloc passes by the thread's own list of small free blocks, malloc does not. */
void *mem_new(size_t size)
{
	enum { SMALL = 1024 };
	return size <= SMALL ? memset(mem_raw(size), 0, size) : need(calloc(1, size), size);
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

void mem_tune(void)
{
	enum { LARGE = 512 * 1024, KEPT = 2 * 1024 * 1024, ARENAS = 2 };
	/* Without these glibc raises its limits with every large block that comes back, and a burst
	 * of writes would stay in the daemon's memory for ever. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT);
	(void)mallopt(M_ARENA_MAX, ARENAS);
}
