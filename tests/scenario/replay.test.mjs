// Replay: past events are delivered again from the journal, chosen by number, time or condition.
import assert from 'node:assert/strict';
import { Inbox, sdk, startDaemon, test, waitFor } from './lib.mjs';

const config = { triggers: ['mail', 'audit'].map((id) => ({ id, function: id, scope: id })) };

async function withPast(t) {
  const daemon = await startDaemon(t, config);
  const inbox = new Inbox();
  const worker = sdk(t, daemon);
  for (const id of ['mail', 'audit']) {
    worker.registerFunction(id, async (event) => inbox.put({ ...event, by: id, at: performance.now() }));
  }
  for (let n = 1; n <= 10; n += 1) await daemon.set(n % 2 ? 'mail' : 'audit', `k${n % 3}`, n);
  await inbox.count(10);
  await daemon.settled();
  inbox.items.length = 0;
  return { daemon, inbox };
}

const replay = async (daemon, ask) => {
  const reply = await daemon.http('POST', '/v1/replay', ask);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
};

test('a range of events goes to one trigger again, under new ids, in order', async (t) => {
  const { daemon, inbox } = await withPast(t);
  const dry = await replay(daemon, { trigger: 'mail', from: 3, to: 8, dry_run: true });
  assert.equal(dry.would_replay, 3);
  assert.deepEqual(inbox.items, []);
  const done = await daemon.cli('replay', '--trigger', 'mail', '--from', '3', '--to', '8', '--json');
  assert.equal(done.code, 0, done.stderr);
  const answer = JSON.parse(done.stdout);
  assert.deepEqual([answer.replayed, answer.still_owed, answer.more], [3, 0, false]);
  await inbox.count(3);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.new_value).sort(), [3, 5, 7]);
  assert.deepEqual(inbox.items.map((one) => one.delivery_id).sort(), answer.deliveries.sort());
  assert.ok(inbox.items.every((one) => one.by === 'mail' && one.delivery_id.endsWith('/r1000')));
  // Another replay is another delivery.
  assert.ok((await replay(daemon, { trigger: 'mail', from: 3, to: 3 })).deliveries[0].endsWith('/r2000'));
});

test('by condition and time, to all that want them, a part at a time', async (t) => {
  const { daemon, inbox } = await withPast(t);
  const first = await replay(daemon, { all: true, when: 'new_value > 4.0', since: '2000', limit: 4 });
  assert.deepEqual([first.replayed, first.more, first.next], [4, true, 9]);
  const rest = await replay(daemon, { all: true, when: 'new_value > 4.0', from: first.next });
  assert.deepEqual([rest.replayed, rest.more], [2, false]);
  assert.equal((await replay(daemon, { all: true, until: '2000' })).replayed, 0);
  await inbox.count(6);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.new_value).sort((a, b) => a - b), [5, 6, 7, 8, 9, 10]);
});

test('what was answered goes on after a kill, at its rate', async (t) => {
  const { daemon, inbox } = await withPast(t);
  const begin = performance.now();
  assert.equal((await replay(daemon, { all: true, rate: '20/s' })).replayed, 10);
  await daemon.kill();
  await daemon.start();
  await inbox.until('all', (items) => new Set(items.map((one) => one.seq)).size === 10);
  await daemon.settled();
  assert.ok(performance.now() - begin >= 440, 'the last one is due after 450 ms');
  assert.ok(inbox.items.every((one) => one.delivery_id.endsWith('/r1000')));
});

test('what is still owed is not made twice; wrong questions are refused', async (t) => {
  const daemon = await startDaemon(t, config);
  await daemon.set('mail', 'k', 1); // nobody serves it
  const answer = await replay(daemon, { trigger: 'mail' });
  assert.deepEqual([answer.replayed, answer.still_owed], [0, 1]);
  for (const [ask, code] of [[{}, 'invalid_data'], [{ trigger: 'nobody' }, 'trigger_not_found'],
    [{ all: true, since: 'yesterday' }, 'invalid_data'], [{ all: true, rate: 0 }, 'invalid_data'],
    [{ all: true, when: 'new_value >' }, 'invalid_condition'], [{ all: true, from: 0 }, 'invalid_data']]) {
    const refused = await daemon.http('POST', '/v1/replay', ask);
    assert.equal(refused.json.code, code, JSON.stringify(ask));
  }
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('mail', async (event) => inbox.put(event));
  await inbox.count(1);
  await waitFor('it to be settled', () => daemon.settled());
  assert.equal(inbox.items.length, 1);
});
