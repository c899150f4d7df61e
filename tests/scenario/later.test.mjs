// Calls for later: on disk until their time, then a message like any other; cancelled, listed, and
// made once for one idempotency key.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Inbox, RawWorker, rejects, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const START = '2026-01-01T00:00:00.000Z';
const ZERO = Date.parse(START);
const MINUTE = 60000;
const HOUR = 60 * MINUTE;

function job(t, daemon, id = 'job', act = async () => null) {
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction(id, async (data) => {
    inbox.put(data);
    return act(data);
  });
  return inbox;
}

const enqueue = (daemon, more) => daemon.call('engine::queue::enqueue',
  { queue: 'default', function_id: 'job', data: null, ...more });
const list = async (daemon, more = {}) =>
  (await daemon.call('engine::scheduled::list', more)).scheduled;
const get = (daemon, id) => daemon.call('engine::scheduled::get', { id });
const cancel = (daemon, id) => daemon.call('engine::scheduled::cancel', { id });

test('a call for later is made in its time, as if it were put into its queue then', async (t) => {
  const daemon = await startManual(t, { queues: { mail: {} } }, START);
  const inbox = job(t, daemon);
  const answer = await enqueue(daemon, { queue: 'mail', data: { n: 1 }, metadata: { m: 2 },
    delay: '30m' });
  assert.equal(answer.scheduled_at, ZERO + 30 * MINUTE);
  assert.equal(answer.messageReceiptId, answer.id);
  const head = { id: answer.id, queue: 'mail', function_id: 'job', scheduled_at: ZERO + 30 * MINUTE,
    created_at: ZERO };
  assert.deepEqual(await list(daemon), [head]);
  assert.deepEqual(await get(daemon, answer.id), { ...head, metadata: { m: 2 }, data: { n: 1 } });
  await daemon.advance(30 * MINUTE - 1);
  assert.equal(inbox.items.length, 0);
  assert.deepEqual(await daemon.events(), []);
  await daemon.advance(1);
  await inbox.count(1);
  assert.deepEqual(inbox.items, [{ n: 1 }]);
  const [event] = await daemon.events();
  assert.deepEqual([event.type, event.queue, event.time, event.data, event.call],
    ['queue', 'mail', new Date(ZERO + 30 * MINUTE).toISOString(), { n: 1 },
      { function_id: 'job', metadata: { m: 2 } }]);
  assert.deepEqual(await list(daemon), []);
  assert.equal(await get(daemon, answer.id), undefined);
  assert.equal((await daemon.call('engine::status')).scheduled.put_in_queues, 1);
  await daemon.advance(48 * HOUR);
  assert.equal(inbox.items.length, 1);
});

test('every way to say when', async (t) => {
  const daemon = await startManual(t, {}, START);
  const due = async (more) => (await enqueue(daemon, more)).scheduled_at - ZERO;
  assert.equal(await due({ delay_ms: 5 }), 5);
  assert.equal(await due({ delaySeconds: 5 }), 5000);
  assert.equal(await due({ delay: '90s' }), 90000);
  assert.equal(await due({ at: ZERO + 7 }), 7);
  assert.equal(await due({ at: '2026-01-01T01:00:00+00:30' }), 30 * MINUTE);
  assert.equal(await due({ scheduledAtUnixMs: ZERO + 8 }), 8);
  assert.equal((await list(daemon)).length, 6);
  for (const wrong of [{ delay_ms: -1 }, { delay_ms: '5' }, { delay: 'soon' }, { at: 'noon' },
    { at: true }, { delay_ms: 1, at: ZERO }, { delay: '1s', delaySeconds: 1 }]) {
    await rejects(enqueue(daemon, wrong), 'invalid_data');
  }
  await rejects(enqueue(daemon, { queue: 'nowhere', delay_ms: 1 }), 'queue_not_found');
  assert.equal((await list(daemon)).length, 6);
  const inbox = job(t, daemon);
  assert.equal(await due({ at: ZERO - 1, data: 'late' }), -1);
  await inbox.count(1); // what is past is made now
  assert.deepEqual(inbox.items, ['late']);
});

test('a worker says it in its action, over HTTP it is a parameter', async (t) => {
  const daemon = await startManual(t, { queues: { mail: {} } }, START);
  const inbox = job(t, daemon);
  const raw = (await RawWorker.open(t, daemon)).hello();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const told = await raw.call('job', 1, { traceparent, metadata: { from: 'raw' },
    action: { type: 'enqueue', queue: 'mail', delaySeconds: 60 } });
  assert.equal(told.scheduled_at, ZERO + MINUTE);
  const later = await daemon.http('POST', '/v1/functions/job/invoke?delay=2m', '2');
  assert.equal(later.status, 202);
  assert.equal(later.json.scheduled_at, ZERO + 2 * MINUTE);
  const at = await daemon.http('POST', `/v1/functions/job/invoke?at=${ZERO + 3 * MINUTE}&queue=mail`, '3');
  assert.deepEqual([at.status, at.json.scheduled_at], [202, ZERO + 3 * MINUTE]);
  const queue = await daemon.http('POST', '/v1/queues/mail/job?delay_ms=240000', '4');
  assert.equal(queue.json.scheduled_at, ZERO + 4 * MINUTE);
  const body = await daemon.http('POST', '/v1/queues/mail?delay=5m', { function_id: 'job', data: 5 });
  assert.equal(body.json.scheduled_at, ZERO + 5 * MINUTE);
  const shown = (await daemon.http('GET', '/v1/scheduled')).json.scheduled;
  assert.deepEqual(shown.map((one) => one.queue), ['mail', 'default', 'mail', 'mail', 'mail']);
  const now = await daemon.http('POST', '/v1/functions/job/invoke?queue=mail', '0');
  assert.deepEqual([now.status, Object.keys(now.json)], [202, ['messageReceiptId']]);
  await daemon.advance(HOUR);
  await inbox.count(6);
  assert.deepEqual(inbox.items, [0, 1, 2, 3, 4, 5]);
  const events = await daemon.events();
  assert.equal(events.find((one) => one.data === 1).traceparent ?? traceparent, traceparent);
  assert.deepEqual(events.find((one) => one.data === 1).call.metadata, { from: 'raw' });
  const slow = await daemon.http('POST', '/v1/functions/job/invoke?delay=2m&timeout_ms=5', '2');
  assert.deepEqual([slow.status, slow.json.code], [400, 'invalid_parameter']);
});

test('it is cancelled by its id, and then it was never there', async (t) => {
  const daemon = await startManual(t, {}, START);
  const inbox = job(t, daemon);
  const { id } = await enqueue(daemon, { delay: '1h', data: 'no' });
  await enqueue(daemon, { delay: '1h', data: 'yes' });
  const gone = await daemon.http('DELETE', `/v1/scheduled/${id}`);
  assert.deepEqual([gone.status, gone.json.data], [200, 'no']);
  assert.equal((await daemon.http('DELETE', `/v1/scheduled/${id}`)).status, 404);
  assert.equal((await daemon.http('GET', `/v1/scheduled/${id}`)).status, 404);
  assert.equal((await daemon.http('GET', '/v1/scheduled/else')).status, 404);
  assert.equal(await cancel(daemon, id), undefined);
  await rejects(cancel(daemon, ''), 'invalid_data');
  await daemon.advance(2 * HOUR);
  await inbox.count(1);
  assert.deepEqual(inbox.items, ['yes']);
});

test('they are listed in the order of their times, by queue and function, page by page', async (t) => {
  const daemon = await startManual(t, { queues: { mail: {} } }, START);
  for (const [n, delay] of ['3h', '1h', '2h', '1h', '1h'].entries()) {
    await enqueue(daemon, { delay, function_id: `f${n}`, queue: n % 2 ? 'mail' : 'default' });
  }
  const names = (calls) => calls.map((one) => one.function_id).join(' ');
  assert.equal(names(await list(daemon)), 'f1 f3 f4 f2 f0');
  assert.equal(names(await list(daemon, { queue: 'mail' })), 'f1 f3');
  assert.equal(names(await list(daemon, { function_id: 'f2' })), 'f2');
  assert.equal(names(await list(daemon, { due_before: ZERO + HOUR })), 'f1 f3 f4');
  const seen = [];
  let cursor;
  do {
    const page = await daemon.call('engine::scheduled::list', { limit: 2, cursor });
    seen.push(...page.scheduled);
    cursor = page.cursor;
  } while (cursor);
  assert.equal(names(seen), 'f1 f3 f4 f2 f0');
  assert.deepEqual((await daemon.call('alarm::list')).alarms, []);
});

test('a fifo queue has the order in which they are due, of one moment that in which they came', async (t) => {
  const daemon = await startManual(t, { queues: { pay: { type: 'fifo', message_group_field: 'g' } } }, START);
  const inbox = job(t, daemon);
  const put = (n, delay) => enqueue(daemon, { queue: 'pay', data: { g: 'a', n }, delay });
  await put(3, '20m');
  await put(1, '10m');
  await put(2, '10m');
  await rejects(enqueue(daemon, { queue: 'pay', data: {}, delay: '1s' }), 'message_group_missing');
  await daemon.advance(HOUR);
  await inbox.count(3);
  assert.deepEqual(inbox.items.map((one) => one.n), [1, 2, 3]);
  assert.ok((await daemon.events()).every((one) => one.key === 'a'));
});

test('the same idempotency key is one call', async (t) => {
  const daemon = await startManual(t, {}, START);
  const inbox = job(t, daemon);
  const post = (where, body, key) => daemon.http('POST', where, body, { 'idempotency-key': key });
  const first = await post('/v1/functions/job/invoke?delay=1h', '1', 'k');
  const second = await post('/v1/functions/job/invoke?delay=1h', '1', 'k');
  assert.deepEqual([second.status, second.json], [202, first.json]);
  assert.equal(second.headers.get('idempotent-replay'), 'true');
  const other = await post('/v1/functions/job/invoke?delay=2h', '1', 'k');
  assert.deepEqual([other.status, other.json.code], [422, 'idempotency_conflict']);
  const plain = await post('/v1/functions/job/invoke', '1', 'k');
  assert.deepEqual([plain.status, plain.json.code], [400, 'invalid_idempotency_key']);
  await daemon.advance(HOUR);
  await inbox.count(1);
  const third = await post('/v1/functions/job/invoke?delay=1h', '1', 'k');
  assert.deepEqual(third.json, first.json); // it was made; nothing new is put
  await daemon.advance(2 * HOUR);
  assert.equal(inbox.items.length, 1);
});

test('what was due while the daemon was away is made once when it is back', async (t) => {
  const daemon = await startManual(t, {}, START);
  await enqueue(daemon, { delay: '30m', data: 'soon' });
  await enqueue(daemon, { delay: '3h', data: 'far' });
  await daemon.kill();
  daemon.args = ['--clock', `manual=${new Date(ZERO + HOUR).toISOString()}`];
  await daemon.start();
  const inbox = job(t, daemon);
  await inbox.count(1);
  assert.deepEqual(inbox.items, ['soon']);
  assert.deepEqual((await list(daemon)).length, 1);
  assert.equal((await daemon.events()).length, 1);
});

test('a call whose queue is in the config no more waits until it is again', async (t) => {
  const daemon = await startManual(t, { queues: { old: {} } }, START);
  const inbox = job(t, daemon);
  await enqueue(daemon, { queue: 'old', delay: '1h' });
  daemon.config = { queues: {} };
  await daemon.restart();
  await daemon.advance(new Date(ZERO + 2 * HOUR).toISOString());
  assert.equal((await list(daemon))[0].waits_for, 'queue');
  assert.match(daemon.log, /queue \\"old\\" is not in the config/);
  assert.equal(inbox.items.length, 0);
  const config = { listen: `127.0.0.1:${daemon.port}`, data: daemon.data, queues: { old: {} } };
  fs.writeFileSync(daemon.configFile, JSON.stringify(config));
  assert.equal((await daemon.http('POST', '/v1/config:reload')).json.applied, true);
  await daemon.advance(1000);
  await inbox.count(1);
  assert.deepEqual(await list(daemon), []);
});

test('the program says it too', async (t) => {
  const daemon = await startManual(t, { queues: { mail: {} } }, START);
  const json = async (...args) => {
    const { code, stdout, stderr } = await daemon.cli(...args, '--json');
    assert.equal(code, 0, stderr);
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  const first = await json('invoke', 'job', '{"n":1}', '--delay', '30m');
  assert.equal(first.scheduled_at, ZERO + 30 * MINUTE);
  const second = await json('enqueue', 'mail', 'job', '2', '--at', '2026-01-01T01:00:00Z');
  const shown = await json('scheduled', 'list', '--queue', 'mail');
  assert.deepEqual(shown.scheduled.map((one) => one.id), [second.id]);
  assert.deepEqual((await json('scheduled', 'show', first.id)).data, { n: 1 });
  assert.equal((await json('scheduled', 'cancel', first.id)).id, first.id);
  assert.equal((await daemon.cli('scheduled', 'show', first.id)).code, 4);
  const table = (await daemon.cli('scheduled', 'list')).stdout;
  assert.match(table, /ID +AT +QUEUE +FUNCTION/);
  assert.match(table, new RegExp(second.id));
});

for (const point of ['sync:2', 'answer:2', 'alarm:1', 'write:3', 'sync:3', 'answer:3', 'outcome:1', 'cursor:1']) {
  test(`a crash at ${point} loses no call and puts none twice`, async (t) => {
    const daemon = await startDaemon(t, {}, { PAWL_CRASH_AT: point });
    const inbox = job(t, daemon);
    const acknowledged = await enqueue(daemon, { delay_ms: 50, data: 1 }).then(() => true, () => false);
    await Promise.race([daemon.gone, waitFor('the call', async () => inbox.items.length &&
      (await daemon.jobs()).length === 0)]);
    daemon.env = {};
    if (daemon.process) await daemon.kill();
    await daemon.start();
    await waitFor('the call to be put', async () => (await list(daemon)).length === 0);
    const events = await daemon.events();
    assert.ok(events.length === 1 || (events.length === 0 && !acknowledged), `${events.length}`);
    if (events.length) await inbox.count(1);
    await waitFor('it to be done', async () => (await daemon.jobs()).length === 0);
  });
}
