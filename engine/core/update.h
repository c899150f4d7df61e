/* This file applies update operations to the text of a JSON value. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_UPDATE_H
#define ENGINE_CORE_UPDATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * DESIGN. An operation is a splice: the bytes that it does not touch stay as they were, numbers
 * included. Operations are applied in order, to `{}` when there is no value yet.
 *
 *   {type:"set", path, value}                   value absent = null; path "" = the whole value
 *   {type:"merge", path?, value}                shallow; whatever on the path is no object makes
 *                                               room for one
 *   {type:"increment"|"decrement", path, by}    a missing field counts as 0
 *   {type:"append", path?, value}               arrays and strings
 *   {type:"remove", path}                       path "" = the value becomes null
 *
 * A path is one name (dots are ordinary characters) or an array of names, at most 32 of at most 256
 * bytes; "" and [] are the whole value.
 *
 * An operation that has not the form above fails the whole request (E_INVALID "invalid_ops"). One
 * that has it and does not fit the value is reported: {op_index, code, message} with the codes of
 * the worker protocol ("increment.not_number") and ours: increment.overflow, decrement.overflow,
 * set.value.too_deep, append.value.too_deep.
 */
enum {
	UPDATE_OPS_MAX = 1000,        /* operations of one request */
	UPDATE_PATH_MAX = 32,         /* segments of a path */
	UPDATE_SEGMENT_MAX = 256,     /* bytes of a segment */
	UPDATE_VALUE_DEPTH_MAX = 400, /* of a value that is put below the first level */
	UPDATE_WORK_MAX = 256 << 20   /* bytes that one request may copy on the loop */
};

/*
 * `old_value` is a valid value or absent, `ops` a valid value. Replaces what is in both buffers.
 * *out_value is the new value, or empty: there was none and no operation was good. *out_errors is a
 * JSON array, or empty: no errors. With `atomic`, one error leaves *out_value as the old value.
 * E_INVALID "invalid_ops", E_LIMIT "too_many_ops": both buffers are empty then.
 */
int update_apply(struct span old_value, struct span ops, bool atomic, struct buf *out_value,
                 struct buf *out_errors, struct err *err);

#endif
