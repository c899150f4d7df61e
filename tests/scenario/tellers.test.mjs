// Triggers of type dead: something is called when something dies.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Inbox, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const mail = { id: 'mail', function: 'mail::send', scope: 'users', retry: { max_attempts: 2, initial_ms: 20 } };

async function hook(t) {
  const inbox = new Inbox();
  const server = http.createServer((request, reply) => {
    let body = '';
    request.on('data', (part) => (body += part)).on('end', () => {
      inbox.put({ headers: request.headers, body: JSON.parse(body) });
      reply.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { inbox, url: `http://127.0.0.1:${server.address().port}/dead` };
}

test('a webhook is called when something dies', async (t) => {
  const { inbox, url } = await hook(t);
  const daemon = await startDaemon(t, {
    webhooks: { allow_private: true },
    functions: [{ id: 'page', http: { url, format: 'cloudevents' } }],
    triggers: [mail, { id: 'page-us', type: 'dead', function: 'page', of_function: 'mail::*', scope: 'user*',
      when: 'event.attempts >= 2', select: { text: "event.trigger + ': ' + event.message", who: 'key' } }],
  });
  sdk(t, daemon).registerFunction('mail::send', async () => {
    throw new Error('no such mailbox');
  });
  await daemon.set('users', 'ada', 1);
  const [{ body }] = await inbox.count(1);
  assert.equal(body.type, 'pawl.dead.created');
  assert.equal(body.subject, 'users/ada');
  assert.deepEqual(body.data, { text: 'mail: no such mailbox', who: 'ada' });
  await daemon.settled();
  assert.equal(inbox.items.length, 1);
});

test('a handler gets what it needs to find the letter, and replays it', async (t) => {
  const daemon = await startDaemon(t, { triggers: [mail] });
  const seen = new Inbox();
  let works = false;
  const worker = sdk(t, daemon);
  worker.registerFunction('mail::send', async (event) => {
    seen.put(event);
    if (!works) throw new Error('down');
  });
  worker.registerFunction('again', async (event) => {
    works = true;
    assert.equal((await daemon.dead())[0].id, event.dead.id);
    await worker.call('engine::dead::replay', { id: event.dead.id });
    seen.put(event);
  });
  worker.registerTrigger({ type: 'dead', function_id: 'again', config: { of_trigger: 'ma*', reason: 'invocation_failed' } });
  await daemon.trigger('again');
  await daemon.set('users', 'ada', { plan: 'pro' });
  await seen.count(4);
  await daemon.settled();
  const told = seen.items.find((one) => one.type === 'dead');
  assert.deepEqual([told.event_type, told.scope, told.key, told.attempt], ['dead:created', 'users', 'ada', 1]);
  const { dead } = told;
  assert.deepEqual([dead.trigger, dead.function_id, dead.reason, dead.message, dead.attempts, dead.event.event_type],
    ['mail', 'mail::send', 'invocation_failed', 'down', 2, 'state:created']);
  assert.deepEqual(told.cause.path, ['mail']);
  assert.deepEqual(await daemon.dead(), []);
});

test('letter and event are written together, wherever the engine dies', async (t) => {
  for (const point of ['outcome:1', 'write:6', 'write:7', 'write:8', 'sync:7', 'answer:7']) {
    const told = new Inbox();
    const daemon = await startDaemon(t, {
      triggers: [{ ...mail, retry: { max_attempts: 1 } }, { id: 'tell', type: 'dead', function: 'tell' }],
    }, { PAWL_CRASH_AT: point });
    const worker = sdk(t, daemon);
    worker.registerFunction('mail::send', async () => {
      throw new Error('down');
    });
    worker.registerFunction('tell', async (event) => told.put(event));
    for (let n = 0; n < 20 && daemon.process; n += 1) {
      await daemon.set('users', `u${n}`, n).catch(() => {});
    }
    await waitFor(`the crash at ${point}`, () => daemon.process === null);
    daemon.env = {};
    await daemon.start();
    await waitFor('all to be dead', async () => {
      const [events, dead] = [await daemon.events(), await daemon.dead()];
      return dead.length === events.filter((one) => one.type === 'state').length;
    });
    await daemon.settled();
    const letters = (await daemon.dead()).map((one) => one.id).sort();
    const events = (await daemon.events()).filter((one) => one.type === 'dead').map((one) => one.dead.id);
    assert.ok(letters.length > 0, point);
    assert.deepEqual(events.sort(), letters, point);
    assert.deepEqual([...new Set(told.items.map((one) => one.dead.id))].sort(), letters, point);
    await daemon.stop();
  }
}, 120000);

test('what dies of telling is a letter, and told to nobody', async (t) => {
  const daemon = await startDaemon(t, {
    triggers: [{ ...mail, retry: { max_attempts: 1 } },
      { id: 'tell', type: 'dead', function: 'tell', retry: { max_attempts: 1 } }],
  });
  const worker = sdk(t, daemon);
  for (const id of ['mail::send', 'tell']) {
    worker.registerFunction(id, async () => {
      throw new Error('down');
    });
  }
  await daemon.set('users', 'ada', 1);
  await waitFor('both to be dead', async () => (await daemon.dead()).length === 2);
  await daemon.settled();
  assert.equal((await daemon.events()).filter((one) => one.type === 'dead').length, 1);
  const { json } = await daemon.http('GET', '/v1/triggers/tell');
  assert.equal(json.dead, 1);
});

test('what a dead trigger has not is refused by name', async (t) => {
  const daemon = await startDaemon(t);
  const register = (config) => daemon.call('engine::register_trigger', { trigger_type: 'dead', function_id: 'f', config });
  const error = await rejects(register({ events: ['created'] }), 'invalid_trigger');
  assert.match(error.message, /has no 'events': it asks by of_trigger/);
  await rejects(register({ of_triger: 'x' }), 'invalid_trigger');
  await rejects(register({ reason: '[' }), 'invalid_trigger');
  assert.ok((await register({ reason: '*_full' })).id);
});
