/* This file opens the way to an OpenTelemetry collector, if the config names one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/telemetry.h"

#include "base/buf.h"
#include "engine/api/rest.h"
#include "engine/api/session.h"
#include "engine/core/dispatch.h"
#include "engine/work/otlp.h"
#include <string.h>

enum { MILLIONTHS = 1000 }; /* in a thousandth */

int telemetry_open(struct uv_loop_s *loop, struct core *core, const struct config *config,
                   struct err *err)
{
	const struct config_otlp *said = &config->telemetry.otlp;
	struct buf headers = {0};
	for (size_t i = 0; i < said->headers.count; i++) {
		const struct field_pair *pair = &said->headers.pairs[i];
		buf_format(&headers, "%s: %s", pair->name, pair->value);
		buf_byte(&headers, '\0');
	}
	bool is_named = strcmp(config->service.name, "default") != 0;
	const struct otlp_options options = {
	        .endpoint = said->endpoint,
	        .headers = buf_view(&headers),
	        .traces = said->traces,
	        .logs = said->logs,
	        .per_million = (uint32_t)said->sample_ratio * MILLIONTHS,
	        .timeout_ms = said->timeout,
	        .service = is_named ? config->service.name : "pawl",
	};
	int status = otlp_new(loop, core->alarms, &options, &core->otlp, err);
	buf_free(&headers);
	return status;
}

void telemetry_follow(const struct core *core, struct rest *rest, struct sessions *sessions)
{
	struct tracer *tracer = otlp_tracer(core->otlp);
	const struct session_telemetry telemetry = {tracer, otlp_take, core->otlp};
	dispatch_trace(core->dispatch, tracer);
	rest_trace(rest, tracer);
	sessions_tell(sessions, &telemetry);
}

void telemetry_close(struct core *core, void (*closed)(void *ctx), void *ctx)
{
	if (core->otlp != NULL) {
		otlp_free(core->otlp, closed, ctx);
	} else {
		closed(ctx);
	}
}
