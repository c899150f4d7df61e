/* This file keeps a number of changes in flight and measures them, whoever stores them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NS_PER_S 1000000000.0

static const int64_t WARM_NS = 300000000;
static const int64_t NS_PER_MS = 1000000;

/* ---- options ---- */

#define OPTION(name, member)                                                                       \
	{                                                                                          \
		name, offsetof(struct measure_options, member), true                               \
	}
#define FLAG(name, member)                                                                         \
	{                                                                                          \
		name, offsetof(struct measure_options, member), false                              \
	}

static const struct option_row {
	const char *name;
	size_t at;
	bool has_value; /* a number; otherwise it is 1 when it is there */
} option_rows[] = {
        OPTION("port", port),
        OPTION("in-flight", in_flight),
        OPTION("connections", connections),
        OPTION("keys", keys),
        OPTION("value", value_bytes),
        OPTION("train", train),
        OPTION("rate", rate),
        OPTION("milliseconds", milliseconds),
        OPTION("pid", pid),
        FLAG("deliver", deliver),
        FLAG("fill", fill),
        FLAG("serve", serve),
        FLAG("drain", drain),
        OPTION("expire", expire),
        FLAG("alarm", alarm),
        FLAG("probe", probe),
};

enum { OPTION_COUNT = sizeof option_rows / sizeof *option_rows };

static _Noreturn void usage(const char *program)
{
	fprintf(stderr, "usage: %s", program);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		fprintf(stderr, " [--%s%s]", option_rows[i].name,
		        option_rows[i].has_value ? " N" : "");
	}
	fprintf(stderr, "\n");
	exit(2);
}

void measure_options(struct measure_options *options, int argc, char **argv)
{
	struct option names[OPTION_COUNT + 1] = {0};
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		names[i].name = option_rows[i].name;
		names[i].has_arg = option_rows[i].has_value ? required_argument : no_argument;
	}
	*options = (struct measure_options){.in_flight = 1,
	                                    .connections = 1,
	                                    .keys = 100000,
	                                    .value_bytes = 200,
	                                    .train = 1,
	                                    .milliseconds = 3000};
	int found;
	for (int index; (found = getopt_long(argc, argv, "", names, &index)) == 0;) {
		uint32_t *to = (uint32_t *)(void *)((char *)options + option_rows[index].at);
		*to = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 1;
	}
	if (found != -1 || options->port == 0 || options->in_flight == 0 || options->keys == 0 ||
	    options->train == 0 || (options->deliver && options->train != 1)) {
		usage(argv[0]);
	}
}

/* ---- life ---- */

void measure_init(struct measure *measure, const struct measure_options *options)
{
	*measure = (struct measure){
	        .options = *options,
	        .slots = MEM_ARRAY(struct slot, options->in_flight),
	        .free_slots = MEM_ARRAY(uint32_t, options->in_flight),
	        .free_count = options->in_flight,
	        .random = 88172645463325252u,
	        .started_ns = sample_now_ns(),
	};
	measure->run = (uint32_t)(measure->started_ns / 1000);
	if (options->expire != 0) {
		measure->expires_at_ms = clock_wall_ms() + options->expire;
	}
	for (uint32_t i = 0; i < options->in_flight; i++) {
		measure->free_slots[i] = i;
	}
}

void measure_close(struct measure *measure)
{
	mem_free(measure->slots);
	mem_free(measure->free_slots);
	sample_close(&measure->acks);
	sample_close(&measure->invocations);
}

/* ---- the window ---- */

/* User and system time that the server has used so far, all its threads together. */
static double server_cpu_us(uint32_t pid)
{
	char path[64];
	unsigned long user = 0;
	unsigned long kernel = 0;
	(void)snprintf(path, sizeof path, "/proc/%u/stat", pid);
	FILE *file = pid ? fopen(path, "r") : NULL;
	if (file == NULL) {
		return 0;
	}
	int found = fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
	                   &user, &kernel);
	(void)fclose(file);
	double ticks = found == 2 ? (double)(user + kernel) : 0;
	return ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static void begin_window(struct measure *measure, int64_t now)
{
	measure->window_ns = now;
	measure->settled_before = measure->settled;
	measure->cpu_before_us = server_cpu_us(measure->options.pid);
}

static int64_t window_end_ns(const struct measure *measure)
{
	return measure->window_ns + (int64_t)measure->options.milliseconds * NS_PER_MS;
}

static bool all_is_sent(const struct measure *measure, int64_t now)
{
	if (measure->options.fill) {
		return measure->sent >= measure->options.keys;
	}
	return measure->window_ns != 0 && now >= window_end_ns(measure);
}

static int64_t due_ns(const struct measure *measure)
{
	return measure->started_ns +
	       (int64_t)((double)measure->sent / measure->options.rate * NS_PER_S);
}

bool measure_take(struct measure *measure, uint32_t *out_slot)
{
	int64_t now = sample_now_ns();
	bool warm = measure->options.fill || now >= measure->started_ns + WARM_NS;
	if (measure->window_ns == 0 && warm) {
		begin_window(measure, now);
	}
	if (measure->free_count == 0 || all_is_sent(measure, now) ||
	    (measure->options.rate != 0 && now < due_ns(measure))) {
		return false;
	}
	uint32_t index = measure->free_slots[--measure->free_count];
	struct slot *slot = &measure->slots[index];
	*slot = (struct slot){.generation = slot->generation + 1, .sent_ns = now};
	*out_slot = index;
	return true;
}

int64_t measure_wait_ns(const struct measure *measure)
{
	if (measure->options.rate == 0 || measure->free_count == 0) {
		return -1;
	}
	int64_t wait = due_ns(measure) - sample_now_ns();
	return wait > 0 ? wait : 0;
}

/* ---- keys and values ---- */

static uint64_t next_random(struct measure *measure)
{
	measure->random ^= measure->random << 13;
	measure->random ^= measure->random >> 7;
	measure->random ^= measure->random << 17;
	return measure->random;
}

/* A step that is prime, and larger than any number of keys, meets each of them once. */
static uint32_t next_key(struct measure *measure)
{
	const uint64_t prime = 4294967291u;
	if (measure->options.fill) {
		return (uint32_t)(measure->sent * prime % measure->options.keys);
	}
	return (uint32_t)(next_random(measure) % measure->options.keys);
}

void measure_write_key(struct measure *measure, struct buf *out)
{
	char text[24];
	int len = snprintf(text, sizeof text, "user-%08u", next_key(measure));
	buf_add(out, text, (size_t)len);
	measure->sent++;
}

void measure_write_value(const struct measure *measure, uint32_t slot, struct buf *out)
{
	size_t begin = out->len;
	buf_format(out, "{\"s\":%u,\"g\":%u,\"run\":%u,\"text\":\"", slot,
	           measure->slots[slot].generation, measure->run);
	size_t used = out->len - begin + 2;
	size_t fill = used < measure->options.value_bytes ? measure->options.value_bytes - used : 0;
	memset(buf_reserve(out, fill), 'x', fill);
	out->len += fill;
	BUF_LITERAL(out, "\"}");
}

static bool read_number(const char **at, const char *end, struct span before, uint32_t *out)
{
	if ((size_t)(end - *at) <= before.len || memcmp(*at, before.ptr, before.len) != 0) {
		return false;
	}
	uint32_t number = 0;
	const char *digit = *at + before.len;
	for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
		number = number * 10 + (uint32_t)(*digit - '0');
	}
	*at = digit;
	*out = number;
	return true;
}

bool measure_read_value(struct span text, uint32_t *out_slot, uint32_t *out_generation)
{
	const char *at = text.ptr;
	return read_number(&at, text.ptr + text.len, SPAN("{\"s\":"), out_slot) &&
	       read_number(&at, text.ptr + text.len, SPAN(",\"g\":"), out_generation);
}

/* ---- what comes back ---- */

static struct slot *find(struct measure *measure, uint32_t index, uint32_t generation)
{
	if (index >= measure->options.in_flight || measure->slots[index].generation != generation) {
		return NULL;
	}
	return &measure->slots[index];
}

static void settle(struct measure *measure, uint32_t index)
{
	const struct slot *slot = &measure->slots[index];
	if (!slot->acked || (measure->options.deliver && !slot->invoked)) {
		return;
	}
	measure->free_slots[measure->free_count++] = index;
	measure->settled += measure->options.train;
	bool within = measure->options.deliver || measure->options.fill ||
	              sample_now_ns() < window_end_ns(measure);
	if (measure->window_ns != 0 && within) {
		measure->settled_within = measure->settled - measure->settled_before;
	}
}

void measure_acked(struct measure *measure, uint32_t index, uint32_t generation)
{
	struct slot *slot = find(measure, index, generation);
	if (slot == NULL || slot->acked) {
		measure->repeated++;
		return;
	}
	slot->acked = true;
	if (measure->window_ns != 0) {
		sample_add(&measure->acks, sample_now_ns() - slot->sent_ns);
	}
	settle(measure, index);
}

void measure_invoked(struct measure *measure, uint32_t index, uint32_t generation)
{
	struct slot *slot = find(measure, index, generation);
	if (slot == NULL || slot->invoked) {
		measure->repeated++;
		return;
	}
	slot->invoked = true;
	measure->delivered++;
	if (measure->window_ns != 0) {
		sample_add(&measure->invocations, sample_now_ns() - slot->sent_ns);
	}
	settle(measure, index);
}

bool measure_is_drained(const struct measure *measure)
{
	return measure->free_count == measure->options.in_flight &&
	       all_is_sent(measure, sample_now_ns());
}

void measure_end(struct measure *measure)
{
	bool counts_drain = measure->options.deliver || measure->options.fill;
	measure->end_ns = counts_drain ? sample_now_ns() : window_end_ns(measure);
}

void measure_print(struct measure *measure)
{
	double count = (double)measure->settled_within;
	double all = (double)(measure->settled - measure->settled_before);
	double seconds = (double)(measure->end_ns - measure->window_ns) / NS_PER_S;
	double cpu_us = server_cpu_us(measure->options.pid) - measure->cpu_before_us;
	printf("{\"count\":%.0f,\"seconds\":%.3f,\"per_second\":%.1f,\"cpu_us\":%.2f,"
	       "\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f,\"invoked_p50_us\":%.1f,"
	       "\"invoked_p99_us\":%.1f,\"repeated\":%llu}\n",
	       count, seconds, count / seconds, all > 0 ? cpu_us / all : 0,
	       sample_us(&measure->acks, 50), sample_us(&measure->acks, 99),
	       sample_us(&measure->invocations, 50), sample_us(&measure->invocations, 99),
	       (unsigned long long)measure->repeated);
}
