// Queues: a call that was put into one is made, whatever happens in between.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { TriggerAction } from 'iii-sdk';
import { Inbox, RawWorker, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const enqueue = (worker, queue, function_id, payload, more) =>
  worker.trigger({ function_id, payload, action: TriggerAction.Enqueue({ queue }), ...more });

const served = (daemon, function_id) => waitFor(`${function_id} to be served`, async () =>
  (await daemon.call('engine::functions::list')).functions.some((one) => one.function_id === function_id));

async function emptied(daemon) {
  return waitFor('the queues to be empty', async () => {
    const { jobs } = await daemon.call('engine::jobs::list', { limit: 1000 });
    if (jobs.length) throw new Error(JSON.stringify(jobs));
    return true;
  });
}

test('an enqueued call is acknowledged with a receipt and made with the data alone', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('job', async (data) => inbox.put(data));
  await served(daemon, 'job');
  const receipt = await enqueue(worker, 'default', 'job', { n: 1 });
  await inbox.count(1);
  assert.deepEqual(inbox.items, [{ n: 1 }]);
  await emptied(daemon);
  const [event] = await daemon.events();
  assert.equal(event.id, receipt.messageReceiptId);
  assert.deepEqual([event.type, event.queue, event.call.function_id, event.data],
    ['queue', 'default', 'job', { n: 1 }]);
  assert.deepEqual(await daemon.triggers(), []);
});

test('the call carries the delivery, the trace and its metadata', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'job' });
  await served(daemon, 'job');
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { messageReceiptId } = await worker.call('job', [1], { traceparent,
    metadata: { from: 'test' }, action: { type: 'enqueue', queue: 'default' } });
  const frame = await worker.frame('the call', (one) => one.type === 'invokefunction');
  assert.deepEqual([frame.function_id, frame.data, frame.metadata, frame.traceparent],
    ['job', [1], { from: 'test' }, traceparent]);
  assert.equal(decodeURIComponent(/pawl\.delivery=([^,]*)/.exec(frame.baggage)[1]),
    `${messageReceiptId}/queue:default`);
  assert.match(frame.baggage, /pawl\.attempt=1/);
  worker.send({ type: 'invocationresult', invocation_id: frame.invocation_id,
    function_id: 'job', result: null });
  await emptied(daemon);
});

test('a failing call is tried again, becomes a dead letter, and is redriven', async (t) => {
  const daemon = await startDaemon(t, { queues: { mail: { max_retries: 2, backoff_ms: 20 } } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  let broken = true;
  worker.registerFunction('send', async (data) => {
    inbox.put(data);
    if (broken) throw new Error('smtp is down');
  });
  await served(daemon, 'send');
  await enqueue(worker, 'mail', 'send', { to: 'a' });
  await waitFor('the dead letter', async () => (await daemon.dead()).length === 1);
  assert.equal(inbox.items.length, 3);
  const [letter] = await daemon.dead();
  assert.deepEqual([letter.trigger, letter.function_id], ['queue:mail', 'send']);
  const whole = await daemon.call('engine::dead::show', { id: letter.id });
  assert.equal(whole.attempts.length, 3);
  assert.match(whole.attempts[2].message, /smtp is down/);
  assert.deepEqual(whole.event.data, { to: 'a' });
  broken = false;
  assert.deepEqual(await worker.call('iii::queue::redrive', { queue: 'mail' }),
    { queue: 'mail', redriven: 1 });
  await inbox.count(4);
  await emptied(daemon);
  assert.deepEqual(inbox.items[3], { to: 'a' });
  assert.deepEqual(await daemon.dead(), []);
});

test('a fifo queue keeps the order of a group under failures while other groups go on', async (t) => {
  const daemon = await startDaemon(t, { queues: {
    pay: { type: 'fifo', message_group_field: '/order/id', retry: { initial_ms: 20, jitter: 0 } } } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  const fails = new Map([['a1', 3], ['a2', 1]]);
  worker.registerFunction('charge', async ({ order, step }) => {
    const name = `${order.id}${step}`;
    const left = fails.get(name) ?? 0;
    fails.set(name, left - 1);
    inbox.put(left > 0 ? `${name}!` : name);
    if (left > 0) throw new Error('declined');
  });
  await served(daemon, 'charge');
  for (const step of [1, 2, 3]) {
    for (const id of ['a', 'b']) await enqueue(worker, 'pay', 'charge', { order: { id }, step });
  }
  await inbox.until('all', (all) => ['a3', 'b3'].every((one) => all.includes(one)));
  await emptied(daemon);
  const of = (id) => inbox.items.filter((one) => one.startsWith(id));
  assert.deepEqual(of('a'), ['a1!', 'a1!', 'a1!', 'a1', 'a2!', 'a2', 'a3']);
  assert.deepEqual(of('b'), ['b1', 'b2', 'b3']);
  assert.ok(inbox.items.indexOf('b3') < inbox.items.indexOf('a1'), 'b has not waited for a');
  const error = await rejects(enqueue(worker, 'pay', 'charge', { step: 1 }), 'message_group_missing');
  assert.match(error.message, /order\/id/);
});

test('concurrency bounds a queue, and messages of it run at once up to that', async (t) => {
  const daemon = await startDaemon(t, { queues: { one: { concurrency: 1 }, three: { concurrency: 3 } } });
  const worker = sdk(t, daemon);
  const most = { one: 0, three: 0 };
  const running = { one: 0, three: 0 };
  const together = gate();
  let done = 0;
  worker.registerFunction('job', async ({ queue }) => {
    running[queue] += 1;
    most[queue] = Math.max(most[queue], running[queue]);
    if (running.three === 3) together.open();
    await together.promise;
    running[queue] -= 1;
    done += 1;
  });
  await served(daemon, 'job');
  for (let i = 0; i < 12; i += 1) {
    for (const queue of ['one', 'three']) await enqueue(worker, queue, 'job', { queue });
  }
  await waitFor('all to be done', () => done === 24);
  assert.deepEqual(most, { one: 1, three: 3 });
});

test('what was acknowledged survives a kill before it has run', async (t) => {
  const daemon = await startDaemon(t, { queues: { pay: { type: 'fifo', message_group_field: 'id' } } });
  const producer = sdk(t, daemon);
  for (let n = 0; n < 20; n += 1) await enqueue(producer, 'pay', 'charge', { id: n % 2, n });
  await enqueue(producer, 'default', 'charge', { id: 2, n: 20 });
  await daemon.restart('SIGKILL');
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('charge', async (data) => inbox.put(data));
  await inbox.count(21);
  await emptied(daemon);
  for (const id of [0, 1]) {
    const of = inbox.items.filter((one) => one.id === id).map((one) => one.n);
    assert.deepEqual(of, Array.from({ length: 10 }, (_, i) => 2 * i + id));
  }
});

test('a message for an absent function is parked and holds up nobody else', async (t) => {
  const daemon = await startDaemon(t, { queues: { few: { concurrency: 1 } } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('there', async (data) => inbox.put(data));
  await served(daemon, 'there');
  for (let i = 0; i < 3; i += 1) await enqueue(worker, 'few', 'absent', i);
  await enqueue(worker, 'few', 'there', 'through');
  await inbox.count(1);
  const jobs = await waitFor('them to be parked', async () => {
    const all = await daemon.jobs();
    return all.length === 3 && all.every((one) => one.waits_for === 'worker') && all;
  });
  assert.ok(jobs.every((one) => one.parked && one.function_id === 'absent' && one.failed_attempts === 0));
  const late = new Inbox();
  sdk(t, daemon).registerFunction('absent', async (data) => late.put(data));
  await late.count(3);
  await emptied(daemon);
  assert.deepEqual(late.items, [0, 1, 2]);
});

test('an absent function of a fifo queue blocks its own group only', async (t) => {
  const daemon = await startDaemon(t, { queues: { pay: { type: 'fifo', message_group_field: 'id' } } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('there', async (data) => inbox.put(data));
  await served(daemon, 'there');
  await enqueue(worker, 'pay', 'absent', { id: 'a', n: 1 });
  await enqueue(worker, 'pay', 'there', { id: 'a', n: 2 });
  await enqueue(worker, 'pay', 'there', { id: 'b', n: 3 });
  await inbox.count(1);
  assert.equal(inbox.items[0].n, 3);
  sdk(t, daemon).registerFunction('absent', async (data) => inbox.put(data));
  await inbox.count(3);
  await emptied(daemon);
  assert.deepEqual(inbox.items.map((one) => one.n), [3, 1, 2]);
});

test("iii's functions that look at queues and topics answer in its words", async (t) => {
  const daemon = await startDaemon(t, { queues: { mail: { concurrency: 3, max_retries: 1, backoff_ms: 5 } } });
  const worker = sdk(t, daemon);
  worker.registerFunction('send', async () => { throw new Error('smtp is down'); });
  worker.registerFunction('hear', async () => { throw new Error('deaf'); });
  worker.registerTrigger({ type: 'durable:subscriber', function_id: 'hear', config: { topic: 'news', max_retries: 0 } });
  await daemon.trigger('hear');
  const topics = async () => (await worker.call('engine::queue::list_topics'))
    .sort((a, b) => a.name.localeCompare(b.name));
  assert.deepEqual(await topics(), [
    { name: 'default', broker_type: 'pawl', subscriber_count: 10 },
    { name: 'mail', broker_type: 'pawl', subscriber_count: 3 },
    { name: 'news', broker_type: 'pawl', subscriber_count: 1 }]);
  assert.deepEqual(await worker.call('engine::queue::dlq_topics'), []);
  const before = Date.now();
  await enqueue(worker, 'mail', 'send', { n: 1 });
  await enqueue(worker, 'mail', 'send', { n: 2 });
  await worker.call('iii::durable::publish', { topic: 'news', data: [1] });
  await enqueue(worker, 'mail', 'absent', { n: 3 });
  await waitFor('the dead letters', async () => (await daemon.dead()).length === 3);
  const stats = await worker.call('engine::queue::topic_stats', { topic: 'mail' });
  assert.deepEqual([stats.depth, stats.consumer_count, stats.dlq_depth, stats.config.concurrency], [1, 3, 2, 3]);
  assert.deepEqual(await worker.call('engine::queue::topic_stats', { queue: 'news' }),
    { depth: 0, consumer_count: 1, dlq_depth: 1, config: null });
  assert.deepEqual((await worker.call('engine::queue::dlq_topics')).map((one) => [one.topic, one.message_count]).sort(),
    [['mail', 2], ['news', 1]]);
  const letters = await worker.call('engine::queue::dlq_messages', { topic: 'mail' });
  assert.deepEqual(letters.map((one) => [one.payload, one.retries, one.size_bytes]), [[{ n: 1 }, 1, 7], [{ n: 2 }, 1, 7]]);
  assert.match(letters[0].error, /smtp is down/);
  assert.ok(letters[0].failed_at >= before && letters[0].failed_at <= Date.now());
  const second = await worker.call('engine::queue::dlq_messages', { topic: 'mail', offset: 1, limit: 1 });
  assert.deepEqual(second, [letters[1]]);
  assert.deepEqual((await worker.call('engine::queue::dlq_messages', { topic: 'news' })).map((one) => one.payload), [[1]]);
  await worker.call('iii::queue::discard_message', { queue: 'mail', message_id: letters[0].id });
  assert.deepEqual(await worker.call('engine::queue::dlq_messages', { queue: 'mail' }), [letters[1]]);
  await rejects(worker.call('engine::queue::topic_stats'), 'invalid_data');
  await rejects(worker.call('engine::queue::dlq_messages'), 'invalid_data');
});

test('messages of a function nobody serves die after park_max and can be redriven', async (t) => {
  const daemon = await startDaemon(t, { delivery: { park_max: '1s' } });
  const worker = sdk(t, daemon);
  await enqueue(worker, 'default', 'absent', 1);
  await waitFor('the dead letter', async () => (await daemon.dead()).length === 1, 20000);
  const [letter] = await daemon.dead();
  assert.deepEqual([letter.reason, letter.function_id], ['function_absent', 'absent']);
  const inbox = new Inbox();
  worker.registerFunction('absent', async (data) => inbox.put(data));
  await served(daemon, 'absent');
  await worker.call('iii::queue::redrive', { queue: 'default' });
  await inbox.count(1);
});

test('the handler steers its message, and a lost worker uses no attempt', async (t) => {
  const daemon = await startDaemon(t, { workers: { reattach_grace: '50ms' } });
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'job' });
  await served(daemon, 'job');
  await worker.call('job', 1, { action: { type: 'enqueue', queue: 'default' } });
  await worker.frame('the call', (one) => one.type === 'invokefunction');
  worker.ws.terminate();
  const other = (await RawWorker.open(t, daemon)).hello();
  other.send({ type: 'registerfunction', id: 'job' });
  const frame = await other.frame('the call again', (one) => one.type === 'invokefunction');
  assert.match(frame.baggage, /pawl\.attempt=1/);
  other.send({ type: 'invocationresult', invocation_id: frame.invocation_id, function_id: 'job',
    result: { $pawl: { fail: true, reason: 'not for me' } } });
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  assert.deepEqual([letter.reason, letter.message], ['handler_gave_up', 'not for me']);
});

test('an unknown queue is refused, and the known ones are named', async (t) => {
  const daemon = await startDaemon(t, { queues: { mail: {}, pay: null } });
  const worker = sdk(t, daemon);
  const error = await rejects(enqueue(worker, 'mial', 'job', {}), 'queue_not_found');
  assert.match(error.message, /mail/);
  assert.match(error.message, /pay/);
  assert.match(error.message, /default/);
  const reply = await daemon.http('POST', '/v1/queues/nope', { function_id: 'job', payload: 1 });
  assert.equal(reply.status, 404);
  assert.equal(reply.json.code, 'queue_not_found');
  await rejects(worker.call('engine::queue::run', {}), 'function_not_invokable');
});

test('a worker may not make a queue, nor take its place', async (t) => {
  const daemon = await startDaemon(t);
  for (const body of [{ trigger_type: 'queue', config: { queue: 'q' } },
    { id: 'queue:default', trigger_type: 'state', config: {} }]) {
    const reply = await daemon.http('POST', '/v1/triggers', { function_id: 'f', ...body });
    assert.equal(reply.status, 400, reply.text);
    assert.match(reply.json.detail, /of the config/);
  }
});

test('work that enqueues its next piece is no loop', async (t) => {
  const daemon = await startDaemon(t, { delivery: { loop_depth: 4 } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  const raw = (await RawWorker.open(t, daemon)).hello();
  raw.send({ type: 'registerfunction', id: 'page' });
  await served(daemon, 'page');
  await enqueue(worker, 'default', 'page', 0);
  for (let n = 0; n < 10; n += 1) {
    const frame = await raw.frame(`page ${n}`, (one) => one.type === 'invokefunction' && one.data === n);
    await raw.call('page', n + 1, { baggage: frame.baggage, action: { type: 'enqueue', queue: 'default' } });
    raw.send({ type: 'invocationresult', invocation_id: frame.invocation_id, function_id: 'page' });
    inbox.put(n);
  }
  assert.deepEqual(await daemon.dead(), []);
});

test('a function that has room for one call gets one message at a time, the others wait aside', async (t) => {
  const daemon = await startDaemon(t, { functions: [{ id: 'narrow', concurrency: 1 }] });
  const worker = sdk(t, daemon);
  const door = gate();
  const inbox = new Inbox();
  worker.registerFunction('narrow', async (data) => {
    inbox.put(data);
    await door.promise;
  });
  worker.registerFunction('wide', async (data) => inbox.put(data));
  await served(daemon, 'wide');
  for (let i = 0; i < 30; i += 1) await enqueue(worker, 'default', 'narrow', i);
  await enqueue(worker, 'default', 'wide', 'wide');
  await inbox.count(2);
  assert.deepEqual([...inbox.items].sort(), [0, 'wide']);
  door.open();
  await inbox.count(31);
  await emptied(daemon);
});

test('an undefined payload, a void enqueue and a paused queue', async (t) => {
  const daemon = await startDaemon(t, { queues: { still: { paused: true } } });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('job', async (data) => inbox.put(data));
  await served(daemon, 'job');
  await enqueue(worker, 'still', 'job', 'later');
  await daemon.http('POST', '/v1/queues/default', { function_id: 'job', payload: 'now' });
  await inbox.count(1);
  assert.deepEqual(inbox.items, ['now']);
  await daemon.http('POST', '/v1/triggers/queue%3Astill/resume', {});
  await inbox.count(2);
  assert.deepEqual(inbox.items, ['now', 'later']);
});

test('an idempotency key makes a message be taken once, also over HTTP and after a kill', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('job', async (data) => inbox.put(data));
  await served(daemon, 'job');
  const send = (data) => daemon.http('POST', '/v1/queues/default/job?idempotency_key=k1', data);
  const first = await send(1);
  assert.equal(first.status, 200, first.text);
  await inbox.count(1);
  await daemon.restart('SIGKILL');
  const second = await send(1);
  assert.equal(second.json.messageReceiptId, first.json.messageReceiptId);
  await served(daemon, 'job');
  await daemon.http('POST', '/v1/queues/default/job', 2);
  await inbox.until('the next', (all) => all.includes(2));
  assert.equal((await daemon.events()).length, 2);
});

test('queues are listed with what waits, runs and is dead; the shell enqueues and publishes', async (t) => {
  const daemon = await startDaemon(t, { queues: { mail: { max_retries: 0 } } });
  const worker = sdk(t, daemon);
  worker.registerFunction('bad', async () => {
    throw new Error('no');
  });
  await served(daemon, 'bad');
  await daemon.cli('enqueue', 'mail', 'bad', '{"n":1}');
  await daemon.cli('enqueue', 'mail', 'absent', '2');
  await daemon.cli('publish', 'news', '"hello"');
  const mail = await waitFor('the figures', async () => {
    const { queues } = (await daemon.http('GET', '/v1/queues')).json;
    assert.deepEqual(queues.map((one) => one.queue).sort(), ['default', 'mail']);
    const one = queues.find((queue) => queue.queue === 'mail');
    return one.dead === 1 && one.parked === 1 && one;
  });
  assert.deepEqual([mail.waiting, mail.running, mail.type, mail.status], [1, 0, 'standard', mail.status]);
  const { stdout } = await daemon.cli('queues');
  assert.match(stdout, /mail +standard/);
  const events = await daemon.events();
  assert.deepEqual(events.filter((one) => one.type === 'topic').map((one) => one.data), ['hello']);
  assert.equal((await daemon.cli('dead', 'list', '--queue', 'mail', '--json')).stdout.includes('"bad"'), true);
});

test('queues change while the daemon runs; what a removed one holds is still done', async (t) => {
  const daemon = await startDaemon(t, { queues: { old: {}, mail: { concurrency: 1 } } });
  const worker = sdk(t, daemon);
  await enqueue(worker, 'old', 'job', 'old');
  await enqueue(worker, 'mail', 'job', 'mail');
  daemon.config = { ...daemon.config, queues: { mail: { concurrency: 2 }, fresh: {} } };
  fs.writeFileSync(daemon.configFile, JSON.stringify({ listen: `127.0.0.1:${daemon.port}`,
    data: daemon.data, ...daemon.config }));
  const diff = (await daemon.http('POST', '/v1/config:reload', {})).json;
  assert.deepEqual([diff.added, diff.changed, diff.removed].map((list) => list.map((one) => one.id)),
    [['queue:fresh'], ['queue:mail'], ['queue:old']]);
  await rejects(enqueue(worker, 'old', 'job', 1), 'queue_not_found');
  await enqueue(worker, 'fresh', 'job', 'fresh');
  const inbox = new Inbox();
  worker.registerFunction('job', async (data) => inbox.put(data));
  await inbox.count(3);
  await emptied(daemon);
  assert.deepEqual([...inbox.items].sort(), ['fresh', 'mail', 'old']);
});
