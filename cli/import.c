/* This file reads keys from a file of JSON lines, or from Redis, into an engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/redis_source.h"
#include "cli/upload.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, LINE_MAX_BYTES = 16 << 20, NOTE_MS = 1000 };

struct import {
	const struct invocation *invocation;
	struct upload *upload;
	struct progress progress;
	const char *scope; /* instead of what the lines say; NULL: as they say */
	FILE *file;
	char *note;      /* FILE.resume; NULL: the input cannot be read again */
	uint64_t offset; /* behind the last whole line that was read */
	uint64_t line;   /* its number */
	uint64_t noted;  /* offset that the note has */
	int64_t noted_ms;
};

/* ---- how far it has come ---- */

/* Everything up to the offset is on the engine's disk. */
static void note_place(struct import *import)
{
	struct buf text = {0};
	struct buf part = {0};
	if (import->note == NULL || import->offset == import->noted) {
		return;
	}
	buf_format(&part, "%s.part", import->note);
	buf_byte(&part, '\0');
	buf_format(&text, "{\"offset\":%llu,\"line\":%llu}\n", (unsigned long long)import->offset,
	           (unsigned long long)import->line);
	FILE *file = fopen(part.ptr, "we");
	bool is_good = file != NULL && fwrite(text.ptr, 1, text.len, file) == text.len;
	is_good = file != NULL && fclose(file) == 0 && is_good;
	if (is_good && rename(part.ptr, import->note) == 0) {
		import->noted = import->offset;
	} else {
		progress_clear(&import->progress);
		(void)fprintf(stderr,
		              "pawl import: %s: %s; --resume will not know of this import\n",
		              import->note, strerror(errno));
		mem_free(import->note);
		import->note = NULL;
	}
	import->noted_ms = clock_mono_ms();
	buf_free(&text);
	buf_free(&part);
}

/* Goes to where an earlier import of the file ended. */
static int resume(struct import *import)
{
	struct buf text = {0};
	struct span value;
	struct span number;
	struct err err;
	int status = files_read_json(import->note, &text, &value, &err);
	if (status == E_NOT_FOUND) {
		buf_free(&text);
		return EXIT_DONE; /* nothing is left over: from the beginning */
	}
	bool is_good = status == 0 && json_kind(value) == JSON_OBJECT &&
	               json_get(value, SPAN("offset"), &number) &&
	               json_uint64(number, &import->offset) &&
	               json_get(value, SPAN("line"), &number) && json_uint64(number, &import->line);
	is_good = is_good && import->offset > 0 &&
	          fseeko(import->file, (off_t)import->offset - 1, SEEK_SET) == 0 &&
	          fgetc(import->file) == '\n';
	buf_free(&text);
	if (!is_good) {
		(void)fprintf(stderr,
		              "pawl import: %s does not fit the file; remove it to begin anew\n",
		              import->note);
		return EXIT_FAILED;
	}
	import->noted = import->offset;
	return EXIT_DONE;
}

/* ---- lines ---- */

static int take_line(struct import *import, struct span line, struct buf *scratch)
{
	static const struct span names[] = {
	        {"scope", 5}, {"key", 3}, {"value", 5}, {"expires_at", 10}, {"encoding", 8}};
	struct span found[5];
	struct err err;
	if (json_check_object(line, names, 5, found, &err) != 0) {
		upload_refuse(import->upload, "line", import->line, err.text);
		return EXIT_DONE;
	}
	bool has_scope = import->scope != NULL ||
	                 (found[0].ptr != NULL && json_kind(found[0]) == JSON_STRING);
	if (!has_scope || found[1].ptr == NULL || json_kind(found[1]) != JSON_STRING ||
	    found[2].ptr == NULL) {
		upload_refuse(import->upload, "line", import->line,
		              "it needs \"scope\" and \"key\", which are texts, and \"value\"");
		return EXIT_DONE;
	}
	buf_clear(scratch);
	if (import->scope == NULL) {
		json_string(found[0], scratch);
	}
	size_t scope_len = scratch->len;
	json_string(found[1], scratch);
	struct upload_entry entry = {
	        .from = "line",
	        .line = import->line,
	        .scope =
	                import->scope ? span_of(import->scope) : span_make(scratch->ptr, scope_len),
	        .key = span_make(scratch->ptr + scope_len, scratch->len - scope_len),
	        .value = found[2],
	        .encoding = json_is_null(found[4]) ? SPAN_NONE : found[4],
	        .expires_at = json_is_null(found[3]) ? SPAN_NONE : found[3],
	};
	return upload_add(import->upload, &entry);
}

static bool is_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] != ' ' && line.ptr[i] != '\t' && line.ptr[i] != '\r') {
			return false;
		}
	}
	return true;
}

/* The line is one more that was read: `len` bytes with its end. */
static int take(struct import *import, struct span line, size_t len, struct buf *scratch)
{
	import->line++;
	int code = is_blank(line) ? EXIT_DONE : take_line(import, line, scratch);
	if (code != EXIT_DONE) {
		return code;
	}
	import->offset += len;
	if (clock_mono_ms() - import->noted_ms >= NOTE_MS) {
		code = upload_flush(import->upload);
		if (code == EXIT_DONE) {
			note_place(import);
		}
	}
	if (import->line % UPLOAD_BATCH_MAX == 0) {
		progress_tell(&import->progress, import->offset,
		              upload_sum(import->upload).written);
	}
	return code;
}

/* Takes the whole lines of the buffer, at its end also one that is not ended. */
static int take_lines(struct import *import, struct buf *input, bool at_end, struct buf *scratch)
{
	size_t at = 0;
	int code = EXIT_DONE;
	while (code == EXIT_DONE && at < input->len) {
		const char *begin = input->ptr + at;
		const char *end = memchr(begin, '\n', input->len - at);
		if (end == NULL && !at_end) {
			break;
		}
		size_t len = end != NULL ? (size_t)(end - begin) : input->len - at;
		size_t used = len + (end != NULL);
		code = take(import, span_make(begin, len), used, scratch);
		at += used;
	}
	buf_remove_front(input, at);
	return code;
}

static int read_file(struct import *import)
{
	struct buf input = {0};
	struct buf scratch = {0};
	int code = EXIT_DONE;
	bool at_end = false;
	while (code == EXIT_DONE && !at_end) {
		size_t got = fread(buf_reserve(&input, CHUNK), 1, CHUNK, import->file);
		input.len += got;
		at_end = got == 0;
		if (ferror(import->file)) {
			(void)fprintf(stderr, "pawl import: %s\n", strerror(errno));
			code = EXIT_FAILED;
		} else {
			code = take_lines(import, &input, at_end, &scratch);
		}
		if (code == EXIT_DONE && input.len > LINE_MAX_BYTES) {
			upload_refuse(import->upload, "line", import->line + 1,
			              "it is longer than 16 MiB; the import ends here");
			code = EXIT_FAILED;
		}
	}
	if (code == EXIT_DONE) {
		code = upload_flush(import->upload);
	}
	buf_free(&input);
	buf_free(&scratch);
	return code;
}

/* ---- the whole ---- */

/* What became of the keys, as the last line. */
static void sum_up(const struct import *import, bool quiet)
{
	struct upload_sum sum = upload_sum(import->upload);
	if (import->invocation->json) {
		printf("{\"written\":%llu,\"there\":%llu,\"expired\":%llu,\"failed\":%llu}\n",
		       (unsigned long long)sum.written, (unsigned long long)sum.there,
		       (unsigned long long)sum.expired, (unsigned long long)sum.failed);
	} else if (!quiet && sum.there + sum.expired + sum.failed != 0) {
		(void)fprintf(stderr, "%llu were there, %llu had expired, %llu failed\n",
		              (unsigned long long)sum.there, (unsigned long long)sum.expired,
		              (unsigned long long)sum.failed);
	}
}

static int finish(struct import *import, int code, bool quiet)
{
	if (import->note != NULL && code == EXIT_DONE) {
		(void)unlink(import->note);
	} else if (import->note != NULL && import->noted != 0) {
		progress_clear(&import->progress);
		(void)fprintf(stderr, "what is written so far is kept; go on with --resume\n");
	}
	if (code == EXIT_DONE || upload_sum(import->upload).written != 0) {
		progress_end(&import->progress, upload_sum(import->upload).written, "written");
	}
	sum_up(import, quiet);
	return code == EXIT_DONE && upload_sum(import->upload).failed != 0 ? EXIT_FAILED : code;
}

static int open_file(struct import *import, const char *path)
{
	struct stat about;
	bool is_input = strcmp(path, "-") == 0;
	bool wants_resume = command_option(import->invocation, "resume") != NULL;
	import->file = is_input ? stdin : fopen(path, "re");
	if (import->file == NULL) {
		(void)fprintf(stderr, "pawl import: %s: %s\n", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (fstat(fileno(import->file), &about) == 0 && S_ISREG(about.st_mode)) {
		import->progress.total = (uint64_t)about.st_size;
	}
	if (!is_input && import->progress.total != 0) {
		struct buf note = {0};
		buf_format(&note, "%s.resume", path);
		import->note = mem_copy(note.ptr, note.len);
		buf_free(&note);
	} else if (wants_resume) {
		return command_wrong(import->invocation,
		                     "--resume needs a file that can be read "
		                     "from its middle, not",
		                     path);
	}
	return wants_resume ? resume(import) : EXIT_DONE;
}

static int import_file(struct import *import, const char *path)
{
	int code = open_file(import, path);
	if (code == EXIT_DONE) {
		code = read_file(import);
	}
	if (import->file != NULL && import->file != stdin) {
		(void)fclose(import->file);
	}
	return code;
}

static int read_options(const struct invocation *invocation, struct upload_options *out)
{
	const char *batch = command_option(invocation, "batch");
	const char *present = command_option(invocation, "if");
	bool has_file = invocation->args[0] != NULL;
	bool has_redis = command_option(invocation, "from-redis") != NULL;
	if (has_file == has_redis) {
		return command_wrong(invocation,
		                     "name a FILE (- is the standard input), or "
		                     "--from-redis URL",
		                     NULL);
	}
	out->only_absent = present != NULL && strcmp(present, "absent") == 0;
	out->batch = UPLOAD_BATCH_MAX;
	if (batch != NULL) {
		char *end;
		unsigned long number = strtoul(batch, &end, 10);
		if (*batch == '\0' || *end != '\0' || number < 1 || number > UPLOAD_BATCH_MAX) {
			return command_wrong(invocation, "--batch is 1 to 128, not", batch);
		}
		out->batch = (unsigned)number;
	}
	return EXIT_DONE;
}

int import_run(const struct invocation *invocation)
{
	struct import import = {.invocation = invocation,
	                        .scope = command_option(invocation, "scope")};
	struct upload_options options = {.progress = &import.progress};
	bool quiet = command_option(invocation, "quiet") != NULL;
	int code = read_options(invocation, &options);
	if (code == EXIT_DONE) {
		code = upload_open(invocation, &options, &import.upload);
	}
	if (code != EXIT_DONE) {
		return code;
	}
	progress_begin(&import.progress, "keys", 0, quiet);
	import.noted_ms = import.progress.began_ms;
	code = command_option(invocation, "from-redis") != NULL
	               ? redis_source_read(invocation, import.upload, &import.progress)
	               : import_file(&import, invocation->args[0]);
	code = code == EXIT_USAGE ? code : finish(&import, code, quiet);
	upload_close(import.upload);
	mem_free(import.note);
	return code;
}
