/* This file lists segment files, looks up seqs in them and keeps their indexes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/segment_list.h"

#include "adapters/file.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POINT_EVERY = 64 << 10 };

void segment_list_name(uint64_t seq, uint64_t serial, char out[SEGMENT_NAME_LEN + 1])
{
	(void)snprintf(out, SEGMENT_NAME_LEN + 1, "%016" PRIx64 "-%016" PRIx64 ".seg", seq, serial);
}

static struct segment_file *last_of(struct segment_list *list)
{
	return &list->files[list->count - 1];
}

static void free_file(struct segment_file *file)
{
	mem_free(file->path);
	mem_free(file->points);
}

static void append(struct segment_list *list, const struct segment_header *header, char *path,
                   uint64_t end)
{
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->files = mem_grow(list->files, list->cap * sizeof *list->files);
	}
	list->files[list->count++] =
	        (struct segment_file){.header = *header, .path = path, .end = end};
}

static int read_file(struct segment_list *list, const char *dir, const char *name, struct err *err)
{
	char *path = file_path(dir, name);
	struct segment_header header;
	struct stat found;
	int status = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &found) != 0) {
		status = err_errno(err, errno, "cannot open %s", path);
		goto done;
	}
	status = segment_header_read(fd, path, &header, err);
	if (status != 0) {
		goto done;
	}
	char expected[SEGMENT_NAME_LEN + 1];
	segment_list_name(header.first_seq, header.first_serial, expected);
	const struct segment_file *before = list->count ? last_of(list) : NULL;
	if (strcmp(name, expected) != 0) {
		status = err_set(err, E_DAMAGED, "journal_damaged",
		                 "%s is the segment %s under another name; give it its name back",
		                 path, expected);
	} else if (before != NULL &&
	           (memcmp(before->header.log, header.log, sizeof header.log) != 0 ||
	            before->header.epoch > header.epoch ||
	            before->header.first_serial >= header.first_serial)) {
		status = err_set(err, E_DAMAGED, "journal_damaged",
		                 "%s does not belong to the journal of %s; restore the whole "
		                 "directory from one backup",
		                 path, before->path);
	} else {
		append(list, &header, path, (uint64_t)found.st_size);
		path = NULL;
	}
done:
	if (fd >= 0) {
		(void)close(fd);
	}
	mem_free(path);
	return status;
}

static int is_segment(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len == SEGMENT_NAME_LEN && strcmp(entry->d_name + len - 4, ".seg") == 0;
}

int segment_list_open(struct segment_list *list, const char *dir, struct err *err)
{
	*list = (struct segment_list){0};
	(void)pthread_mutex_init(&list->lock, NULL); /* cannot fail without attributes */
	struct dirent **names = NULL;
	int count = scandir(dir, &names, is_segment, alphasort);
	int status =
	        count < 0 && errno != ENOENT ? err_errno(err, errno, "cannot list %s", dir) : 0;
	for (int i = 0; i < count; i++) {
		if (status == 0) {
			status = read_file(list, dir, names[i]->d_name, err);
		}
		free(names[i]);
	}
	free(names);
	if (status != 0) {
		segment_list_close(list);
	}
	return status;
}

void segment_list_close(struct segment_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free_file(&list->files[i]);
	}
	mem_free(list->files);
	(void)pthread_mutex_destroy(&list->lock);
	*list = (struct segment_list){0};
}

void segment_list_add(struct segment_list *list, const struct segment_header *header, char *path,
                      uint64_t end)
{
	(void)pthread_mutex_lock(&list->lock);
	if (list->count != 0 && last_of(list)->header.first_serial == header->first_serial) {
		free_file(last_of(list));
		list->count--;
	}
	append(list, header, path, end);
	(void)pthread_mutex_unlock(&list->lock);
}

char *segment_list_drop_first(struct segment_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	PRE(list->count > 1);
	char *path = list->files[0].path;
	mem_free(list->files[0].points);
	list->count--;
	memmove(list->files, list->files + 1, list->count * sizeof *list->files);
	(void)pthread_mutex_unlock(&list->lock);
	return path;
}

static void add_point(struct segment_file *file, uint64_t seq, uint64_t at)
{
	size_t place = file->point_count;
	while (place > 0 && file->points[place - 1].at > at) {
		place--;
	}
	uint64_t before = place > 0 ? file->points[place - 1].at : sizeof(struct segment_header);
	if (at - before < POINT_EVERY ||
	    (place < file->point_count && file->points[place].at - at < POINT_EVERY)) {
		return;
	}
	if (file->point_count == file->point_cap) {
		file->point_cap = file->point_cap ? file->point_cap * 2 : 16;
		file->points = mem_grow(file->points, file->point_cap * sizeof *file->points);
	}
	memmove(file->points + place + 1, file->points + place,
	        (file->point_count - place) * sizeof *file->points);
	file->points[place] = (struct segment_point){seq, at};
	file->point_count++;
}

void segment_list_grow(struct segment_list *list, uint64_t first_seq, size_t entry_count,
                       uint64_t len)
{
	(void)pthread_mutex_lock(&list->lock);
	struct segment_file *file = last_of(list);
	add_point(file, first_seq, file->end);
	file->end += len;
	list->next_seq += entry_count;
	list->next_serial++;
	(void)pthread_mutex_unlock(&list->lock);
}

/* The last file for which `begins` is not above `number`; NULL when all are. */
static struct segment_file *search(struct segment_list *list, uint64_t number, bool by_serial)
{
	size_t low = 0;
	size_t high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct segment_header *header = &list->files[middle].header;
		if ((by_serial ? header->first_serial : header->first_seq) <= number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low == 0 ? NULL : &list->files[low - 1];
}

void segment_list_note(struct segment_list *list, uint64_t file_serial, uint64_t seq, uint64_t at)
{
	(void)pthread_mutex_lock(&list->lock);
	struct segment_file *file = search(list, file_serial, true);
	if (file != NULL && file->header.first_serial == file_serial) {
		add_point(file, seq, at);
	}
	(void)pthread_mutex_unlock(&list->lock);
}

uint64_t segment_list_first_seq(struct segment_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	uint64_t seq = list->files[0].header.first_seq;
	(void)pthread_mutex_unlock(&list->lock);
	return seq;
}

uint64_t segment_list_next_seq(struct segment_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	uint64_t seq = list->next_seq;
	(void)pthread_mutex_unlock(&list->lock);
	return seq;
}

uint64_t segment_list_next_serial(struct segment_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	uint64_t serial = list->next_serial;
	(void)pthread_mutex_unlock(&list->lock);
	return serial;
}

uint64_t segment_list_bytes(struct segment_list *list)
{
	uint64_t bytes = 0;
	(void)pthread_mutex_lock(&list->lock);
	for (size_t i = 0; i < list->count; i++) {
		bytes += list->files[i].end;
	}
	(void)pthread_mutex_unlock(&list->lock);
	return bytes;
}

static void describe(struct segment_list *list, const struct segment_file *file, uint64_t at,
                     struct segment_place *out)
{
	bool is_last = file == last_of(list);
	*out = (struct segment_place){
	        .path = mem_text(file->path),
	        .salt = file->header.salt,
	        .first_seq = file->header.first_seq,
	        .first_serial = file->header.first_serial,
	        .at = at,
	        .end = file->end,
	        .is_last = is_last,
	        .behind_seq = is_last ? list->next_seq : file[1].header.first_seq,
	        .behind_serial = is_last ? list->next_serial : file[1].header.first_serial,
	};
}

bool segment_list_find_seq(struct segment_list *list, uint64_t seq, struct segment_place *out)
{
	(void)pthread_mutex_lock(&list->lock);
	const struct segment_file *file = seq < list->next_seq ? search(list, seq, false) : NULL;
	if (file != NULL) {
		uint64_t at = sizeof file->header;
		for (size_t i = 0; i < file->point_count && file->points[i].seq <= seq; i++) {
			at = file->points[i].at;
		}
		describe(list, file, at, out);
	}
	(void)pthread_mutex_unlock(&list->lock);
	return file != NULL;
}

bool segment_list_find_serial(struct segment_list *list, uint64_t serial, struct segment_place *out)
{
	(void)pthread_mutex_lock(&list->lock);
	const struct segment_file *file =
	        serial < list->next_serial ? search(list, serial, true) : NULL;
	if (file != NULL) {
		describe(list, file, sizeof file->header, out);
	}
	(void)pthread_mutex_unlock(&list->lock);
	return file != NULL;
}
