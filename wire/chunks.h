/* This file takes the chunked transfer coding apart, strictly. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CHUNKS_H
#define WIRE_CHUNKS_H

#include "base/span.h"
#include <stdint.h>

/* All zero is before the first chunk. */
struct chunks {
	uint8_t state;
	uint8_t digits;    /* of the size that is being read */
	uint32_t overhead; /* bytes of extensions and trailers, which are dropped */
	uint64_t left;     /* of the chunk's data */
};

enum chunks_step {
	CHUNKS_MORE,  /* everything was taken */
	CHUNKS_PIECE, /* *out_piece is data, borrowed from the bytes */
	CHUNKS_DONE,  /* the body has ended; what follows is not its own */
	CHUNKS_BAD    /* not the coding, or more than 16 KiB of extensions and trailers */
};

/* Debian's http-parser is built without its strict checks and takes any two bytes for the end of a
 * chunk's data: that is why this is not left to it. */
enum chunks_step chunks_feed(struct chunks *chunks, struct span bytes, size_t *out_used,
                             struct span *out_piece);

#endif
