/* This file says what the functions behind the routes take and answer, as JSON Schemas. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_OPENAPI_SCHEMA_H
#define ENGINE_API_OPENAPI_SCHEMA_H

#include "base/buf.h"

/* The name of the schema of what a function takes as its body, or answers; NULL: any JSON. */
const char *openapi_schema_of_body(const char *function);
const char *openapi_schema_of_result(const char *function);
/* All of them: the members of an object, a schema each. */
void openapi_schemas_write(struct buf *out);

#endif
