// CloudEvents that come in, sent by the reference package.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { CloudEvent, HTTP } from 'cloudevents';
import { Inbox, RawWorker, rejects, sdk, startDaemon, test } from './lib.mjs';

const order = (more = {}) => new CloudEvent({ id: 'A-1', source: '/shop/no', type: 'shop.order.paid',
  subject: 'order/7', data: { total: 12.5, user: 'änn' }, ...more });

async function send(daemon, { headers, body }) {
  const reply = await fetch(`${daemon.url}/v1/events`, { method: 'POST', headers, body });
  const text = await reply.text();
  return { status: reply.status, json: text ? JSON.parse(text) : undefined, text };
}

// A worker whose handlers put what they get into an inbox.
function listener(t, daemon, config, type = 'event') {
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('on::event', async (event) => inbox.put(event) ?? null);
  worker.registerTrigger({ type, function_id: 'on::event', config });
  return inbox;
}

test('structured, binary and batch wake triggers of type event', async (t) => {
  const daemon = await startDaemon(t);
  const inbox = listener(t, daemon, { event_type: 'shop.order.paid' });
  await daemon.trigger('on::event');
  const structured = await send(daemon, HTTP.structured(order()));
  assert.equal(structured.status, 202, structured.text);
  assert.equal((await send(daemon, HTTP.binary(order({ id: 'A-2', subject: 'ordre/%C3%A4' })))).status, 202);
  const batch = await send(daemon, { headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([order({ id: 'A-3' }), order({ id: 'A-4', type: 'shop.order.lost' }),
      order({ id: 'A-5' })]) });
  assert.equal(batch.json.ids.length, 3);
  const items = await inbox.count(4);
  const first = items.find((one) => one.event.id === 'A-1');
  assert.equal(first.type, 'event');
  assert.equal(first.event_type, 'shop.order.paid');
  assert.equal(first.source, '/shop/no');
  assert.equal(first.subject, 'order/7');
  assert.equal(first.id, structured.json.ids[0]);
  assert.deepEqual(first.event.data, { total: 12.5, user: 'änn' });
  assert.ok(new CloudEvent(first.event).validate());
  assert.deepEqual(items.map((one) => one.event.id).sort(), ['A-1', 'A-2', 'A-3', 'A-5']);
  const second = items.find((one) => one.event.id === 'A-2');
  assert.deepEqual([second.subject, second.event.data.user], ['ordre/ä', 'änn']);
});

test('filters by type, source, subject and condition; select shapes what the handler gets', async (t) => {
  const daemon = await startDaemon(t);
  const inbox = listener(t, daemon, { source: '/shop/no', subject: 'order/*',
    when: 'event.data.total > 10.0 && event_type.startsWith("shop.")',
    select: { user: 'event.data.user', of: 'key' } });
  await daemon.trigger('on::event');
  const sent = [order({ source: '/shop/se' }), order({ subject: 'cart/7' }), order({ subject: undefined }),
    order({ data: { total: 3 } }), order({ type: 'bank.paid' }), order({ data: null }), order()];
  for (const one of sent) assert.equal((await send(daemon, HTTP.structured(one))).status, 202);
  await daemon.settled();
  assert.deepEqual(inbox.items, [{ user: 'änn', of: 'order/7' }]);
});

test('an event from outside is none of the state, and the other way round', async (t) => {
  const daemon = await startDaemon(t);
  const changes = listener(t, daemon, {}, 'state');
  const worker = sdk(t, daemon);
  const sent = new Inbox();
  worker.registerFunction('on::sent', async (event) => sent.put(event) ?? null);
  worker.registerTrigger({ type: 'event', function_id: 'on::sent', config: {} });
  await daemon.trigger('on::event');
  await daemon.trigger('on::sent');
  await send(daemon, HTTP.structured(order({ type: 'users', subject: 'ann' })));
  await daemon.set('users', 'ann', 1);
  await daemon.settled();
  assert.deepEqual(changes.items.map((one) => one.event_type), ['state:created']);
  assert.deepEqual(sent.items.map((one) => one.event_type), ['users']);
  assert.equal(await daemon.get('users', 'ann'), 1);
  const [first, second] = await daemon.events();
  assert.deepEqual([first.type, second.type], ['event', 'state']);
  assert.equal(first.event.id, 'A-1');
  const why = await daemon.http('GET', `/v1/events/${first.seq}/explain`);
  assert.match(why.text, /not on events that are sent in/);
});

test('one without a subject or data is one too', async (t) => {
  const daemon = await startDaemon(t);
  const inbox = listener(t, daemon, {});
  await daemon.trigger('on::event');
  for (const one of [order({ subject: undefined }), order({ data: undefined })]) {
    assert.equal((await send(daemon, HTTP.structured(one))).status, 202);
  }
  const items = await inbox.count(2);
  assert.deepEqual(items.map((one) => one.subject).sort(), ['order/7', undefined]);
});

test('it is durable when it is answered; order per type and subject', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'paid', type: 'event', function: 'late',
    event_type: 'shop.order.paid' }] });
  for (let i = 0; i < 20; i++) {
    const { status } = await send(daemon, HTTP.structured(order({ id: `n-${i}` })));
    assert.equal(status, 202);
  }
  await daemon.restart('SIGKILL');
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('late', async (event) => inbox.put(event.event.id) ?? null);
  await inbox.count(20);
  assert.deepEqual(inbox.items, Array.from({ length: 20 }, (_, i) => `n-${i}`));
});

test('a dead letter keeps the event, and replays it', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'paid', type: 'event', function: 'f',
    event_type: 'shop.order.paid', select: ['event.data.user'], retry: { max_attempts: 1 } }] });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  let fails = true;
  worker.registerFunction('f', async (event) => {
    if (fails) throw new Error('no');
    return inbox.put(event) ?? null;
  });
  await daemon.trigger('f');
  await send(daemon, HTTP.structured(order()));
  await daemon.settled();
  const [letter] = await daemon.dead();
  fails = false;
  await daemon.call('engine::dead::replay', { id: letter.id });
  assert.deepEqual(await inbox.count(1), [['änn']]);
});

test('what is no CloudEvent is refused whole', async (t) => {
  const daemon = await startDaemon(t);
  const type = { 'content-type': 'application/cloudevents+json' };
  const batch = { 'content-type': 'application/cloudevents-batch+json' };
  const good = { specversion: '1.0', id: '1', source: '/a', type: 't' };
  const bad = [
    [type, '{"a":1', 400, 'invalid_json'],
    [type, '', 400, 'invalid_cloudevent'],
    [type, { ...good, id: '' }, 400, 'invalid_cloudevent'],
    [type, { ...good, source: undefined }, 400, 'invalid_cloudevent'],
    [type, { ...good, specversion: '0.3' }, 400, 'invalid_cloudevent'],
    [type, { ...good, type: 7 }, 400, 'invalid_cloudevent'],
    [type, { ...good, Bad: 'x' }, 400, 'invalid_cloudevent'],
    [type, { ...good, ext: {} }, 400, 'invalid_cloudevent'],
    [type, { ...good, data: 1, data_base64: 'AA==' }, 400, 'invalid_cloudevent'],
    [type, { ...good, type: 'x'.repeat(513) }, 400, 'invalid_cloudevent'],
    [batch, [], 400, 'invalid_cloudevent'],
    [batch, [good, { ...good, id: '' }], 400, 'invalid_cloudevent'],
    [{ 'content-type': 'application/json' }, good, 415, 'not_a_cloudevent'],
    [{ 'content-type': 'text/plain' }, good, 415, 'not_a_cloudevent'],
    [{ 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': '%zz' }, {}, 400,
      'invalid_cloudevent'],
  ];
  for (const [headers, body, status, code] of bad) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await send(daemon, { headers, body: text });
    assert.deepEqual([reply.status, reply.json.code], [status, code], `${text}: ${reply.text}`);
  }
  assert.deepEqual(await daemon.events(), []);
  const worker = await RawWorker.open(t, daemon);
  await rejects(worker.call('engine::events::publish', { events: [{}] }), 'invalid_cloudevent');
  assert.equal((await worker.call('engine::events::publish', { events: [good] })).ids.length, 1);
});

test('a trigger of type event says what it has not', async (t) => {
  const daemon = await startDaemon(t);
  const make = (config) => daemon.http('POST', '/v1/triggers',
    { id: 't', type: 'event', function_id: 'f', config });
  for (const [config, expected] of [[{ scope: 'a' }, /has no 'scope'/], [{ subject: '[a' }, /'subject'/],
    [{ events: ['created'] }, /has no 'events'/], [{ sourec: '/a' }, /sourec/],
    [{ event_type: 7 }, /event_type/]]) {
    const reply = await make(config);
    assert.equal(reply.status, 400, JSON.stringify(config));
    assert.match(reply.text, expected);
  }
  assert.equal((await daemon.http('POST', '/v1/triggers', { id: 's', type: 'state', function_id: 'f',
    config: { events: ['custom'] } })).status, 400);
});

test('a CloudEvent that came in goes out as the one that it is', async (t) => {
  const inbox = new Inbox();
  const server = http.createServer((request, reply) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      inbox.put({ url: request.url, headers: request.headers, body: Buffer.concat(parts).toString() });
      reply.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections() ?? server.close());
  const hook = (id, format) => ({ id, http: { format,
    url: `http://127.0.0.1:${server.address().port}/${id}` } });
  const daemon = await startDaemon(t, { webhooks: { allow_private: true },
    functions: [hook('one', 'cloudevents'), hook('two', 'cloudevents_binary')],
    triggers: ['one', 'two'].map((id) => ({ id, type: 'event', function: id })) });
  const sent = order({ tenant: 'no' });
  await send(daemon, HTTP.structured(sent));
  for (const { url, headers, body } of await inbox.count(2)) {
    const event = HTTP.toEvent({ headers, body });
    assert.deepEqual([event.id, event.source, event.type, event.subject, event.data],
      [sent.id, sent.source, sent.type, sent.subject, sent.data], url);
    if (url === '/one') assert.equal(event.tenant, 'no');
  }
});
