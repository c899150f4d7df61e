/* This file makes certificates for tests, with the openssl program. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CERTIFICATES_H
#define TESTS_UNIT_CERTIFICATES_H

#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>

/* A directory of their own; openssl's answer is looked at by the caller's assertions. */
struct certificates {
	char dir[64];
};

static inline void certificates_open(struct certificates *certificates)
{
	(void)snprintf(certificates->dir, sizeof certificates->dir, "/tmp/pawl-certs-XXXXXX");
	if (mkdtemp(certificates->dir) == NULL) {
		abort();
	}
}

static inline int certificates_shell(const struct certificates *certificates, const char *line)
{
	struct buf command = {0};
	buf_format(&command, "cd %s && { %s ; } >/dev/null 2>&1", certificates->dir, line);
	buf_byte(&command, '\0');
	int code = system(command.ptr); /* NOLINT(cert-env33-c): the line is a test's own */
	buf_free(&command);
	return code;
}

/* NAME.crt and NAME.key: signed by itself, for localhost and 127.0.0.1. */
static inline int certificates_make(const struct certificates *certificates, const char *name)
{
	char line[512];
	(void)snprintf(line, sizeof line,
	               "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	               "-keyout %s.key -out %s.crt -days 30 -subj /CN=%s "
	               "-addext subjectAltName=DNS:localhost,IP:127.0.0.1",
	               name, name, name);
	return certificates_shell(certificates, line);
}

/* The path of a file in it, until the next but three. */
static inline const char *certificates_path(const struct certificates *certificates,
                                            const char *file)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof paths[0], "%s/%s", certificates->dir, file);
	return path;
}

static inline void certificates_close(const struct certificates *certificates)
{
	(void)certificates_shell(certificates, "rm -f *.crt *.key *.pem");
	(void)remove(certificates->dir);
}

#endif
