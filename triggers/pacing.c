/* This file reads what a trigger says of `throttle`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/pacing.h"

#include "base/json.h"
#include "base/mem.h"
#include <stddef.h>

#define DAY (INT64_C(24) * 60 * 60 * 1000)

enum { RATE_MAX = 10000 };

const struct field throttle_fields[] = {
        {.name = "rate",
         .kind = FIELD_INT,
         .offset = offsetof(struct pacing_text, rate),
         .min = 1,
         .max = RATE_MAX,
         .help = "At most so many calls of the handler begin in a time of the length of per, "
                 "evenly spread; the others wait."},
        {.name = "per",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct pacing_text, per_ms),
         .min = 1,
         .max = 30 * DAY,
         .help = "The length of that time."},
        {.name = "per_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct pacing_text, per_ms),
         .min = 1,
         .max = 30 * DAY,
         .unit = "ms",
         .help = "The same as per, in milliseconds."},
        {.name = "key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct pacing_text, key),
         .min = 1,
         .max = FIELD_TEXT_MAX,
         .help = "An expression (CEL) over the event: the rate is that of each of its values, not "
                 "of the trigger as a whole."},
        {.name = NULL},
};

int pacing_new(struct condition_env *env, struct span config, const struct pacing_text *text,
               const char *code, struct condition_fault *where, struct pacing **out,
               struct err *err)
{
	struct span section;
	if (!json_get(config, SPAN("throttle"), &section) || json_is_null(section)) {
		*out = NULL;
		return 0;
	}
	if (text->rate == 0 || text->per_ms == 0) {
		return err_set(err, E_INVALID, code,
		               "'throttle' needs a rate and a per, such as rate: 10, per: 1s");
	}
	struct pacing *pacing = MEM_NEW(struct pacing);
	pacing->interval_us = (text->per_ms * 1000 + text->rate - 1) / text->rate;
	if (text->key != NULL &&
	    grouping_new(env, "throttle.key", span_of(text->key), &pacing->key, where, err) != 0) {
		pacing_free(pacing);
		return err->number;
	}
	*out = pacing;
	return 0;
}

void pacing_free(struct pacing *pacing)
{
	if (pacing != NULL) {
		grouping_free(pacing->key);
		mem_free(pacing);
	}
}
