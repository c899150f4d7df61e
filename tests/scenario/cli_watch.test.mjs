// pawl watch, and pawl events --follow: what they print, and that they go on when the engine was away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { program, startDaemon, test, waitFor } from './lib.mjs';

// A command that runs until the test ends; `lines` are those of its output.
function runs(t, daemon, ...args) {
  const child = spawn(program, [...args, '--url', daemon.url]);
  const got = { child, out: '', err: '', gone: once(child, 'exit') };
  child.stdout.setEncoding('utf8').on('data', (data) => (got.out += data));
  child.stderr.setEncoding('utf8').on('data', (data) => (got.err += data));
  got.lines = () => got.out.split('\n').slice(0, -1);
  got.count = (n) => waitFor(`${n} lines of ${args}`, () => {
    if (got.lines().length < n) throw new Error(got.out + got.err);
    return got.lines();
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await got.gone;
  });
  return got;
}

const watchers = (daemon, count) => waitFor(`${count} watchers`, async () =>
  (await daemon.call('engine::status')).watchers === count);

test('pawl watch shows changes of one scope, with filters, for people and for programs', async (t) => {
  const daemon = await startDaemon(t);
  const people = runs(t, daemon, 'watch', 'users', '--prefix', 'u_', '--when', 'new_value.plan == "pro"');
  const programs = runs(t, daemon, 'watch', '--json', '--events', 'deleted');
  await watchers(daemon, 2);
  await daemon.set('users', 'u_1', { plan: 'free' });
  await daemon.set('users', 'u_1', 'broken');
  await daemon.set('users', 'u_1', { plan: 'pro' });
  await daemon.set('users', 'x_1', { plan: 'pro' });
  await daemon.call('state::delete', { scope: 'users', key: 'u_1' });
  const [line] = await programs.count(1);
  assert.equal(JSON.parse(line).event_type, 'state:deleted');
  await people.count(1);
  assert.match(people.out, /^\S+Z \w+-\d+-3 state:updated users u_1 \{"plan":"pro"\}\n$/);
  assert.match(people.err, /the condition failed at event 2 .*new_value\.plan/);
  people.child.kill('SIGINT');
  assert.deepEqual(await people.gone, [null, 'SIGINT']);
});

test('pawl watch --snapshot and --since', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'a', 1);
  await daemon.set('s', 'b', 2);
  const people = runs(t, daemon, 'watch', 's', '--snapshot');
  const programs = runs(t, daemon, 'watch', 's', '--snapshot', '--json');
  const since = runs(t, daemon, 'watch', 's', '--since', '1', '--json');
  await watchers(daemon, 3);
  await daemon.set('s', 'c', 3);
  const shown = await people.count(5);
  assert.deepEqual(shown.slice(0, 3), ['snapshot_begin s ', 'snapshot 1 s a 1', 'snapshot 2 s b 2']);
  assert.match(shown[3], /^snapshot_end \w+-\d+-2 2$/);
  assert.match(shown[4], /state:created s c 3$/);
  const parsed = (await programs.count(5)).map((text) => JSON.parse(text));
  assert.deepEqual(parsed.map((one) => one.type), ['snapshot_begin', 'snapshot', 'snapshot', 'snapshot_end', 'state']);
  assert.deepEqual((await since.count(2)).map((text) => JSON.parse(text).key), ['b', 'c']);
});

test('a restart or a crash of the engine is bridged: nothing is missed, nothing comes twice', async (t) => {
  const daemon = await startDaemon(t, { watch: { retry: '20ms' } });
  await daemon.set('s', 'k', 0);
  const watch = runs(t, daemon, 'watch', 's', '--json');
  const follow = runs(t, daemon, 'events', '--follow', '--json', '--scope', 's');
  await watchers(daemon, 2);
  let written = 0;
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL']) {
    await daemon.set('s', 'k', ++written);
    await daemon.set('s[]', 'k', written); // another scope
    await daemon.restart(signal);
    await daemon.set('s', 'k', ++written);
  }
  const values = (lines) => lines.map((text) => JSON.parse(text).new_value);
  assert.deepEqual(values(await watch.count(written)), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(values(await follow.count(written + 1)), [0, 1, 2, 3, 4, 5, 6]);
  assert.match(watch.err, /the stream was cut off; it is taken up again/);
});

test('what cannot be watched, and no engine at all', async (t) => {
  const daemon = await startDaemon(t);
  const wrong = await daemon.cli('watch', 's', '--when', 'a b');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /line 1, column 3/);
  const gone = await daemon.cli('watch', '--since', '99');
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /snapshot=true/);
  const { code } = await daemon.cli('watch', '--url', 'http://127.0.0.1:1');
  assert.equal(code, 3);
});
