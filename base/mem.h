/* This file gives out memory that is never NULL. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/span.h"
#include <stddef.h>

/* All of these abort with a sentence when the system has no memory left. A size that came from
 * outside is checked against a limit before it gets here. */
void *mem_new(size_t size);                    /* zeroed */
void *mem_raw(size_t size);                    /* not zeroed */
void *mem_grow(void *old, size_t size);        /* like realloc; the new part is not zeroed */
void mem_free(void *ptr);                      /* NULL is harmless */
char *mem_copy(const void *bytes, size_t len); /* with a NUL behind */
char *mem_text(const char *text);              /* copy of a string; NULL gives NULL */

#define MEM_NEW(type)          ((type *)mem_new(sizeof(type)))
#define MEM_ARRAY(type, count) ((type *)mem_new((count) * sizeof(type)))

/* A copy whose bytes are the caller's to mem_free((char *)copy.ptr). */
static inline struct span mem_span(struct span from)
{
	return (struct span){mem_copy(from.ptr, from.len), from.len};
}

/* For a daemon: large blocks go back to the system when they are freed, few arenas. Before threads.
 */
void mem_tune(void);

/* The struct of `type` in which `ptr` is the address of `member`. */
#define MEM_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
