/* This file defines an intrusive doubly linked list. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/mem.h"
#include <stdbool.h>

/* The head is a link as well; an empty list points to itself. A link that is on no list points to
 * itself too, so that removing it twice is harmless. */
struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert(struct list *link, struct list *before)
{
	link->prev = before->prev;
	link->next = before;
	before->prev->next = link;
	before->prev = link;
}

static inline void list_push(struct list *list, struct list *link)
{
	list_insert(link, list);
}

static inline void list_push_front(struct list *list, struct list *link)
{
	list_insert(link, list->next);
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves everything on `from` to the end of `to`. */
static inline void list_move(struct list *from, struct list *to)
{
	if (!list_is_empty(from)) {
		from->next->prev = to->prev;
		to->prev->next = from->next;
		from->prev->next = to;
		to->prev = from->prev;
		list_init(from);
	}
}

#define LIST_FIRST(list, type, member)                                                             \
	(list_is_empty(list) ? NULL : MEM_CONTAINER((list)->next, type, member))

/* The loop body may remove `link`, nothing else. */
#define LIST_EACH(head, link)                                                                      \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);          \
	     link = link##_next, link##_next = link->next)

#endif
