/* This file keeps the list of a journal's segment files, which writer and reader share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SEGMENT_LIST_H
#define ADAPTERS_SEGMENT_LIST_H

#include "adapters/segment_frame.h"
#include "base/err.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. The list holds its lock for a look-up or a change of a few words, never over a system
 * call. Only the writer's thread adds, drops and grows files. Each file has a sparse index from seq
 * to offset: the writer notes a point every 64 KiB as it goes, and whoever walks a file that has
 * none notes them on the way.
 */
struct segment_point {
	uint64_t seq;
	uint64_t at;
};

struct segment_file {
	struct segment_header header;
	uint64_t end; /* where the frames end; the file's size while nobody has looked */
	char *path;
	struct segment_point *points; /* in order */
	size_t point_count, point_cap;
};

struct segment_list {
	pthread_mutex_t lock;
	struct segment_file *files; /* in order; never empty once the journal is open */
	size_t count, cap;
	uint64_t next_seq;
	uint64_t next_serial;
};

/* A file of the list as it was at the moment of the look-up. */
struct segment_place {
	char *path; /* the caller's, to be freed with mem_free */
	uint64_t salt;
	uint64_t first_seq;
	uint64_t first_serial;
	uint64_t at;  /* where to begin to walk */
	uint64_t end; /* where to stop */
	bool is_last;
	uint64_t behind_seq;    /* what must come behind the file: the next one's first seq... */
	uint64_t behind_serial; /* ...and serial */
};

/* Reads names and headers of all segments in `dir` and checks that they are one journal. A
 * directory that is empty or missing is an empty list. E_IO, E_DAMAGED, E_VERSION. */
int segment_list_open(struct segment_list *list, const char *dir, struct err *err);
void segment_list_close(struct segment_list *list);

/* The name of a segment's file: "<first seq>-<first serial>.seg", hexadecimal. */
enum { SEGMENT_NAME_LEN = 16 + 1 + 16 + 4 };
void segment_list_name(uint64_t seq, uint64_t serial, char out[SEGMENT_NAME_LEN + 1]);

/* Takes over `path`. A file of the same name that holds nothing is replaced. */
void segment_list_add(struct segment_list *list, const struct segment_header *header, char *path,
                      uint64_t end);
/* The path of the dropped file, for the caller to unlink and free. */
char *segment_list_drop_first(struct segment_list *list);
/* A batch was written at the end of the last file. */
void segment_list_grow(struct segment_list *list, uint64_t first_seq, size_t entry_count,
                       uint64_t len);
/* A walk over the file that begins with the batch `file_serial` met a frame; remembered if it is
 * far enough from those that are known. */
void segment_list_note(struct segment_list *list, uint64_t file_serial, uint64_t seq, uint64_t at);

uint64_t segment_list_first_seq(struct segment_list *list);
uint64_t segment_list_next_seq(struct segment_list *list);
uint64_t segment_list_next_serial(struct segment_list *list);
uint64_t segment_list_bytes(struct segment_list *list);

/* The file that holds the entry, and a point at or before it; false if it is in none. */
bool segment_list_find_seq(struct segment_list *list, uint64_t seq, struct segment_place *out);
/* The file that holds the batch. */
bool segment_list_find_serial(struct segment_list *list, uint64_t serial,
                              struct segment_place *out);

#endif
