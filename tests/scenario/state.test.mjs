// State: every function and every update operation, through the SDK.
import assert from 'node:assert/strict';
import { rejects, sdk, startDaemon, test } from './lib.mjs';

// One daemon for the file would be quicker; one each keeps tests apart.
async function client(t, config) {
  const daemon = await startDaemon(t, config);
  const worker = sdk(t, daemon);
  const call = (name) => (data) => worker.call(`state::${name}`, data);
  return { daemon, worker, set: call('set'), get: call('get'), del: call('delete'),
    update: call('update'), list: call('list'), groups: call('list_groups'),
    getMany: call('get_many'), transact: call('transact'), clear: call('clear') };
}

const kinds = (events) => events.map((one) => `${one.event_type} ${one.key}`);

test('set answers old and new value and makes one event each', async (t) => {
  const { daemon, set } = await client(t);
  const first = await set({ scope: 'users', key: 'ada', value: { name: 'Ada' } });
  assert.equal(first.old_value, null);
  assert.deepEqual(first.new_value, { name: 'Ada' });
  const second = await set({ scope: 'users', key: 'ada', value: 7 });
  assert.deepEqual(second.old_value, { name: 'Ada' });
  assert.equal(second.new_value, 7);
  assert.notEqual(second.rev, first.rev);
  const events = await daemon.events();
  assert.deepEqual(kinds(events), ['state:created ada', 'state:updated ada']);
  assert.deepEqual(events.map((one) => one.rev), [first.rev, second.rev]);
  assert.deepEqual([events[1].old_value, events[1].new_value], [{ name: 'Ada' }, 7]);
});

test('data is an alias of value, null is a value, and none is refused', async (t) => {
  const { set, get } = await client(t);
  await set({ scope: 'a', key: 'k', data: [1] });
  assert.deepEqual(await get({ scope: 'a', key: 'k' }), [1]);
  await set({ scope: 'a', key: 'k', value: null });
  assert.equal(await get({ scope: 'a', key: 'k' }), null);
  await rejects(set({ scope: 'a', key: 'k' }), 'value_required');
});

test('get of a missing key resolves with undefined', async (t) => {
  const { get, del } = await client(t);
  assert.equal(await get({ scope: 'a', key: 'none' }), undefined);
  assert.equal(await del({ scope: 'a', key: 'none' }), undefined);
});

test('delete answers the value that was there and makes one event', async (t) => {
  const { daemon, set, get, del } = await client(t);
  await set({ scope: 'a', key: 'k', value: 1 });
  assert.equal(await del({ scope: 'a', key: 'k' }), 1);
  assert.equal(await get({ scope: 'a', key: 'k' }), undefined);
  assert.equal(await del({ scope: 'a', key: 'k' }), undefined);
  assert.deepEqual(kinds(await daemon.events()), ['state:created k', 'state:deleted k']);
});

test('a write that changes nothing makes no event and keeps the rev', async (t) => {
  const { daemon, set } = await client(t);
  const first = await set({ scope: 'a', key: 'k', value: { n: 1 } });
  const again = await set({ scope: 'a', key: 'k', value: { n: 1 } });
  assert.equal(again.rev, first.rev);
  assert.equal((await daemon.events()).length, 1);
  await set({ scope: 'a', key: 'k', value: { n: 1 }, event_on_noop: true });
  assert.equal((await daemon.events()).length, 2);
});

test('values are kept byte for byte: big integers, order, zero bytes, escapes', async (t) => {
  const { daemon } = await client(t);
  const text = '{"z":12345678901234567890,"a":1.50,"n":-0,"s":"\\u0000\\ud83d\\ude00/","e":1e400}';
  const put = await daemon.http('PUT', '/v1/state/raw/k', text);
  assert.equal(put.status, 200);
  assert.equal((await daemon.http('GET', '/v1/state/raw/k')).text, text);
  await daemon.restart();
  assert.equal((await daemon.http('GET', '/v1/state/raw/k')).text, text);
});

test('scopes and keys may hold slashes, spaces and any character', async (t) => {
  const { daemon, set, get, groups } = await client(t);
  const scope = 'team/\u00e4 \ud83d\ude00';
  const key = 'a/b?c=%2F#"\\';
  await set({ scope, key, value: 1 });
  assert.equal(await get({ scope, key }), 1);
  assert.deepEqual(await groups(), { groups: [scope] });
  const where = `/v1/state/${encodeURIComponent(scope)}/${encodeURIComponent(key)}`;
  assert.equal((await daemon.http('GET', where)).json, 1);
});

test('names are judged: empty, too long, U+0000', async (t) => {
  const { set } = await client(t);
  await rejects(set({ scope: '', key: 'k', value: 1 }), 'invalid_key');
  await rejects(set({ scope: 's', key: '', value: 1 }), 'invalid_key');
  await rejects(set({ scope: 'x'.repeat(513), key: 'k', value: 1 }), 'invalid_key');
  await rejects(set({ scope: 's', key: 'x'.repeat(1025), value: 1 }), 'invalid_key');
  await rejects(set({ scope: 's', key: 'a\u0000b', value: 1 }), 'invalid_key');
  await rejects(set({ scope: 5, key: 'k', value: 1 }), 'invalid_argument');
  await rejects(set({ key: 'k', value: 1 }), 'argument_required');
  await rejects(set(null), 'invalid_data');
});

test('a value over the limit is refused, one below it is kept', async (t) => {
  const { set, get } = await client(t, { limits: { max_value: '64k' } });
  await rejects(set({ scope: 's', key: 'k', value: 'x'.repeat(65536) }), 'value_too_large');
  const big = 'x'.repeat(65000);
  await set({ scope: 's', key: 'k', value: big });
  assert.equal(await get({ scope: 's', key: 'k' }), big);
});

test('if_rev: compare and set, for create, update and delete', async (t) => {
  const { set, del, update } = await client(t);
  const at = { scope: 'a', key: 'k' };
  const first = await set({ ...at, value: 1, if_rev: '0' });
  const error = await rejects(set({ ...at, value: 2, if_rev: '0' }), 'rev_conflict');
  assert.ok(error.message.includes(`"${first.rev}"`), 'the message names the rev that is there');
  const second = await set({ ...at, value: 2, if_rev: first.rev });
  await rejects(set({ ...at, value: 3, if_rev: first.rev }), 'rev_conflict');
  await rejects(update({ ...at, ops: [], if_rev: first.rev }), 'rev_conflict');
  await rejects(del({ ...at, if_rev: first.rev }), 'rev_conflict');
  assert.equal(await del({ ...at, if_rev: second.rev }), 2);
});

test('of many writers that compare and set, each step is won by one', async (t) => {
  const { set, daemon } = await client(t);
  const at = { scope: 'a', key: 'counter' };
  let { rev } = await set({ ...at, value: 0 });
  for (let round = 1; round <= 5; round++) {
    const all = await Promise.allSettled(Array.from({ length: 10 }, (_, i) =>
      set({ ...at, value: round * 100 + i, if_rev: rev })));
    const won = all.filter((one) => one.status === 'fulfilled');
    assert.equal(won.length, 1);
    ({ rev } = won[0].value);
  }
  assert.equal((await daemon.events()).length, 6);
});

test('update applies the ops in order and creates what is missing', async (t) => {
  const { update, get } = await client(t);
  const at = { scope: 'a', key: 'k' };
  const result = await update({ ...at, ops: [
    { type: 'set', path: 'name', value: 'Ada' },
    { type: 'set', path: 'a.b', value: 1 },
    { type: 'increment', path: 'count', by: 5 },
    { type: 'decrement', path: 'count', by: 2 },
    { type: 'append', path: 'tags', value: 'x' },
    { type: 'append', path: 'list', value: 1 },
    { type: 'append', path: 'list', value: [2] },
    { type: 'merge', path: ['deep', 'er'], value: { a: 1 } },
    { type: 'merge', value: { top: true } },
    { type: 'remove', path: 'a.b' },
    { type: 'remove', path: 'never was' },
  ] });
  assert.equal(result.old_value, null);
  assert.equal(result.errors, undefined);
  assert.deepEqual(result.new_value, { name: 'Ada', count: 3, tags: 'x', list: [1, [2]],
    deep: { er: { a: 1 } }, top: true });
  assert.deepEqual(await get(at), result.new_value);
});

test('update with an empty path replaces, nulls, and appends to the whole value', async (t) => {
  const { update } = await client(t);
  const at = { scope: 'a', key: 'k' };
  const apply = async (...ops) => (await update({ ...at, ops })).new_value;
  assert.deepEqual(await apply({ type: 'set', path: '', value: [1] }), [1]);
  assert.deepEqual(await apply({ type: 'append', path: '', value: 2 }), [1, 2]);
  assert.equal(await apply({ type: 'set', path: '', value: 'ab' }), 'ab');
  assert.equal(await apply({ type: 'append', path: '', value: 'c' }), 'abc');
  assert.equal(await apply({ type: 'remove', path: '' }), null);
});

test('increment keeps the kind of number and its 64 bits', async (t) => {
  const { daemon, update } = await client(t);
  const text = async () => (await daemon.http('GET', '/v1/state/a/k')).text;
  const add = (by) => update({ scope: 'a', key: 'k', ops: [{ type: 'increment', path: 'n', by }] });
  await daemon.http('PUT', '/v1/state/a/k', '{"n":9223372036854775800}');
  await add(7);
  assert.equal(await text(), '{"n":9223372036854775807}');
  const over = await add(1);
  assert.equal(over.errors[0].code, 'increment.overflow');
  assert.equal(await text(), '{"n":9223372036854775807}');
  await daemon.http('PUT', '/v1/state/a/k', '{"n":1.5}');
  await add(2);
  assert.equal(await text(), '{"n":3.5}');
});

test('ops that do not fit are reported, the others are applied', async (t) => {
  const { set, update } = await client(t);
  const at = { scope: 'a', key: 'k' };
  await set({ ...at, value: { text: 'x', n: 1 } });
  const { errors, new_value: value } = await update({ ...at, ops: [
    { type: 'increment', path: 'text', by: 1 },
    { type: 'append', path: 'n', value: 1 },
    { type: 'set', path: '__proto__', value: 1 },
    { type: 'merge', path: ['a', ''], value: {} },
    { type: 'merge', path: 'x'.repeat(257), value: {} },
    { type: 'merge', path: Array(33).fill('a'), value: {} },
    { type: 'merge', path: 'm', value: [1] },
    { type: 'merge', path: 'm', value: { constructor: 1 } },
    { type: 'merge', path: 'm', value: Object.fromEntries(Array.from({ length: 1025 }, (_, i) =>
      [`k${i}`, i])) },
    { type: 'merge', path: 'm', value: Array(17).fill(0).reduce((inner) => ({ inner }), {}) },
    { type: 'increment', path: 'n', by: 1 },
  ] });
  assert.deepEqual(errors.map((one) => [one.op_index, one.code]), [
    [0, 'increment.not_number'], [1, 'append.type_mismatch'], [2, 'set.path.proto_polluted'],
    [3, 'merge.path.empty_segment'], [4, 'merge.path.segment_too_long'],
    [5, 'merge.path.too_deep'], [6, 'merge.value.not_an_object'],
    [7, 'merge.value.proto_polluted'], [8, 'merge.value.too_many_keys'],
    [9, 'merge.value.too_deep']]);
  assert.ok(errors.every((one) => one.message.length > 0));
  assert.deepEqual(value, { text: 'x', n: 2 });
});

test('ops on what is no object are reported', async (t) => {
  const { set, update } = await client(t);
  const at = { scope: 'a', key: 'k' };
  await set({ ...at, value: 'text' });
  const { errors } = await update({ ...at, ops: [
    { type: 'set', path: 'a', value: 1 },
    { type: 'increment', path: 'a', by: 1 },
    { type: 'decrement', path: 'a', by: 1 },
    { type: 'append', path: 'a', value: 1 },
    { type: 'remove', path: 'a' },
  ] });
  assert.deepEqual(errors.map((one) => one.code), ['set.target_not_object',
    'increment.target_not_object', 'decrement.target_not_object', 'append.target_not_object',
    'remove.target_not_object']);
});

test('an atomic update with one error changes nothing', async (t) => {
  const { daemon, set, update, get } = await client(t);
  const at = { scope: 'a', key: 'k' };
  await set({ ...at, value: { n: 1 } });
  const { errors } = await update({ ...at, atomic: true, ops: [
    { type: 'increment', path: 'n', by: 1 }, { type: 'append', path: 'n', value: 1 }] });
  assert.equal(errors[0].code, 'append.type_mismatch');
  assert.deepEqual(await get(at), { n: 1 });
  assert.equal((await daemon.events()).length, 1);
});

test('malformed ops are refused whole', async (t) => {
  const { update } = await client(t);
  const at = { scope: 'a', key: 'k' };
  for (const ops of [[{ type: 'explode', path: 'a' }], [1], [{ type: 'increment', path: 'a' }],
    [{ type: 'set', path: 5, value: 1 }], [{ type: 'increment', path: 'a', by: 0.5 }]]) {
    await rejects(update({ ...at, ops }), 'invalid_ops');
  }
});

test('a hundred increments at the same time all count', async (t) => {
  const { update, get } = await client(t);
  const at = { scope: 'a', key: 'n' };
  await Promise.all(Array.from({ length: 100 }, () =>
    update({ ...at, ops: [{ type: 'increment', path: 'n', by: 1 }] })));
  assert.deepEqual(await get(at), { n: 100 });
});

test('list gives values in the order of keys; with_keys gives items and pages', async (t) => {
  const { set, list } = await client(t);
  await Promise.all(['b', 'a', 'd', 'c', 'B'].map((key) => set({ scope: 's', key, value: `v${key}` })));
  await set({ scope: 'other', key: 'x', value: 0 });
  assert.deepEqual(await list({ scope: 's' }), ['vB', 'va', 'vb', 'vc', 'vd']);
  assert.deepEqual(await list({ scope: 'none' }), []);
  const keys = (page) => page.items.map((one) => one.key);
  const page = await list({ scope: 's', limit: 2 });
  assert.deepEqual(keys(page), ['B', 'a']);
  assert.deepEqual(Object.keys(page.items[0]).sort(), ['key', 'rev', 'value']);
  const next = await list({ scope: 's', limit: 2, cursor: page.cursor });
  assert.deepEqual(keys(next), ['b', 'c']);
  const last = await list({ scope: 's', limit: 2, cursor: next.cursor });
  assert.deepEqual(keys(last), ['d']);
  assert.equal(last.cursor, undefined);
  assert.deepEqual(keys(await list({ scope: 's', with_keys: true, reverse: true })),
    ['d', 'c', 'b', 'a', 'B']);
  assert.deepEqual(keys(await list({ scope: 's', with_keys: true, start: 'b', end: 'd' })),
    ['b', 'c']);
  assert.deepEqual(await list({ scope: 's', prefix: 'b' }), ['vb']);
});

test('a long list comes whole and in order, and pages never repeat or miss', async (t) => {
  const { transact, list } = await client(t);
  const keys = Array.from({ length: 1000 }, (_, i) => `k${String(i).padStart(4, '0')}`);
  for (let at = 0; at < keys.length; at += 100) {
    await transact({ ops: keys.slice(at, at + 100).map((key) =>
      ({ type: 'set', scope: 's', key, value: key })) });
  }
  assert.deepEqual(await list({ scope: 's' }), keys);
  const seen = [];
  for (let cursor; ;) {
    const page = await list({ scope: 's', limit: 64, cursor });
    seen.push(...page.items.map((one) => one.key));
    if (!page.cursor) break;
    ({ cursor } = page);
  }
  assert.deepEqual(seen, keys);
});

test('list_groups gives the scopes that hold something, sorted', async (t) => {
  const { set, del, groups } = await client(t);
  for (const scope of ['b', 'a', 'c']) await set({ scope, key: 'k', value: 1 });
  assert.deepEqual(await groups({}), { groups: ['a', 'b', 'c'] });
  await del({ scope: 'b', key: 'k' });
  assert.deepEqual(await groups({}), { groups: ['a', 'c'] });
});

test('get_many gives items in the order asked for, null for what is not there', async (t) => {
  const { set, getMany } = await client(t);
  await set({ scope: 's', key: 'a', value: 1 });
  await set({ scope: 'u', key: 'b', value: 2 });
  const one = await getMany({ scope: 's', keys: ['none', 'a'] });
  assert.equal(one.items[0], null);
  assert.equal(one.items[1].value, 1);
  const two = await getMany({ items: [{ scope: 'u', key: 'b' }, { scope: 's', key: 'a' }] });
  assert.deepEqual(two.items.map((item) => [item.scope, item.value]), [['u', 2], ['s', 1]]);
});

test('transact is all or nothing, its events stand together', async (t) => {
  const { daemon, set, transact, get } = await client(t);
  const { rev } = await set({ scope: 's', key: 'a', value: { n: 1 } });
  await set({ scope: 's', key: 'gone', value: 1 });
  const good = await transact({ ops: [
    { type: 'check', scope: 's', key: 'a', if_rev: rev },
    { type: 'update', scope: 's', key: 'a', ops: [{ type: 'increment', path: 'n', by: 1 }] },
    { type: 'set', scope: 's', key: 'b', value: 2 },
    { type: 'delete', scope: 's', key: 'gone' },
  ] });
  assert.equal(good.results.length, 4);
  assert.deepEqual(good.results[1].new_value, { n: 2 });
  const events = (await daemon.events()).slice(2);
  assert.deepEqual(kinds(events), ['state:updated a', 'state:created b', 'state:deleted gone']);
  assert.equal(new Set(events.map((one) => one.txn)).size, 1);
  assert.deepEqual(events.map((one) => one.seq), [3, 4, 5]);
  await rejects(transact({ ops: [
    { type: 'set', scope: 's', key: 'c', value: 1 },
    { type: 'check', scope: 's', key: 'a', if_rev: rev }] }), 'rev_conflict');
  assert.equal(await get({ scope: 's', key: 'c' }), undefined);
  await rejects(transact({ ops: [
    { type: 'set', scope: 's', key: 'c', value: 1 },
    { type: 'set', scope: 's', key: 'c', value: 2 }] }), 'duplicate_key');
  await rejects(transact({ ops: [
    { type: 'update', scope: 's', key: 'b', ops: [{ type: 'set', path: 'x', value: 1 }] }] }),
  'update_failed');
  await rejects(transact({ ops: Array.from({ length: 129 }, (_, i) =>
    ({ type: 'set', scope: 's', key: `${i}`, value: 1 })) }), 'transact_too_large');
});

test('clear deletes a scope, or a prefix of it, with one event each', async (t) => {
  const { daemon, set, clear, list, groups } = await client(t);
  for (const key of ['a1', 'a2', 'b1']) await set({ scope: 's', key, value: 1 });
  await set({ scope: 'other', key: 'k', value: 1 });
  assert.deepEqual(await clear({ scope: 's', prefix: 'a' }), { deleted: 2, done: true });
  assert.deepEqual(await list({ scope: 's' }), [1]);
  assert.deepEqual(await clear({ scope: 's' }), { deleted: 1, done: true });
  assert.deepEqual(await groups(), { groups: ['other'] });
  assert.deepEqual(kinds(await daemon.events()).slice(4),
    ['state:deleted a1', 'state:deleted a2', 'state:deleted b1']);
});

test('everything is there after a restart, and after a kill', async (t) => {
  const { daemon, worker } = await client(t);
  await worker.shutdown();
  const { rev } = await daemon.set('s', 'a', { n: 1 });
  await daemon.set('s', 'b', 'x');
  await daemon.call('state::delete', { scope: 's', key: 'b' });
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGTERM']) {
    await daemon.restart(signal);
    const page = await daemon.call('state::list', { scope: 's', with_keys: true });
    assert.deepEqual(page.items, [{ key: 'a', value: { n: 1 }, rev }]);
    assert.equal((await daemon.events()).length, 3);
  }
  const next = await daemon.set('s', 'b', 'again');
  assert.equal(Number(next.rev), 4);
});

test('interval durability answers at once and a kill loses nothing', async (t) => {
  const { daemon, worker } = await client(t,
    { state: { adapter: { name: 'kv', config: { durability: 'interval', save_interval_ms: 1000 } } } });
  await worker.shutdown();
  for (let i = 0; i < 50; i++) await daemon.set('s', `k${i}`, i);
  await daemon.restart('SIGKILL');
  assert.equal((await daemon.call('state::list', { scope: 's' })).length, 50);
});

test('in_memory keeps nothing and says so', async (t) => {
  const { daemon, worker } = await client(t,
    { state: { adapter: { name: 'kv', config: { store_method: 'in_memory' } } } });
  await worker.shutdown();
  await daemon.set('s', 'a', 1);
  assert.equal(await daemon.get('s', 'a'), 1);
  assert.equal((await daemon.call('engine::status')).store.volatile, true);
  assert.match(daemon.log, /nothing survives/);
  await daemon.restart();
  assert.equal((await daemon.http('GET', '/v1/state/s/a')).status, 404);
});
