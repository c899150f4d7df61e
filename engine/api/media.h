/* This file reads what a message says its body is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_MEDIA_H
#define ENGINE_API_MEDIA_H

#include "base/span.h"
#include <stdbool.h>

/* "application/json; charset=utf-8" without what is behind; absent stays absent. */
struct span media_type(struct span content_type);
/* The type, without parameters, is application/json or ends in +json. */
bool media_is_json(struct span type);

#endif
