// Faults made on purpose: a full disk, a wrong clock, a worker that hangs, a kill at a named place.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, Inbox, childWorker, freePort, gate, program, run, sdk, startDaemon, startManual,
  tempDir, test, waitFor } from './lib.mjs';

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const count = (items, key) => {
  const counts = new Map();
  for (const one of items) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return counts;
};

// ---- a disk that fills up ----

// A daemon whose data is on a disk of its own, of that size; who is not root needs user namespaces.
async function onSmallDisk(t, size, config) {
  const alone = ['-rm', 'sh', '-c'];
  if ((await run('unshare', [...alone, 'mount -t tmpfs tmpfs /mnt'])).code !== 0) {
    return t.skip('no namespaces here: a disk of its own cannot be made');
  }
  const daemon = new Daemon(tempDir(t), await freePort(), config);
  fs.mkdirSync(daemon.data);
  daemon.command = ['unshare', ...alone,
    'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"', size, daemon.data, program];
  t.after(() => daemon.stop());
  await daemon.start();
  daemon.seen = (name) => path.join('/proc', String(daemon.process.pid), 'root', daemon.data, name);
  return daemon;
}

test('a full disk refuses writes by name, loses nothing, and goes on when there is room', async (t) => {
  const daemon = await onSmallDisk(t, '40m', {
    triggers: [{ id: 'watch', function: 'watch', scope: 's' }] });
  if (!daemon) return;
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async ({ key, seq }) => inbox.put({ key, seq }));
  const pad = 'x'.repeat(100000);
  const acked = new Map();
  let n = 0;
  const write = async () => {
    const key = `k${n++}`;
    await daemon.set('s', key, `${n}${pad}`);
    acked.set(key, `${n}${pad}`);
  };
  const filler = daemon.seen('filler');
  await write();
  await inbox.count(1);
  const space = fs.statfsSync(daemon.seen('.'));
  fs.writeFileSync(filler, Buffer.alloc(Math.max(0, space.bavail * space.bsize - 3000000)));
  const codes = new Set();
  while (!codes.has('disk_full') && n < 500) await write().catch(({ code }) => codes.add(code));
  // The write that met the end of the disk may be there or not, and says so; no other one may.
  assert.deepEqual([...codes].filter((code) => code !== 'outcome_unknown'), ['disk_full']);
  const health = await daemon.http('GET', '/health');
  assert.equal(health.status, 503);
  for (const [key, value] of acked) assert.equal(await daemon.get('s', key), value, key);
  const unknown = await daemon.http('GET', '/v1/state/s/never-read');
  assert.equal(unknown.json.code, 'disk_full', 'what is not in memory is not waited for');
  fs.rmSync(filler);
  await waitFor('writes to be taken again', () => write().then(() => true, () => false));
  await daemon.settled();
  for (const [key, value] of acked) assert.equal(await daemon.get('s', key), value, key);
  const events = await daemon.events();
  for (const key of acked.keys()) {
    assert.equal(events.filter((one) => one.key === key).length, 1, `one event of ${key}`);
    assert.ok(inbox.items.some((one) => one.key === key), `${key} was delivered`);
  }
});

// ---- a clock that is wrong ----

function wrongClock(dir) {
  const file = path.join(dir, 'clock');
  const set = (seconds) => {
    fs.writeFileSync(`${file}.new`, String(seconds));
    fs.renameSync(`${file}.new`, file); // never read half
  };
  set(0);
  const shift = path.join(path.dirname(program), 'tests/clock_shift.so');
  assert.ok(fs.existsSync(shift), shift);
  return { set, env: { LD_PRELOAD: shift, PAWL_TEST_CLOCK: file,
    ASAN_OPTIONS: 'verify_asan_link_order=0' } };
}

test('a clock that is set back or forward neither holds up a retry nor buries what waits', async (t) => {
  const clock = wrongClock(tempDir(t));
  const daemon = await startDaemon(t, {
    delivery: { park_max: '1h' },
    triggers: [{ id: 'flaky', function: 'flaky', scope: 's',
      retry: { initial_ms: 1000, max_ms: 1000, jitter: 0 } },
    { id: 'parked', function: 'absent', scope: 's' }] }, clock.env);
  const inbox = new Inbox();
  let works = false;
  sdk(t, daemon).registerFunction('flaky', async (event) => {
    inbox.put(event);
    if (!works) throw new Error('not yet');
  });
  const DAY = 86400;
  await daemon.set('s', 'k', 1);
  await inbox.count(1);
  clock.set(-DAY); // what is due in a second is now due tomorrow
  await inbox.count(2);
  await daemon.kill();
  clock.set(-2 * DAY);
  await daemon.start();
  await inbox.count(3);
  clock.set(DAY / 12); // two hours ahead: longer than park_max
  await daemon.set('s', 'k2', 2);
  works = true;
  await inbox.until('both', (all) => all.some((one) => one.key === 'k2'));
  await waitFor('the retry', async () => (await daemon.trigger('flaky')).waiting === 0);
  assert.deepEqual(await daemon.dead(), []);
  assert.equal((await daemon.trigger('absent')).waiting, 2);
  const times = (await daemon.events()).map((one) => one.time);
  assert.deepEqual(times, [...times].sort(), 'the time of events never goes back');
});

// ---- a worker that hangs ----

test('a worker that is stopped in a call loses its lease, and its late answer changes nothing', async (t) => {
  const daemon = await startManual(t, {
    triggers: [{ id: 'x', function: 'watch', scope: 's', timeout_ms: 500,
      retry: { initial_ms: 1, max_ms: 1, jitter: 0, max_attempts: 1000 } }] }); // the other one may be slow to come
  const hung = childWorker(t, daemon, 'recorder.mjs', 'watch', '{"scope":"nothing"}');
  await daemon.trigger('watch', (one) => one.id !== 'x' && one.status === 'live');
  await daemon.set('s', 'k', 'hold');
  await hung.inbox.count(1);
  const other = childWorker(t, daemon, 'recorder.mjs', 'watch', '{"scope":"nothing"}');
  await waitFor('both to serve', async () =>
    (await daemon.call('engine::functions::list')).functions[0].providers === 2);
  hung.child.kill('SIGSTOP');
  hung.tell('go'); // it answers when it goes on
  const holder = async () => (await daemon.jobs())[0].worker;
  const first = await holder();
  while (await holder() === first) await daemon.advance(501, { settle_ms: 0 });
  await other.inbox.count(1);
  other.tell('go');
  await waitFor('the other to have answered', async () =>
    (await daemon.trigger('watch', (one) => one.id === 'x')).delivered === 1);
  await daemon.set('s', 'k', 'next'); // the key is free
  hung.child.kill('SIGCONT');
  await daemon.settled();
  const trigger = await daemon.trigger('watch', (one) => one.id === 'x');
  assert.equal(trigger.delivered, 2);
  assert.ok(trigger.failed_attempts >= 1);
  const all = [...hung.inbox.items, ...other.inbox.items];
  assert.equal(new Set(all.map((one) => one.delivery_id)).size, 2);
  const attempts = all.filter((one) => one.new_value === 'hold').map((one) => one.attempt);
  assert.deepEqual([...attempts].sort(), range(1, attempts.length + 1), 'each attempt has its number');
});

// ---- kills ----

test('what has an outcome does not run again after a kill, though an earlier event is still owed', async (t) => {
  const daemon = await startDaemon(t, {
    triggers: [{ id: 'x', function: 'watch', scope: 's', retry: { initial_ms: 1, max_ms: 1 } }] });
  const inbox = new Inbox();
  const hold = gate();
  sdk(t, daemon).registerFunction('watch', async (event) => {
    inbox.put(event);
    if (event.key === 'first') await hold.promise; // so the cursor stays before it
    if (event.key === 'fails' && event.attempt === 1) throw new Error('once');
    if (event.key === 'dies') return { $pawl: { fail: true, reason: 'no' } };
    return null;
  });
  for (const key of ['first', 'fails', 'dies']) await daemon.set('s', key, 1);
  await inbox.count(4);
  await waitFor('the other two to have an outcome', async () => {
    const x = await daemon.trigger('watch');
    return x.delivered === 1 && x.dead === 1;
  });
  await daemon.set('other', 'k', 1); // an acknowledged write: what was put before it is on disk
  await daemon.kill();
  await daemon.start();
  await inbox.until('the first one again', (all) => all.filter((one) => one.key === 'first').length === 2);
  hold.open();
  await daemon.settled();
  assert.deepEqual([...count(inbox.items, (one) => one.key)], [['first', 2], ['fails', 2], ['dies', 1]]);
  assert.equal((await daemon.dead()).length, 1);
});

test('a trigger is durable when its registration is answered', async (t) => {
  const daemon = await startDaemon(t);
  for (let n = 0; n < 5; n++) {
    const made = await daemon.http('POST', '/v1/triggers',
      { id: `t${n}`, trigger_type: 'state', function_id: 'watch', config: { scope: `s${n}` } });
    assert.equal(made.status < 300, true, made.text);
    await daemon.kill();
    await daemon.start();
    await daemon.set(`s${n}`, 'k', n);
  }
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => inbox.put(event));
  await inbox.count(5);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.scope).sort(), range(0, 5).map((n) => `s${n}`));
});

const HELD = 1;

// The n-th time that the daemon comes by the place it is killed; base/crash.h says what the places are.
for (const place of ['write:6', 'sync:6', 'answer:6', 'cursor:5', 'job:2', 'outcome:2']) {
  test(`killed at ${place}: what was acknowledged is delivered or dead, once`, async (t) => {
    const daemon = await startDaemon(t, {
      triggers: [{ id: 'x', function: 'watch', scope: 's',
        retry: { initial_ms: 1, max_ms: 1, max_attempts: 3 } }] }, { PAWL_CRASH_AT: place });
    const inbox = new Inbox();
    let lives = 1;
    sdk(t, daemon).registerFunction('watch', async (event) => {
      inbox.put(event);
      // One still runs when it comes to the kill, so that no cursor may have passed it.
      if (event.new_value === HELD && lives === 1) await new Promise(() => {});
      if (event.new_value % 3 === 0) throw new Error('always');
      if (event.new_value % 3 === 1 && event.attempt === 1) throw new Error('once');
    });
    const acked = [];
    for (let n = 0; daemon.process && n < 300; n++) {
      await daemon.set('s', `k${n % 7}`, n).then(() => acked.push(n), () => {});
    }
    const { signal } = await daemon.gone;
    assert.equal(signal, 'SIGKILL', 'it came by there');
    daemon.env = {};
    lives++;
    const begun = inbox.items.some((one) => one.new_value === HELD);
    await daemon.start();
    await daemon.settled();
    const events = await daemon.events();
    const values = new Map(events.filter((one) => one.type === 'state').map((one) => [one.new_value, one.key]));
    for (const n of acked) assert.equal(values.get(n), `k${n % 7}`, `${n} was acknowledged`);
    const dead = (await daemon.dead()).map((one) => one.event.new_value);
    assert.deepEqual([...dead].sort((a, b) => a - b), [...values.keys()].filter((n) => n % 3 === 0));
    const letters = await daemon.dead();
    assert.ok(letters.every((one) => one.attempts.length === 3), 'each after three attempts');
    for (const key of new Set(values.values())) {
      const firsts = [...new Set(inbox.items.filter((one) => one.key === key).map((one) => one.seq))];
      assert.deepEqual(firsts, [...firsts].sort((a, b) => a - b), `${key} in order`);
    }
    const told = events.filter((one) => one.type === 'dead').map((one) => one.dead.id);
    assert.deepEqual(told.sort(), letters.map((one) => one.id).sort(), 'each letter is told of once');
    if (begun) assert.ok(inbox.items.filter((one) => one.new_value === HELD).length >= 2, 'once more');
    for (const n of values.keys()) assert.ok(inbox.items.some((one) => one.new_value === n), `${n} came`);
  });
}
