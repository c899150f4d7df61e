// Dead letters: found by filter, replayed or thrown away many at a time.
import assert from 'node:assert/strict';
import { Inbox, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const config = {
  triggers: ['mail', 'audit'].map((id) =>
    ({ id, function: id, scope: 's', retry: { max_attempts: 1 } })),
};

async function withDead(t, count, begin = startDaemon) {
  const daemon = await begin(t, config);
  const state = { works: false, inbox: new Inbox() };
  const worker = sdk(t, daemon);
  for (const id of ['mail', 'audit']) {
    worker.registerFunction(id, async (event) => {
      state.inbox.put({ ...event, by: id, at: performance.now() });
      if (!state.works) throw new Error('broken');
    });
  }
  for (let n = 0; n < count; n += 1) await daemon.set('s', `user_${n}`, n);
  await waitFor('all to be dead', async () => (await daemon.dead()).length === 2 * count);
  state.inbox.items.length = 0;
  return { daemon, state };
}

const json = ({ code, stdout, stderr }) => {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
};

test('dead letters are listed by trigger, reason, scope, key and time', async (t) => {
  const { daemon } = await withDead(t, 12);
  const count = async (...args) => json(await daemon.cli('dead', 'list', '--json', ...args)).dead.length;
  assert.equal(await count(), 24);
  assert.equal(await count('--trigger', 'mail'), 12);
  assert.equal(await count('--function', 'mail', '--prefix', 'user_1'), 3);
  assert.equal(await count('--reason', 'invocation_failed'), 24);
  assert.equal(await count('--reason', 'loop_detected'), 0);
  assert.equal(await count('--scope', 'other'), 0);
  assert.equal(await count('--since', '2000', '--until', '9999'), 24);
  assert.equal(await count('--until', '2000-01-01'), 0);
  const odd = await daemon.http('GET', '/v1/dead?since=yesterday');
  assert.deepEqual([odd.status, odd.json.code], [400, 'invalid_data']);
});

test('all that fit are replayed at a rate, each once and with its id; the others stay', async (t) => {
  const { daemon, state } = await withDead(t, 10, (...of) =>
    startManual(...of, '2026-01-01T00:00:00Z'));
  const before = (await daemon.dead()).filter((one) => one.trigger === 'mail').map((one) => one.id);
  state.works = true;
  const begin = (await daemon.http('GET', '/v1/clock')).json.now_ms;
  const answer = json(await daemon.cli('dead', 'replay-all', '--trigger', 'mail', '--rate', '20/s', '--json'));
  assert.deepEqual(answer, { replayed: 10, refused: 0, more: false, refusals: [] });
  await daemon.kill(); // what is to come later is on disk
  await daemon.start();
  const keys = () => new Set(state.inbox.items.map((one) => one.key)).size;
  await waitFor('the worker', async () => (await daemon.triggers()).every((one) => one.status !== 'unbound'));
  await daemon.advance(new Date(begin + 449).toISOString());
  assert.equal(keys(), 9);
  await daemon.advance(1); // the last one is due after 450 ms
  assert.equal(keys(), 10);
  await daemon.settled();
  assert.deepEqual(new Set(state.inbox.items.map((one) => one.delivery_id)), new Set(before));
  assert.ok(state.inbox.items.every((one) => one.by === 'mail'));
  assert.equal((await daemon.dead()).length, 10);
});

test('all that fit are thrown away; nothing is when nothing is said', async (t) => {
  const { daemon } = await withDead(t, 5);
  const unsaid = await daemon.http('POST', '/v1/dead:discard', {});
  assert.deepEqual([unsaid.status, unsaid.json.code], [400, 'invalid_data']);
  const some = await daemon.http('POST', '/v1/dead:discard', { trigger: 'mail', limit: 3 });
  assert.deepEqual([some.json.discarded, some.json.more], [3, true]);
  assert.equal((await daemon.dead()).length, 7);
  assert.equal((await daemon.call('engine::dead::discard_all', { all: true })).discarded, 7);
  await daemon.kill();
  await daemon.start();
  assert.deepEqual(await daemon.dead(), []);
});

test('what cannot be replayed is told, and stays', async (t) => {
  const { daemon } = await withDead(t, 2);
  await daemon.restart('SIGTERM', { triggers: [config.triggers[0]] });
  await waitFor('the other trigger to be gone', async () => (await daemon.triggers()).length === 1);
  const answer = (await daemon.http('POST', '/v1/dead:replay', { trigger: 'audit' })).json;
  assert.deepEqual([answer.replayed, answer.refused], [0, 2]);
  assert.equal(answer.refusals[0].code, 'trigger_gone');
  const odd = await daemon.http('POST', '/v1/dead:replay', { all: true, rate: 'fast' });
  assert.deepEqual([odd.status, odd.json.code], [400, 'invalid_data']);
});

test('an event is edited and delivered under a new id, again and again', async (t) => {
  const daemon = await startDaemon(t, { triggers: [config.triggers[0]] });
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('mail', async (event) => {
    inbox.put(event);
    if (event.new_value.to !== 'ada@example.com') throw new Error('no such address');
  });
  await daemon.set('s', 'k', { to: 'nobody' });
  const letter = (id) => waitFor('the dead letter', async () =>
    (await daemon.dead()).find((one) => id === undefined || one.id === id));
  const first = await letter();
  json(await daemon.cli('dead', 'edit', first.id, '{"new_value": {"to": "still nobody"}}', '--json'));
  const second = await letter(`${first.id}/r1`);
  assert.deepEqual(second.event.new_value, { to: 'still nobody' });
  assert.equal(second.attempts.length, 2); // both are told
  const where = `/v1/dead/${encodeURIComponent(second.id)}/edit`;
  for (const fixed of ['seq', 'key', 'delivery_id']) {
    const refused = await daemon.http('POST', where, { [fixed]: 7 });
    assert.deepEqual([refused.status, refused.json.code], [400, 'invalid_event']);
  }
  assert.equal((await daemon.http('POST', where, '[1]')).json.code, 'invalid_event');
  assert.equal((await daemon.dead()).length, 1);
  // As it is, the id stays; edited, it is the next one.
  assert.equal((await daemon.cli('dead', 'replay', second.id)).code, 0);
  await inbox.count(3);
  assert.equal(inbox.items[2].delivery_id, second.id);
  await letter(second.id);
  await daemon.http('POST', where, { new_value: { to: 'ada@example.com' } });
  await inbox.count(4);
  await daemon.settled();
  const last = inbox.items[3];
  assert.equal(last.delivery_id, `${first.id}/r2`);
  assert.deepEqual([last.key, last.seq, last.attempt], ['k', first.event.seq, 1]);
  assert.deepEqual(await daemon.dead(), []);
});
