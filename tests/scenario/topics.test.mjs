// Topics: what is published reaches every subscriber, also those that are away.
import assert from 'node:assert/strict';
import { Inbox, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

function subscribe(worker, function_id, handler, config, type = 'durable:subscriber') {
  worker.registerFunction(function_id, handler);
  return worker.registerTrigger({ type, function_id, config });
}

const publish = (worker, topic, data, more) =>
  worker.call('iii::durable::publish', { topic, data, ...more });

test('a message reaches all subscribers of its topic, each with the data alone', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inboxes = [new Inbox(), new Inbox(), new Inbox()];
  subscribe(worker, 'mail', async (data) => inboxes[0].put(data), { topic: 'orders' });
  subscribe(worker, 'stock', async (data) => inboxes[1].put(data), { queue: 'orders' });
  subscribe(worker, 'other', async (data) => inboxes[2].put(data), { topic: 'users' });
  await daemon.trigger('other');
  const { id } = await publish(worker, 'orders', { order: 7 });
  await inboxes[0].count(1);
  await inboxes[1].count(1);
  await daemon.settled();
  assert.deepEqual(inboxes.map((inbox) => inbox.items), [[{ order: 7 }], [{ order: 7 }], []]);
  const [event] = await daemon.events();
  assert.equal(event.id, id);
  assert.deepEqual([event.type, event.event_type, event.topic, event.data],
    ['topic', 'topic:message', 'orders', { order: 7 }]);
  for (const data of [null, 'text', 5, [1, 2], false]) await publish(worker, 'users', data);
  await inboxes[2].count(5);
  await daemon.settled();
  assert.deepEqual(inboxes[2].items, [null, 'text', 5, [1, 2], false]);
});

test('a subscriber that is away gets the message when it is back, also after a kill', async (t) => {
  const daemon = await startDaemon(t);
  const near = sdk(t, daemon);
  const far = sdk(t, daemon);
  const inboxes = [new Inbox(), new Inbox()];
  subscribe(near, 'near', async (data) => inboxes[0].put(data), { topic: 'orders' });
  subscribe(far, 'far', async () => {}, { topic: 'orders' });
  await daemon.trigger('near');
  await daemon.trigger('far');
  await far.shutdown();
  await publish(near, 'orders', 1);
  await inboxes[0].count(1);
  await daemon.restart('SIGKILL');
  subscribe(sdk(t, daemon), 'far', async (data) => inboxes[1].put(data), { topic: 'orders' });
  await inboxes[1].count(1);
  await daemon.settled();
  assert.deepEqual(inboxes[1].items, [1]);
});

test('a failing subscriber retries by itself and ends as a dead letter that can be replayed', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const good = new Inbox();
  const bad = new Inbox();
  let broken = true;
  subscribe(worker, 'good', async (data) => good.put(data), { topic: 'orders' });
  subscribe(worker, 'bad', async (data) => {
    bad.put(data);
    if (broken) throw new Error('no stock');
  }, { topic: 'orders', queue_config: { maxRetries: 1, backoffDelayMs: 20 } });
  await daemon.trigger('bad');
  await publish(worker, 'orders', { order: 1 });
  await waitFor('the dead letter', async () => (await daemon.dead()).length === 1);
  assert.equal(bad.items.length, 2);
  assert.deepEqual(good.items, [{ order: 1 }]);
  const [letter] = await daemon.dead();
  assert.equal(letter.function_id, 'bad');
  broken = false;
  await daemon.call('engine::dead::replay', { id: letter.id });
  await bad.count(3);
  await daemon.settled();
  assert.deepEqual(bad.items[2], { order: 1 });
  assert.deepEqual(await daemon.dead(), []);
});

test('a condition function sees the data, and `when` and `select` speak of it', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const asked = [];
  const inboxes = [new Inbox(), new Inbox()];
  worker.registerFunction('is-large', async (data) => {
    asked.push(data);
    return data.amount > 10;
  });
  subscribe(worker, 'large', async (data) => inboxes[0].put(data),
    { topic: 'paid', condition_function_id: 'is-large' });
  subscribe(worker, 'vip', async (data) => inboxes[1].put(data),
    { topic: 'paid', when: "new_value.plan == 'vip'", select: { sum: 'new_value.amount', of: 'event.topic' } });
  await daemon.trigger('vip');
  await publish(worker, 'paid', { amount: 5, plan: 'vip' });
  await publish(worker, 'paid', { amount: 50, plan: 'free' });
  await inboxes[0].count(1);
  await inboxes[1].count(1);
  await daemon.settled();
  assert.deepEqual(inboxes.map((one) => one.items),
    [[{ amount: 50, plan: 'free' }], [{ sum: 5, of: 'paid' }]]);
  assert.equal(asked.length, 2);
  assert.equal(asked.find((one) => one.amount === 5).plan, 'vip');
});

test('messages of one key are handled in order, those without one beside each other', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  const doors = new Map();
  subscribe(worker, 'watch', async (data) => {
    inbox.put(data);
    await doors.get(data)?.promise;
  }, { topic: 'steps' });
  await daemon.trigger('watch');
  for (const step of ['a1', 'free1']) doors.set(step, gate());
  await publish(worker, 'steps', 'a1', { key: 'a' });
  await publish(worker, 'steps', 'a2', { key: 'a' });
  await publish(worker, 'steps', 'b1', { key: 'b' });
  await publish(worker, 'steps', 'free1');
  await publish(worker, 'steps', 'free2');
  await inbox.count(4);
  assert.deepEqual([...inbox.items].sort(), ['a1', 'b1', 'free1', 'free2']);
  doors.forEach((door) => door.open());
  await inbox.count(5);
  await daemon.settled();
  assert.equal(inbox.items[4], 'a2');
});

test('a subscriber of type fifo gets one message after the other', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  let running = 0;
  subscribe(worker, 'watch', async (data) => {
    running += 1;
    inbox.put([data, running]);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  }, { topic: 'steps', queue_config: { type: 'fifo' } });
  await daemon.trigger('watch');
  await Promise.all(Array.from({ length: 20 }, (_, i) => publish(worker, 'steps', i)));
  await inbox.count(20);
  assert.ok(inbox.items.every(([, at]) => at === 1));
  assert.deepEqual(inbox.items.map(([data]) => data), Array.from({ length: 20 }, (_, i) => i));
});

test('publish wakes subscribe, iii::durable::publish wakes durable:subscriber', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const plain = new Inbox();
  const durable = new Inbox();
  subscribe(worker, 'plain', async (data) => plain.put(data), { topic: 'news' }, 'subscribe');
  subscribe(worker, 'durable', async (data) => durable.put(data), { topic: 'news' });
  await daemon.trigger('durable');
  await worker.call('publish', { topic: 'news', data: 'flash' });
  await publish(worker, 'news', 'kept');
  await plain.count(1);
  await durable.count(1);
  await daemon.settled();
  assert.deepEqual([plain.items, durable.items], [['flash'], ['kept']]);
});

test('over HTTP a body is published, and what is wrong is refused by name', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  subscribe(worker, 'watch', async (data) => inbox.put(data), { topic: 'a/b' });
  await daemon.trigger('watch');
  const reply = await daemon.http('POST', '/v1/topics/a%2Fb', { n: 1 });
  assert.equal(reply.status, 200, reply.text);
  await inbox.count(1);
  assert.deepEqual(inbox.items, [{ n: 1 }]);
  await rejects(worker.call('iii::durable::publish', { data: 1 }), 'invalid_data');
  await rejects(worker.call('iii::durable::publish', { topic: 't' }), 'invalid_data');
  await rejects(worker.call('publish', { topic: '', data: 1 }), 'invalid_data');
  const refusals = [
    [{}, /'topic'/],
    [{ topic: 't', scope: 's' }, /has no 'scope'/],
    [{ topic: 't', queue_config: { delaySeconds: 5 } }, /not available yet/],
    [{ topic: 't', max_retries: 2, retry: { max_attempts: 3 } }, /keep one/],
  ];
  for (const [config, message] of refusals) {
    const refused = await daemon.http('POST', '/v1/triggers',
      { trigger_type: 'durable:subscriber', function_id: 'watch', config });
    assert.ok(refused.status >= 400, JSON.stringify(config));
    assert.match(refused.json.detail, message);
  }
});
