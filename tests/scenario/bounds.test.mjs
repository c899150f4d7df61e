// What is bounded: how long deliveries wait, how much the journal and the dead letters may take, and
// what gives way then. Nothing goes without a word.
import assert from 'node:assert/strict';
import { Inbox, gate, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const MB = 1000000;
const HOUR = 3600000;

test('what nobody serves for longer than park_max becomes one dead letter for the range', async (t) => {
  const daemon = await startManual(t, { delivery: { park_max: '7d' },
    triggers: [{ id: 'x', function: 'absent', scope: 's' }] });
  for (let n = 1; n <= 5; n++) await daemon.set('s', `k${n}`, n);
  await daemon.advance(7 * 24 * HOUR - 1);
  assert.deepEqual(await daemon.dead(), []);
  await daemon.advance(1);
  const [letter] = await daemon.dead();
  assert.equal(letter.reason, 'function_absent');
  assert.deepEqual(letter.range, { from_seq: 1, to_seq: 5 });
  assert.equal((await daemon.dead()).length, 1);
  // Who comes late gets what comes from now on.
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('absent', async (event) => inbox.put(event));
  await daemon.trigger('absent', (one) => one.status === 'live');
  await daemon.set('s', 'k', 'new');
  await inbox.count(1);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.new_value), ['new']);
});

test('no attempt is made later than max_age after the first one', async (t) => {
  const daemon = await startManual(t, { triggers: [{ id: 'x', function: 'watch', scope: 's',
    retry: { initial_ms: 10 * HOUR, max_ms: 10 * HOUR, jitter: 0, max_attempts: 1000, max_age: '24h' } }] });
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => {
    inbox.put(event);
    throw new Error('always');
  });
  await daemon.set('s', 'k', 1);
  await daemon.advance(48 * HOUR);
  const [letter] = await daemon.dead();
  assert.equal(letter.reason, 'invocation_failed');
  const begun = letter.attempts.map((one) => Date.parse(one.started_at ?? one.started));
  assert.deepEqual(begun.map((time) => (time - begun[0]) / HOUR), [0, 10, 20]);
  assert.equal(inbox.items.length, 3);
});

test('over dead.max_bytes nothing is buried: it is held with its key until there is room', async (t) => {
  const daemon = await startDaemon(t, { dead: { max_bytes: '1m' },
    triggers: [{ id: 'x', function: 'watch', scope: 's', retry: { max_attempts: 1 } }] });
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async ({ key, seq, new_value }) => {
    inbox.put({ key, seq });
    if (new_value !== 'good') throw new Error('always');
  });
  await daemon.set('s', 'large', 'x'.repeat(1.5 * MB));
  await waitFor('the first to be dead', async () => (await daemon.dead()).length === 1);
  await daemon.set('s', 'k', 'bad');
  await daemon.set('s', 'k', 'good');
  await inbox.count(2);
  await waitFor('it to be held', async () => (await daemon.jobs()).some((one) => one.key === 'k' &&
    one.state === 'sleeping'));
  await daemon.restart('SIGKILL');
  const held = await waitFor('it to be held again', async () =>
    (await daemon.jobs()).find((one) => one.key === 'k' && one.state === 'sleeping'));
  assert.equal((await daemon.dead()).length, 1);
  assert.match(daemon.log, /dead\.max_bytes/);
  const [{ id }] = await daemon.dead();
  assert.equal((await daemon.cli('dead', 'discard', id)).code, 0);
  assert.equal((await daemon.cli('jobs', 'retry', held.id)).code, 0);
  await waitFor('it to be dead', async () => (await daemon.dead()).some((one) => one.event.key === 'k'));
  await daemon.settled();
  const { seq } = inbox.items.at(-1);
  assert.equal(inbox.items.filter((one) => one.seq === seq).length, 1, 'the next of its key goes on');
});

// The journal is looked at every ten seconds, and whenever a manual clock is turned.
async function fill(daemon, until) {
  const large = 'x'.repeat(1.9 * MB);
  let n = 0;
  return waitFor('the journal to be full', async () => {
    const reply = await daemon.http('PUT', `/v1/state/s/k${n++ % 4}`, { value: `${n}${large}` });
    await daemon.advance(0);
    return until(reply);
  }, 50000);
}

test('a full journal takes what a lagging trigger is owed, and says so in a dead letter', async (t) => {
  const daemon = await startManual(t, { journal: { max_bytes: '64m' },
    triggers: [{ id: 'x', function: 'absent', scope: 's' }] });
  let letter;
  await fill(daemon, async (reply) => {
    assert.ok(reply.status < 300, reply.text);
    [letter] = await daemon.dead();
    return letter;
  });
  assert.equal(letter.reason, 'journal_full');
  assert.equal(letter.range.from_seq, 1);
  // What the letter does not name is still there, whole.
  const seen = new Inbox();
  sdk(t, daemon).registerFunction('absent', async ({ seq }) => seen.put(seq));
  await daemon.settled(40000);
  const { last_seq: last } = (await daemon.call('engine::status')).store;
  const lost = new Set();
  for (const { range } of await daemon.dead()) {
    for (let seq = range.from_seq; seq <= range.to_seq; seq++) lost.add(seq);
  }
  const told = new Set((await daemon.events()).filter((one) => one.type === 'dead').map((one) => one.seq));
  for (let seq = 1; seq <= last; seq++) {
    if (told.has(seq)) continue; // tells of a letter: nobody's here
    assert.ok(lost.has(seq) !== seen.items.includes(seq), `${seq} is handled or in a letter`);
  }
}, 120000);

test('on_journal_full: refuse_writes keeps what is owed, and takes writes again later', async (t) => {
  const daemon = await startManual(t, { journal: { max_bytes: '64m', on_journal_full: 'refuse_writes' },
    triggers: [{ id: 'x', function: 'absent', scope: 's' }] });
  const refused = await fill(daemon, (reply) => reply.status >= 300 && reply);
  assert.deepEqual([refused.status, refused.json.code], [507, 'journal_full']);
  assert.deepEqual(await daemon.dead(), []);
  const first = await daemon.http('GET', '/v1/events/1/explain');
  assert.equal(first.status, 200, 'the oldest event is owed and kept');
  const { last_seq: last } = (await daemon.call('engine::status')).store;
  const seen = new Inbox();
  sdk(t, daemon).registerFunction('absent', async ({ seq }) => seen.put(seq));
  await seen.count(last, 40000);
  await waitFor('writes to be taken', async () => {
    await daemon.advance(0);
    return (await daemon.http('PUT', '/v1/state/other/k', { value: 1 })).status < 300;
  });
  assert.equal(new Set(seen.items).size, last);
}, 120000);

test('a condition function is the first phase of its delivery: same order, same room', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const steps = [];
  const hold = gate();
  worker.registerFunction('asks', async (event) => {
    steps.push(`ask ${event.new_value}`);
    if (event.new_value === 1) await hold.promise;
    return event.new_value !== 2;
  });
  worker.on('watch', { scope: 's', concurrency: 2, condition_function_id: 'asks' }, async (event) => {
    steps.push(`do ${event.new_value}`);
  });
  await daemon.trigger('watch', (one) => one.status === 'live');
  for (const n of [1, 2, 3]) await daemon.set('s', 'k', n);
  await daemon.set('s', 'other', 4);
  await daemon.set('s', 'third', 5);
  await waitFor('the others to be done', () => steps.includes('do 4') && steps.includes('do 5'));
  assert.ok(!steps.includes('ask 2'), 'the next of the key waits for the answer');
  hold.open();
  await daemon.settled();
  assert.deepEqual(steps.filter((one) => /[123]/.test(one)), ['ask 1', 'do 1', 'ask 2', 'ask 3', 'do 3']);
});
