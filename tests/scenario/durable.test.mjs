// What the disk is asked for, and what becomes of ids and cursors when yesterday's files come back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Inbox, sdk, startDaemon, tempDir, test, waitFor } from './lib.mjs';

test('yesterday\'s files: no id is used again, and a cursor from behind them is told so', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'x', function: 'watch', scope: 's' }] });
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => inbox.put(event));
  const backup = path.join(tempDir(t), 'yesterday');
  const restore = async (signal) => {
    await daemon.stop(signal);
    fs.rmSync(daemon.data, { recursive: true });
    fs.cpSync(backup, daemon.data, { recursive: true });
    await daemon.start();
  };
  for (let i = 0; i < 5; i++) await daemon.set('s', 'k', `before ${i}`);
  await inbox.count(5);
  await daemon.settled();
  await daemon.stop();
  fs.cpSync(daemon.data, backup, { recursive: true });
  await daemon.start();
  const given = new Map((await daemon.events()).map((event) => [event.id, event.new_value]));
  // Two days are lived that are lost later, one after a clean stop and one after a kill.
  for (const [day, signal] of [['monday', 'SIGTERM'], ['tuesday', 'SIGKILL'], ['wednesday', 'SIGTERM']]) {
    for (let i = 0; i < 5; i++) await daemon.set('s', 'k', `${day} ${i}`);
    await daemon.settled();
    const events = await daemon.events();
    assert.equal(events.length, 10);
    for (const { id, new_value: value } of events) {
      assert.ok(!given.has(id) || given.get(id) === value, `${id} was ${given.get(id)} and is ${value}`);
      given.set(id, value);
    }
    assert.equal(inbox.items.filter((one) => one.new_value.startsWith(day)).length, 5, day);
    await restore(signal);
    const refused = await daemon.cli('events', '--since', '10');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /no event 10 yet: the last one is 5; .*restored from an older copy/);
    const known = await daemon.cli('events', '--since', '3', '--json');
    assert.equal(known.stdout.trim().split('\n').length, 2);
    assert.equal((await daemon.trigger('watch')).cursor, 5);
  }
  assert.equal(given.size, 20);
  assert.equal(inbox.items.filter((one) => one.new_value.startsWith('before')).length, 5);
});

// What a process asks the system for: { lines, end }.
async function traced(t, pid, calls) {
  const file = path.join(tempDir(t), 'trace');
  const strace = spawn('strace', ['-f', '-y', '-qq', '-e', `trace=${calls}`, '-o', file, '-p', pid]);
  const gone = once(strace, 'exit');
  t.after(() => strace.kill());
  await waitFor('strace to be there', () =>
    /TracerPid:\s+[1-9]/.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8')));
  return {
    lines: () => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean),
    end: async () => {
      strace.kill();
      await gone;
    },
  };
}

test('one sync of the journal a batch, none for a delivery', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', { scope: 's' }, async (event) => inbox.put(event));
  await daemon.trigger('watch', (one) => one.status === 'live');
  await daemon.settled();
  const trace = await traced(t, daemon.process.pid, 'fsync,fdatasync,sync_file_range,msync');
  const syncs = () => trace.lines().filter((line) => line.includes('/journal/') && !line.includes('resumed'));
  const groups = async () => (await daemon.call('engine::status')).store.groups;
  const before = await groups();
  const one = await daemon.call('state::transact', { ops: Array.from({ length: 100 }, (_, i) =>
    ({ type: 'set', scope: 's', key: `k${i}`, value: i })) });
  assert.equal(one.results.length, 100);
  await inbox.count(100);
  await daemon.settled();
  // A hundred events and deliveries: one batch is synced, the cursors that follow are not.
  assert.equal(syncs().length, 1, syncs().join('\n'));
  await Promise.all(Array.from({ length: 200 }, (_, i) =>
    worker.call('state::set', { scope: 's', key: `k${i % 50}`, value: -i - 1 })));
  await inbox.count(300);
  await daemon.settled();
  const batches = (await groups()) - before;
  assert.ok(syncs().length <= batches, `${syncs().length} syncs of ${batches} batches`);
  await trace.end();
});

test('an idle daemon is not woken', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'x', function: 'watch', scope: 's' },
    { id: 'waits', function: 'absent', scope: 'other' }] });
  const inbox = new Inbox();
  const worker = sdk(t, daemon);
  worker.registerFunction('watch', async (event) => inbox.put(event));
  for (let i = 0; i < 20; i++) await daemon.set('s', 'k', i);
  await inbox.count(20);
  await worker.shutdown();
  const trace = await traced(t, daemon.process.pid, 'all');
  // The view is written and its log cut, then there is nothing more to do.
  let seen = -1;
  let since = 0;
  await waitFor('three quiet seconds', () => {
    const count = trace.lines().length;
    if (count !== seen) since = performance.now();
    seen = count;
    return performance.now() - since > 3000;
  }, 40000).catch((error) => {
    throw new Error(`${error.message}:\n${trace.lines().slice(-20).join('\n')}`);
  });
  await trace.end();
});
