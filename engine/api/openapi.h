/* This file describes the table of routes to machines: the OpenAPI document. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_OPENAPI_H
#define ENGINE_API_OPENAPI_H

#include "base/buf.h"

/* OpenAPI 3.1, composed of the routes (route.h) and the schemas of what their functions take and
 * answer (openapi_schema.h). */
void openapi_write(struct buf *out);

#endif
