/* This file says what this process takes of the machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/usage.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void read_memory(struct usage *out)
{
	char text[128];
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL) {
		return;
	}
	if (fgets(text, sizeof text, file) != NULL) {
		char *rest;
		uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
		out->virtual_bytes = strtoull(text, &rest, 10) * page;
		out->resident_bytes = strtoull(rest, NULL, 10) * page;
	}
	(void)fclose(file);
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;
	if (dir == NULL) {
		return 0;
	}
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		count += entry->d_name[0] != '.';
	}
	(void)closedir(dir);
	return count > 0 ? count - 1 : 0; /* without the one that looks */
}

static uint64_t us_of(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

void usage_read(struct usage *out)
{
	struct rusage used;
	struct rlimit limit;
	*out = (struct usage){.open_fds = count_fds()};
	read_memory(out);
	if (getrusage(RUSAGE_SELF, &used) == 0) {
		out->cpu_us = us_of(used.ru_utime) + us_of(used.ru_stime);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		out->max_fds = limit.rlim_cur;
	}
}
