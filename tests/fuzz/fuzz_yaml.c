/* This file feeds any bytes to the YAML reader and walks what comes out of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/yaml.h"
#include "base/yaml_json.h"
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml *yaml = NULL;
	struct err err = {0};
	if (yaml_parse(span_make((const char *)data, size), "fuzz", &yaml, &err) != 0) {
		PRE(err.number != 0 && err.code != NULL && err.text[0] != 0);
		return 0;
	}
	struct report report = {0};
	struct buf json = {0};
	yaml_expand(yaml, &report);
	yaml_to_json(yaml_root(yaml), &json, &report);
	POST(json_check(buf_view(&json), NULL, &err) == 0);
	buf_free(&json);
	report_close(&report);
	yaml_close(yaml);
	return 0;
}
