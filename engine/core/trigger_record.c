/* This file writes and reads the records of triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/trigger_record.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/durable/space.h"

enum { TRIGGER_FORMAT = 1 };

void trigger_record_encode(const struct binding *binding, struct buf *out)
{
	buf_byte(out, TRIGGER_FORMAT);
	buf_byte(out, '{');
	json_write_member_string(out, "id", binding->id);
	json_write_member_uint(out, "version", binding->version);
	json_write_member_uint(out, "origin", binding->origin);
	json_write_member_uint(out, "from_seq", binding->from_seq);
	json_write_member_uint(out, "until_seq", binding->until_seq);
	json_write_member_string(out, "type", binding->type);
	json_write_member_string(out, "namespace", binding->namespace_);
	json_write_member_string(out, "function_id", binding->function_id);
	json_write_member_raw(out, "config", binding->config);
	if (binding->metadata.len != 0) {
		json_write_member_raw(out, "metadata", binding->metadata);
	}
	if (binding->pause.is_on || binding->pause.drop_from != 0) {
		json_write_name(out, "pause");
		pause_encode(&binding->pause, out);
	}
	buf_byte(out, '}');
}

int trigger_record_decode(struct span value, struct trigger_record *out, struct buf *scratch,
                          struct err *err)
{
	enum {
		ID,
		VERSION,
		ORIGIN,
		FROM,
		UNTIL,
		TYPE,
		NAMESPACE,
		FUNCTION,
		CONFIG,
		METADATA,
		PAUSE,
		COUNT
	};
	static const struct span names[COUNT] = {
	        {"id", 2},        {"version", 7},  {"origin", 6},    {"from_seq", 8},
	        {"until_seq", 9}, {"type", 4},     {"namespace", 9}, {"function_id", 11},
	        {"config", 6},    {"metadata", 8}, {"pause", 5}};
	struct span found[COUNT];
	struct span json;
	int status = space_json(value, TRIGGER_FORMAT, "a trigger's record", "trigger_format",
	                        &json, err);
	if (status != 0) {
		return status;
	}
	if (json_check_object(json, names, COUNT, found, err) != 0) {
		return err_wrap(err, "a trigger's record is damaged");
	}
	uint64_t version = 0;
	uint64_t origin = 0;
	/* No text is longer than the record: the buffer does not move between them. */
	(void)buf_reserve(scratch, value.len);
	struct trigger_record record = {
	        .id = json_copy_text(found[ID], scratch),
	        .type = json_copy_text(found[TYPE], scratch),
	        .namespace_ = json_copy_text(found[NAMESPACE], scratch),
	        .function_id = json_copy_text(found[FUNCTION], scratch),
	        .config = found[CONFIG],
	        .metadata = found[METADATA],
	};
	bool good = record.id.len != 0 && record.type.len != 0 && record.config.len != 0 &&
	            json_uint64(found[VERSION], &version) && json_uint64(found[ORIGIN], &origin) &&
	            json_uint64(found[FROM], &record.from_seq) &&
	            json_uint64(found[UNTIL], &record.until_seq) &&
	            pause_decode(found[PAUSE], &record.pause);
	if (!good) {
		return err_set(err, E_DAMAGED, "trigger_damaged",
		               "a trigger's record lacks a member, or one of them is damaged");
	}
	record.version = (uint32_t)version;
	record.origin = (enum binding_origin)origin;
	*out = record;
	return 0;
}

void trigger_record_free(struct binding *binding)
{
	const struct span *texts[] = {&binding->id,          &binding->type,   &binding->namespace_,
	                              &binding->function_id, &binding->config, &binding->metadata};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		mem_free((char *)texts[i]->ptr);
	}
	filter_free(binding->filter);
	mem_free(binding);
}
