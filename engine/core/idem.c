/* This file keeps the answers of requests by their idempotency keys, and lets them expire. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/idem.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/durable/alarm.h"
#include "engine/durable/space.h"

enum {
	IDEM_FORMAT = 1,
	SWEEP_MOST = 256,      /* records at a time */
	SWEEP_AGAIN_MS = 100,  /* when there are more */
	SWEEP_LEAST_MS = 60000 /* between two sweeps that find all there is */
};

struct idem {
	struct store *store;
	struct alarms *alarms;
	int64_t ttl_ms;
	struct alarm alarm;  /* set while there may be records */
	struct sweep *sweep; /* NULL: none is on its way */
};

/* What has expired is found, then looked at again, then deleted. */
struct sweep {
	struct idem *idem; /* NULL once it was freed */
	struct store_scan scan;
	struct store_fetch fetch;
	int64_t now_ms;
	int64_t next_ms; /* when the first of the others expires; 0 = there is none */
	size_t count;
	struct buf keys; /* rows of the times: one behind the other */
	size_t ends[SWEEP_MOST];
};

/* ---- names ---- */

static bool is_good(struct span key)
{
	for (size_t i = 0; i < key.len; i++) {
		unsigned char byte = (unsigned char)key.ptr[i];
		if (byte < 0x20 || byte == 0x7f) {
			return false;
		}
	}
	return key.len >= 1 && key.len <= IDEM_KEY_MAX;
}

int idem_name_request(struct idem_name *name, struct span key, struct span function,
                      struct span data, struct err *err)
{
	struct buf text = {0};
	struct sha256 sha;
	json_string(key, &text);
	bool good = is_good(buf_view(&text));
	if (good) {
		name->len = text.len;
		memcpy(name->key, text.ptr, text.len);
		buf_clear(&text);
		json_canonical(data, &text);
		sha256_init(&sha);
		sha256_add(&sha, function.ptr, function.len);
		sha256_add(&sha, "", 1);
		sha256_add(&sha, text.ptr, text.len);
		sha256_end(&sha, name->print);
	}
	buf_free(&text);
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_idempotency_key",
	                      "an idempotency key is a text of 1 to %d bytes without control "
	                      "characters",
	                      IDEM_KEY_MAX);
}

/* Begins with a byte that the key of a request may not have. */
void idem_name_thing(struct idem_name *name, struct span source, struct span id)
{
	struct sha256 sha;
	*name = (struct idem_name){.len = 1 + SHA256_LEN, .key = "\x01"};
	sha256_init(&sha);
	sha256_add(&sha, source.ptr, source.len);
	sha256_add(&sha, "", 1);
	sha256_add(&sha, id.ptr, id.len);
	sha256_end(&sha, (uint8_t *)name->key + 1);
}

static struct span key_of(const struct idem_name *name)
{
	return span_make(name->key, name->len);
}

struct record_key idem_record(const struct idem_name *name)
{
	return space_idem(key_of(name));
}

/* ---- records ---- */

struct idem_value {
	int64_t expires_ms;
	struct span print;
	struct span answer;
};

/* One that cannot be read is as good as none: the request is done again. */
static bool decode(struct span value, struct idem_value *out)
{
	struct space_reader reader;
	struct err err;
	if (space_reader_init(&reader, value, IDEM_FORMAT, "answer", &err) != 0) {
		return false;
	}
	out->expires_ms = (int64_t)space_get_u64(&reader);
	out->print = space_get_span(&reader);
	out->answer = space_get_span(&reader);
	return space_reader_end(&reader, "answer", &err) == 0;
}

static bool find(struct idem *idem, const struct idem_name *name, struct idem_value *out,
                 uint64_t *out_group)
{
	struct store_look look;
	enum store_state state = store_look(idem->store, idem_record(name), &look);
	PRE(state != STORE_UNKNOWN);
	*out_group = look.group;
	return state == STORE_FOUND && decode(look.record.value, out);
}

enum idem_state idem_look(struct idem *idem, const struct idem_name *name, struct idem_found *out)
{
	struct idem_value value;
	if (!find(idem, name, &value, &out->group) ||
	    value.expires_ms <= store_time_ms(idem->store)) {
		return IDEM_NEW;
	}
	if (!span_equal(value.print, span_make((const char *)name->print, SHA256_LEN))) {
		return IDEM_OTHER;
	}
	out->answer = value.answer;
	return IDEM_SAME;
}

int idem_refuse(const struct idem_name *name, struct err *err)
{
	return err_set(err, E_CONFLICT, "idempotency_conflict",
	               "another request has used the idempotency key \"%.*s\" before; use a new "
	               "one for each request, and the old one only to repeat it as it was",
	               (int)(name->len < 100 ? name->len : 100), name->key);
}

void idem_put(struct idem *idem, const struct idem_name *name, struct span answer)
{
	struct space_key room;
	struct idem_value old;
	uint64_t group;
	struct buf value = {0};
	int64_t expires_ms = store_time_ms(idem->store) + idem->ttl_ms;
	if (find(idem, name, &old, &group)) {
		store_delete(idem->store,
		             space_idem_time(&room, (uint64_t)old.expires_ms, key_of(name)), 0);
	}
	space_put_u8(&value, IDEM_FORMAT);
	space_put_u64(&value, (uint64_t)expires_ms);
	space_put_span(&value, span_make((const char *)name->print, SHA256_LEN));
	space_put_span(&value, answer);
	struct record record = {.value = buf_view(&value)};
	store_put(idem->store, idem_record(name), &record);
	static const char format = IDEM_FORMAT;
	struct record time = {.value = span_make(&format, 1)};
	store_put(idem->store, space_idem_time(&room, (uint64_t)expires_ms, key_of(name)), &time);
	buf_free(&value);
	if (idem->sweep == NULL && !alarm_is_set(&idem->alarm)) {
		alarm_set_real(idem->alarms, &idem->alarm, idem->ttl_ms + SWEEP_LEAST_MS);
	}
}

/* ---- sweeping ---- */

static void sweep_ends(struct sweep *sweep, int64_t wait_ms)
{
	struct idem *idem = sweep->idem;
	if (idem != NULL) {
		idem->sweep = NULL;
		if (wait_ms >= 0) {
			alarm_set_real(idem->alarms, &idem->alarm, wait_ms);
		}
	}
	buf_free(&sweep->keys);
	mem_free(sweep);
}

static struct span time_row(const struct sweep *sweep, size_t index)
{
	size_t from = index != 0 ? sweep->ends[index - 1] : 0;
	return span_make(sweep->keys.ptr + from, sweep->ends[index] - from);
}

static struct idem_name name_of(struct span row)
{
	struct idem_name name = {0};
	struct span key = SPAN_NONE;
	uint64_t time;
	if (space_parse_idem_time(row, &time, &key, NULL) == 0 && key.len <= IDEM_KEY_MAX) {
		name.len = key.len;
		memcpy(name.key, key.ptr, key.len);
	}
	return name;
}

/* A key that was used again meanwhile has another time. */
static void delete_expired(struct idem *idem, struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		struct span row = time_row(sweep, i);
		struct idem_name name = name_of(row);
		struct idem_value value;
		uint64_t group;
		if (find(idem, &name, &value, &group) && value.expires_ms <= sweep->now_ms) {
			store_delete(idem->store, idem_record(&name), 0);
		}
		store_delete(idem->store, space_idem_row(row), 0);
	}
	store_commit_lazy(idem->store);
}

static void were_fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	struct sweep *sweep = MEM_CONTAINER(fetch, struct sweep, fetch);
	(void)err;
	if (sweep->idem == NULL || status != 0 || !store_can_put(sweep->idem->store)) {
		sweep_ends(sweep, SWEEP_LEAST_MS);
		return;
	}
	delete_expired(sweep->idem, sweep);
	sweep_ends(sweep, SWEEP_AGAIN_MS);
}

static bool take_row(void *ctx, struct span key, const struct record *record)
{
	(void)record;
	struct sweep *sweep = ctx;
	struct span name;
	uint64_t time;
	if (sweep->count == SWEEP_MOST || space_parse_idem_time(key, &time, &name, NULL) != 0) {
		return false;
	}
	if ((int64_t)time > sweep->now_ms) {
		sweep->next_ms = (int64_t)time;
		return false;
	}
	buf_span(&sweep->keys, key);
	sweep->ends[sweep->count++] = sweep->keys.len;
	return true;
}

static void were_found(struct store_scan *scan, int status, bool more, uint64_t group,
                       const struct err *err)
{
	(void)more;
	(void)group;
	struct sweep *sweep = MEM_CONTAINER(scan, struct sweep, scan);
	if (sweep->idem == NULL || status != 0) {
		if (sweep->idem != NULL) {
			log_warn("idem", "expired answers stay for now: %s", err->text);
		}
		sweep_ends(sweep, SWEEP_LEAST_MS);
		return;
	}
	if (sweep->count == 0) {
		int64_t wait_ms = sweep->next_ms - sweep->now_ms;
		sweep_ends(sweep, sweep->next_ms == 0        ? -1
		                  : wait_ms > SWEEP_LEAST_MS ? wait_ms
		                                             : SWEEP_LEAST_MS);
		return;
	}
	struct idem_name *names = MEM_ARRAY(struct idem_name, sweep->count);
	struct record_key *keys = MEM_ARRAY(struct record_key, sweep->count);
	for (size_t i = 0; i < sweep->count; i++) {
		names[i] = name_of(time_row(sweep, i));
		keys[i] = idem_record(&names[i]);
	}
	store_fetch_start(sweep->idem->store, &sweep->fetch, keys, sweep->count);
	mem_free(keys);
	mem_free(names);
}

static void sweep_is_due(struct alarm *alarm)
{
	struct idem *idem = MEM_CONTAINER(alarm, struct idem, alarm);
	struct sweep *sweep = MEM_NEW(struct sweep);
	sweep->idem = idem;
	sweep->now_ms = store_time_ms(idem->store);
	sweep->scan = (struct store_scan){
	        .range = space_idem_times(), .row = take_row, .ctx = sweep, .done = were_found};
	sweep->fetch.done = were_fetched;
	idem->sweep = sweep;
	store_scan_start(idem->store, &sweep->scan);
}

/* ---- life ---- */

struct idem *idem_new(struct store *store, struct alarms *alarms, int64_t ttl_ms)
{
	struct idem *idem = MEM_NEW(struct idem);
	idem->store = store;
	idem->alarms = alarms;
	idem->ttl_ms = ttl_ms;
	idem->alarm.fn = sweep_is_due;
	alarm_set_real(alarms, &idem->alarm, SWEEP_LEAST_MS); /* is there anything? */
	return idem;
}

void idem_configure(struct idem *idem, int64_t ttl_ms)
{
	idem->ttl_ms = ttl_ms;
}

void idem_free(struct idem *idem)
{
	if (idem != NULL) {
		alarm_clear(idem->alarms, &idem->alarm);
		if (idem->sweep != NULL) {
			idem->sweep->idem = NULL;
		}
		mem_free(idem);
	}
}
