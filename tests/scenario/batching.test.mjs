// Batching triggers with a real worker: one call for many events, some of which fail, over kill -9.
import assert from 'node:assert/strict';
import { Inbox, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const trigger = (batch, more = {}) => ({
  triggers: [{ id: 'rollup', function: 'rollup', scope: 's', batch, retry: { initial_ms: 20, jitter: 0 }, ...more }],
});

const shown = async (daemon) => (await daemon.triggers()).find((one) => one.id === 'rollup');

test('a worker gets many events in one call, in their order', async (t) => {
  const daemon = await startManual(t, trigger({ max_size: 10, max_wait: '1h' }));
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('rollup', async (batch) => inbox.put(batch));
  for (let n = 1; n <= 25; n += 1) await daemon.set('s', `k${n}`, n);
  await inbox.count(2);
  await daemon.advance(3599999);
  assert.equal(inbox.items.length, 2);
  await daemon.advance(1);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => [one.type, one.trigger, one.count, one.attempt]),
    [['batch', 'rollup', 10, 1], ['batch', 'rollup', 10, 1], ['batch', 'rollup', 5, 1]]);
  assert.deepEqual(inbox.items.flatMap((one) => one.events.map((event) => event.new_value)),
    Array.from({ length: 25 }, (_, n) => n + 1));
  assert.equal((await shown(daemon)).delivered, 3);
});

test('events that a handler names are tried again, the others are done; what fails last is a letter', async (t) => {
  const daemon = await startDaemon(t, trigger({ max_size: 5, max_wait: '10s' },
    { retry: { initial_ms: 20, jitter: 0, max_attempts: 3 } }));
  const inbox = new Inbox();
  let bad = (event) => event.new_value % 2 === 0;
  sdk(t, daemon).registerFunction('rollup', async (batch) => {
    inbox.put(batch);
    return { $pawl: { failed: batch.events.filter(bad).map(({ id }) => ({ id, reason: 'is even' })) } };
  });
  for (let n = 1; n <= 5; n += 1) await daemon.set('s', 'k', n);
  await inbox.count(3);
  assert.deepEqual(inbox.items.map((one) => [one.attempt, one.events.map((event) => event.new_value)]),
    [[1, [1, 2, 3, 4, 5]], [2, [2, 4]], [3, [2, 4]]]);
  assert.equal(new Set(inbox.items.map((one) => one.delivery_id)).size, 1);
  const [letter] = await waitFor('the letter', async () => {
    const { json } = await daemon.http('GET', '/v1/dead');
    return json.dead.length && json.dead;
  });
  assert.equal(letter.event.type, 'batch');
  assert.equal(letter.event.count, 2);
  assert.match(letter.attempts[2].message, /2 of 2 events of the batch failed: is even/);
  assert.equal((await daemon.http('GET', '/v1/dead?prefix=k')).json.dead.length, 1);
  assert.equal((await daemon.http('GET', '/v1/dead?prefix=x')).json.dead.length, 0);

  bad = () => false;
  const events = letter.event.events.map((event) => ({ ...event, new_value: event.new_value + 1 }));
  const edited = await daemon.cli('dead', 'edit', letter.id, JSON.stringify({ events }));
  assert.equal(edited.code, 0, edited.stderr);
  await inbox.count(4);
  await daemon.settled();
  assert.deepEqual(inbox.items[3].events.map((event) => event.new_value), [3, 5]);
  assert.equal(inbox.items[3].delivery_id, `${letter.id}/r1`);
  assert.equal(inbox.items[3].attempt, 1);
});

test('kill -9 in the middle of batches: every acknowledged event is in one that was done', async (t) => {
  for (const point of ['', 'window:1', 'window:2', 'window:3', 'job:1', 'cursor:2', 'outcome:1']) {
    const daemon = await startDaemon(t, trigger({ max_size: 4, max_wait: '200ms' }),
      point ? { PAWL_CRASH_AT: point } : {});
    const calls = new Inbox();
    const first = new Set();
    sdk(t, daemon).registerFunction('rollup', async (batch) => {
      calls.put(batch);
      const failed = batch.events.filter(({ id, new_value: n }) => n % 5 === 0 && !first.has(id));
      for (const { id } of failed) first.add(id);
      return { $pawl: { failed: failed.map(({ id }) => id) } };
    });
    let n = 1;
    const write = () => daemon.set('s', 'k', n++).catch(() => {});
    while (n <= 18) await write();
    // It comes to the place when it has something to do there.
    if (point) await waitFor(`the crash at ${point}`, () => !daemon.process || write().then(() => false));
    else await daemon.kill();
    daemon.env = {};
    await daemon.start();
    const events = await daemon.events();
    await calls.until('all events', (items) => {
      const seen = new Set(items.flatMap((one) => one.events.map(({ id }) => id)));
      return events.every(({ id }) => seen.has(id));
    });
    await daemon.settled();
    await waitFor('no open window', async () => (await shown(daemon)).windows.open === 0);
    // One event is of one delivery only, whatever was repeated.
    const of = new Map();
    for (const one of calls.items) {
      for (const { id } of one.events) {
        assert.equal(of.get(id) ?? one.delivery_id, one.delivery_id, `${point}: ${id} is of two`);
        of.set(id, one.delivery_id);
      }
    }
    assert.deepEqual((await daemon.http('GET', '/v1/dead')).json.dead, []);
    await daemon.stop();
  }
});

test('CloudEvents are batched too, with a subject or without', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'rollup', function: 'rollup', type: 'event',
    event_type: 'hit', batch: { max_size: 3, max_wait: '10s', key: 'event.data.page' } }] });
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('rollup', async (batch) => inbox.put(batch));
  for (const [n, more] of [[1, {}], [2, { subject: 's' }], [3, { data: 'no page' }], [4, {}]]) {
    const reply = await daemon.http('POST', '/v1/events', { specversion: '1.0', id: `h${n}`, source: '/t',
      type: 'hit', data: { page: 'home' }, ...more }, { 'content-type': 'application/cloudevents+json' });
    assert.equal(reply.status, 202, JSON.stringify(reply.json));
  }
  await inbox.count(1);
  assert.deepEqual(inbox.items[0].events.map((one) => one.event.id), ['h1', 'h2', 'h4']);
  const { windows } = await shown(daemon);
  assert.deepEqual([windows.open, windows.events, windows.key_errors], [1, 1, 1]);
});

test('what a journal replay brings is a batch of one', async (t) => {
  const daemon = await startDaemon(t, trigger({ max_size: 2, max_wait: '100ms', key: 'key' }));
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('rollup', async (batch) => inbox.put(batch));
  for (const n of [1, 2]) await daemon.set('s', 'k', n);
  await inbox.count(1);
  await daemon.settled();
  await waitFor('the cursor', async () => (await shown(daemon)).cursor >= 2);
  const replayed = await daemon.cli('replay', '--trigger', 'rollup', '--from', '1', '--to', '2');
  assert.equal(replayed.code, 0, replayed.stderr);
  await inbox.count(3);
  assert.deepEqual(inbox.items.slice(1).map((one) => [one.type, one.count, one.events[0].new_value]),
    [['batch', 1, 1], ['batch', 1, 2]]);
});
