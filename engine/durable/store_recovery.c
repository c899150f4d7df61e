/* This file asks a freshly opened adapter for its head, its unapplied batches and new entries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_recovery.h"

#include "base/mem.h"

static struct store_group *new_group(void)
{
	struct store_group *group = MEM_NEW(struct store_group);
	list_init(&group->link);
	list_init(&group->waiters);
	group->refs = 1;
	return group;
}

static int keep_batch(void *ctx, const struct batch *batch, struct err *err)
{
	(void)err;
	struct store_recovery *recovery = ctx;
	struct store_group *group = new_group();
	struct batch *copy = &group->batch;
	(void)buf_reserve(&copy->bytes, batch->bytes.len + 1); /* never without an address */
	buf_span(&copy->bytes, buf_view(&batch->bytes));
	copy->entries = mem_raw(batch->entry_count * sizeof *copy->entries);
	copy->entry_count = copy->entry_cap = batch->entry_count;
	if (batch->entry_count != 0) {
		memcpy(copy->entries, batch->entries, batch->entry_count * sizeof *copy->entries);
	}
	copy->ops = mem_raw(batch->op_count * sizeof *copy->ops);
	copy->op_count = copy->op_cap = batch->op_count;
	if (batch->op_count != 0) {
		memcpy(copy->ops, batch->ops, batch->op_count * sizeof *copy->ops);
	}
	list_push(&recovery->replayed, &group->link);
	return 0;
}

static bool keep_untold(void *ctx, uint64_t seq, struct span bytes)
{
	struct store_recovery *recovery = ctx;
	if (recovery->untold == NULL) {
		recovery->untold = new_group();
	}
	struct batch *batch = &recovery->untold->batch;
	uint32_t began_at = batch_entry_begin(batch);
	buf_span(&batch->bytes, bytes);
	batch_entry_end(batch, began_at, seq);
	return true;
}

static bool keep_time(void *ctx, uint64_t seq, struct span bytes)
{
	(void)seq;
	struct store_recovery *recovery = ctx;
	recovery->last_time_ms = recovery->time_of_entry(bytes);
	return true;
}

static int check(const struct store_recovery *recovery, struct err *err)
{
	const struct adapter_type *type = recovery->adapter->type;
	if (type->head == NULL || type->write == NULL || type->read == NULL || type->trim == NULL ||
	    (type->apply != NULL) != (type->applied != NULL) ||
	    (type->apply != NULL) != (type->replay != NULL)) {
		return err_set(err, E_UNSUPPORTED, "adapter_incomplete",
		               "the adapter %s keeps no journal", type->name);
	}
	return 0;
}

static int read_journal(struct store_recovery *recovery, struct err *err)
{
	struct adapter *adapter = recovery->adapter;
	const struct adapter_type *type = adapter->type;
	int status = type->head(adapter, &recovery->head, err);
	if (status != 0) {
		return status;
	}
	const struct adapter_head *head = &recovery->head;
	uint64_t known = recovery->known_seq;
	if (known != UINT64_MAX && head->next_seq <= known) {
		return err_set(err, E_DAMAGED, "journal_went_back",
		               "the journal ends before entry %llu, which was durable",
		               (unsigned long long)known);
	}
	if (known != UINT64_MAX && head->next_seq > known + 1) {
		status = type->read(adapter, known + 1, keep_untold, recovery, err);
	}
	if (status == 0 && recovery->time_of_entry != NULL && head->next_seq > head->first_seq) {
		status = type->read(adapter, head->next_seq - 1, keep_time, recovery, err);
	}
	if (status == 0) {
		uint64_t first = 0;
		status =
		        type->trim(adapter, head->first_seq, &first, &recovery->journal_bytes, err);
	}
	return status;
}

static int read_view(struct store_recovery *recovery, struct err *err)
{
	struct adapter *adapter = recovery->adapter;
	const struct adapter_type *type = adapter->type;
	if (type->apply == NULL) {
		return 0;
	}
	int status = type->applied(adapter, &recovery->applied, err);
	return status == 0 ? type->replay(adapter, keep_batch, recovery, err) : status;
}

void store_recovery_forget(struct store_recovery *recovery)
{
	LIST_EACH(&recovery->replayed, link)
	{
		struct store_group *group = MEM_CONTAINER(link, struct store_group, link);
		batch_close(&group->batch);
		mem_free(group);
	}
	list_init(&recovery->replayed);
	if (recovery->untold != NULL) {
		batch_close(&recovery->untold->batch);
		mem_free(recovery->untold);
		recovery->untold = NULL;
	}
	if (recovery->adapter != NULL) {
		recovery->adapter->type->close(recovery->adapter);
		recovery->adapter = NULL;
	}
}

void store_recovery_run(struct store_recovery *recovery)
{
	struct err *err = &recovery->err;
	*err = (struct err){0};
	recovery->untold = NULL;
	recovery->applied = 0;
	recovery->journal_bytes = 0;
	recovery->last_time_ms = 0;
	list_init(&recovery->replayed);
	if (recovery->adapter != NULL) {
		recovery->adapter->type->close(recovery->adapter);
		recovery->adapter = NULL;
	}
	struct adapter *adapter = NULL;
	int status = recovery->type->open(&recovery->how, &adapter, err);
	if (status == 0) {
		recovery->adapter = adapter;
		status = check(recovery, err);
	}
	if (status == 0) {
		status = read_journal(recovery, err);
	}
	if (status == 0) {
		status = read_view(recovery, err);
	}
	if (status != 0) {
		store_recovery_forget(recovery);
	}
	recovery->status = status;
}
