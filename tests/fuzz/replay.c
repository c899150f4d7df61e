/* This file runs a fuzz target over every file of a corpus folder, so that old findings stay fixed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	static uint8_t bytes[4 << 20];
	size_t len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	/* A heap copy of the exact size, so that a sanitizer sees every byte read past its end. */
	uint8_t *exact = malloc(len ? len : 1);
	if (exact == NULL) {
		return 1;
	}
	for (size_t i = 0; i < len; i++) {
		exact[i] = bytes[i];
	}
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (dir == NULL) {
		fprintf(stderr, "usage: %s CORPUS-DIR (a folder that exists)\n", argv[0]);
		return 2;
	}
	size_t count = 0;
	int failed = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.') {
			failed |= replay(argv[1], entry->d_name);
			count++;
		}
	}
	(void)closedir(dir);
	printf("%zu inputs replayed\n", count);
	return failed || count == 0;
}
