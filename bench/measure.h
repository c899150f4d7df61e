/* This file keeps a number of changes in flight and measures them, whoever stores them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "base/buf.h"
#include "base/span.h"
#include "bench/sample.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A slot is one change in flight: taken when it is sent, free again when it has been
 * acknowledged and, with --deliver, has also reached the worker and been answered. The slot and its
 * generation travel in the value, so that whoever sees the value knows whose change it is; what
 * comes for a slot of another generation is a repetition and is only counted.
 *
 * The first changes warm up. The window then runs from measure_begin, by itself after warm_ms, to
 * measure_end, which the owner calls when nothing is in flight and the other end has confirmed that
 * nothing waits: the drain at the end is inside the measured time of a run that delivers. Without
 * delivery the window is `milliseconds` long, and what is acknowledged later is not counted.
 */
struct measure_options {
	uint32_t port;
	uint32_t in_flight; /* changes, or trains of them */
	uint32_t connections;
	uint32_t keys;
	uint32_t value_bytes;
	uint32_t train; /* changes that one acknowledgement stands for; 1: each has its own */
	uint32_t rate;  /* changes a second; 0: as fast as they are acknowledged */
	uint32_t milliseconds;
	uint32_t pid;     /* of the server whose processor time is read; 0: none */
	uint32_t deliver; /* a worker is woken by every change */
	uint32_t fill;    /* every key once, in no order, instead of random keys for a time */
	uint32_t serve;   /* with deliver: the triggers that wake the worker are there already */
	uint32_t drain;   /* only be the worker, until `keys` deliveries that were owed are done */
	uint32_t expire;  /* everything that is written expires this many ms after the start; 0: not
	                   */
	uint32_t alarm; /* instead of a change an alarm is set, due within the second behind that */
	uint32_t probe; /* only wait for the first answer and print the time of it */
};

struct slot {
	uint32_t generation;
	bool acked;
	bool invoked;
	int64_t sent_ns;
};

struct measure {
	struct measure_options options;
	struct slot *slots;
	uint32_t *free_slots;
	uint32_t free_count;
	uint64_t random;
	uint32_t run;  /* in every value: what a run before this one wrote is never written again */
	uint64_t sent; /* changes, trains counted by car */
	uint64_t settled;
	uint64_t delivered;
	uint64_t repeated;
	int64_t started_ns;
	int64_t expires_at_ms; /* wall clock; 0 = never */
	int64_t window_ns;     /* 0 while it warms up */
	int64_t end_ns;
	uint64_t settled_before;
	uint64_t settled_within;
	double cpu_before_us;
	struct sample acks;
	struct sample invocations;
};

/* Reads the command line; ends the program with the usage on a mistake. */
void measure_options(struct measure_options *options, int argc, char **argv);

void measure_init(struct measure *measure, const struct measure_options *options);
void measure_close(struct measure *measure);

/* True and a slot when a change is due now. */
bool measure_take(struct measure *measure, uint32_t *out_slot);
/* How long until measure_take may say yes without an answer before; -1: not until an answer. */
int64_t measure_wait_ns(const struct measure *measure);
void measure_write_key(struct measure *measure, struct buf *out);
void measure_write_value(const struct measure *measure, uint32_t slot, struct buf *out);
/* Finds slot and generation in a text that begins with such a value. */
bool measure_read_value(struct span text, uint32_t *out_slot, uint32_t *out_generation);

void measure_acked(struct measure *measure, uint32_t slot, uint32_t generation);
void measure_invoked(struct measure *measure, uint32_t slot, uint32_t generation);

bool measure_is_drained(const struct measure *measure); /* all was sent, nothing is in flight */
void measure_end(struct measure *measure);
void measure_print(struct measure *measure); /* one line of JSON on standard output */

#endif
