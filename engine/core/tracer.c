/* This file makes spans: what the engine does, as parts of the traces of those who ask for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/tracer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/mem.h"
#include <string.h>

struct tracer {
	uint32_t per_million;
	tracer_take_fn *take;
	void *ctx;
	uint64_t random; /* state of a generator: ids are to be distinct, not secret */
};

struct tracer *tracer_new(uint32_t per_million, tracer_take_fn *take, void *ctx)
{
	struct tracer *tracer = MEM_NEW(struct tracer);
	tracer->per_million = per_million;
	tracer->take = take;
	tracer->ctx = ctx;
	id_random(&tracer->random, sizeof tracer->random);
	return tracer;
}

void tracer_free(struct tracer *tracer)
{
	mem_free(tracer);
}

/* splitmix64 (Steele, Lea, Flood 2014); never 0. */
static uint64_t next_random(struct tracer *tracer)
{
	tracer->random += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = tracer->random;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return z != 0 ? z : 1;
}

static void begin_trace(struct tracer *tracer, struct span seed, struct traceparent *out)
{
	uint64_t words[2] = {next_random(tracer), next_random(tracer)};
	if (seed.len != 0) {
		words[0] = hash_stable(seed, 1);
		words[1] = hash_stable(seed, 2) | 1;
	}
	memcpy(out->trace, words, sizeof words);
	out->is_sampled = words[1] / 2 % 1000000 < tracer->per_million;
}

void tracer_begin(struct tracer *tracer, struct span parent, struct span seed,
                  struct tracer_span *out)
{
	struct traceparent came;
	out->has_parent = traceparent_read(parent, &came);
	if (out->has_parent) {
		memcpy(out->parent, came.span, sizeof came.span);
		out->at = came;
	} else {
		begin_trace(tracer, seed, &out->at);
	}
	if (out->at.is_sampled || !out->has_parent) {
		uint64_t id = next_random(tracer);
		memcpy(out->at.span, &id, sizeof id);
	}
	out->started_us = clock_mono_us();
	traceparent_write(&out->at, out->text);
}

void tracer_end(struct tracer *tracer, struct tracer_span *span, const struct tracer_end *end)
{
	if (span->text[0] != '\0' && span->at.is_sampled) {
		tracer->take(tracer->ctx, span, end);
	}
	span->text[0] = '\0';
}
