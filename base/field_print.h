/* This file prints option tables: as an example file, as text for the manual, as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FIELD_PRINT_H
#define BASE_FIELD_PRINT_H

#include "base/buf.h"
#include "base/field_row.h"

/* Appends the table as YAML that says the defaults, every row under its sentence. A row without a
 * default is commented out. */
void field_print_yaml(const struct field *fields, int indent, struct buf *out);

/* Appends the table as text, a paragraph a row; `prefix` comes before every name ("log."). */
void field_print_text(const struct field *fields, const char *prefix, struct buf *out);

/* Appends a single value or a list as the file would say it; nothing for absent text. */
void field_print_value(const struct field *field, const void *slot, struct buf *out);

/* Appends the values of a struct as a JSON object: durations in ms, sizes in bytes, enums by their
 * word; absent text is left out, and so is what the table leaves to others. */
void field_write_json(const struct field *fields, const void *data, struct buf *out);

#endif
