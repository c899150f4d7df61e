// The program: every command, --json, exit codes, the judging of configurations.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, freePort, program, root, run, sdk, startDaemon, tempDir, test, waitFor } from './lib.mjs';

const ok = (result) => {
  assert.equal(result.code, 0, `exit code ${result.code}: ${result.stderr}`);
  return result.stdout;
};
const json = (result) => JSON.parse(ok(result));

test('set, get, update, delete, list, scopes', async (t) => {
  const daemon = await startDaemon(t);
  const { cli } = { cli: (...args) => daemon.cli(...args) };
  const set = json(await cli('set', 'users', 'ada', '{"plan":"free"}', '--json'));
  assert.equal(set.old_value, null);
  assert.deepEqual(JSON.parse(ok(await cli('get', 'users', 'ada'))), { plan: 'free' });
  assert.deepEqual(json(await cli('get', 'users', 'ada', '--json')), { plan: 'free' });
  const update = json(await cli('update', 'users', 'ada',
    '[{"type":"increment","path":"visits","by":2}]', '--json'));
  assert.deepEqual(update.new_value, { plan: 'free', visits: 2 });
  assert.deepEqual(json(await cli('set', '--json', 'users', 'bob/x y', '"?"')).new_value, '?');
  const table = ok(await cli('list', 'users')).split('\n');
  assert.match(table[0], /^KEY\s+REV\s+VALUE/);
  assert.match(table[1], /^ada\s+2\s+\{"plan":"free","visits":2\}/);
  assert.match(table[2], /^bob\/x y\s/);
  const page = json(await cli('list', 'users', '--limit', '1', '--reverse', '--json'));
  assert.deepEqual(page.items.map((one) => one.key), ['bob/x y']);
  assert.deepEqual(json(await cli('list', 'users', '--prefix=b', '--json')).items.length, 1);
  assert.equal(ok(await cli('scopes')), 'users\n');
  assert.deepEqual(json(await cli('scopes', '--json')), { groups: ['users'] });
  ok(await cli('delete', 'users', 'ada'));
  const gone = await cli('get', 'users', 'ada');
  assert.equal(gone.code, 4);
  assert.equal(gone.stdout, '');
  assert.notEqual(gone.stderr, '');
});

test('--if-rev refuses with exit code 1 and says why', async (t) => {
  const daemon = await startDaemon(t);
  const { rev } = json(await daemon.cli('set', 's', 'k', '1', '--if-rev', '0', '--json'));
  const conflict = await daemon.cli('set', 's', 'k', '2', '--if-rev', '0');
  assert.equal(conflict.code, 1);
  assert.match(conflict.stderr, new RegExp(`rev "${rev}"`));
  ok(await daemon.cli('set', 's', 'k', '2', '--if-rev', rev));
  const wrong = await daemon.cli('delete', 's', 'k', '--if-rev', rev);
  assert.equal(wrong.code, 1);
});

test('events: the last ones, since a seq, of a scope, and following', async (t) => {
  const daemon = await startDaemon(t);
  for (const key of ['a', 'b', 'c']) await daemon.set(key === 'b' ? 'other' : 's', key, { key });
  const text = ok(await daemon.cli('events'));
  assert.equal(text.trim().split('\n').length, 3);
  assert.match(text, /state:created s a \{"key":"a"\}/);
  const lines = ok(await daemon.cli('events', '--since', '1', '--json')).trim().split('\n');
  assert.deepEqual(lines.map((line) => JSON.parse(line).key), ['b', 'c']);
  assert.doesNotMatch(ok(await daemon.cli('events', '--scope', 's')), /other/);
  const follow = spawn(program, ['events', '--follow', '--json', '--url', daemon.url]);
  t.after(() => follow.kill());
  let out = '';
  follow.stdout.setEncoding('utf8').on('data', (data) => (out += data));
  await waitFor('the old events', () => out.split('\n').length === 4);
  await daemon.set('s', 'd', 1);
  await waitFor('the new event', () => out.includes('"key":"d"'));
});

test('triggers, functions, workers, invoke, status', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon, { workerName: 'cli-worker' });
  worker.on('hello', { scope: 's' }, async (data) => ({ hello: data.name ?? 'nobody' }));
  await daemon.trigger('hello');
  assert.match(ok(await daemon.cli('triggers')), /state\s+hello\s+live/);
  assert.equal(json(await daemon.cli('triggers', '--json')).registered_triggers.length, 1);
  assert.match(ok(await daemon.cli('functions')), /^FUNCTION.*\nhello\s+default\s+worker\s+1\s/);
  assert.ok(json(await daemon.cli('functions', '--include_internal', '--json')).functions.length > 20);
  assert.match(ok(await daemon.cli('workers')), /cli-worker/);
  assert.deepEqual(json(await daemon.cli('invoke', 'hello', '{"name":"Ada"}', '--json')), { hello: 'Ada' });
  assert.deepEqual(json(await daemon.cli('invoke', 'hello', '--json')), { hello: 'nobody' });
  ok(await daemon.cli('invoke', 'hello', '--void'));
  const missing = await daemon.cli('invoke', 'no::such');
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /no::such/);
  const status = json(await daemon.cli('status', '--json'));
  assert.equal(status.status, 'ok');
  assert.equal(status.workers, 1);
  ok(await daemon.cli('status'));
});

test('jobs and dead letters', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  let broken = true;
  worker.on('fails', { scope: 's', retry: { max_attempts: 1 } }, async () => {
    if (broken) throw new Error('out of order');
  });
  worker.on('waits', { scope: 'w', retry: { initial_ms: 60000 } }, async () => {
    throw new Error('later');
  });
  await daemon.trigger('fails');
  await daemon.trigger('waits');
  await daemon.set('w', 'k', 1);
  await daemon.set('s', 'a', 1);
  await daemon.set('s', 'b', 1);
  await waitFor('both', async () => (await daemon.dead()).length === 2);
  await waitFor('the job', async () => (await daemon.jobs()).some((one) => one.state === 'sleeping'));
  assert.match(ok(await daemon.cli('jobs')), /sleeping\s+1\s/);
  const id = (await daemon.trigger('fails')).id;
  assert.deepEqual(json(await daemon.cli('jobs', '--trigger', id, '--json')).jobs, []);
  assert.match(ok(await daemon.cli('dead', 'list')), /out of order/);
  const { dead } = json(await daemon.cli('dead', 'list', '--json'));
  const shown = json(await daemon.cli('dead', 'show', dead[0].id, '--json'));
  assert.deepEqual(shown, dead[0]);
  broken = false;
  ok(await daemon.cli('dead', 'replay', dead[0].id));
  ok(await daemon.cli('dead', 'discard', dead[1].id));
  await waitFor('none to be left', async () => (await daemon.dead()).length === 0);
  assert.equal((await daemon.cli('dead', 'show', dead[0].id)).code, 4);
  assert.equal((await daemon.cli('dead', 'replay', 'x')).code, 4);
});

test('help, version, manual; wrong command lines end with 2', async (t) => {
  const dir = tempDir(t);
  const cli = (...args) => run(program, args, { cwd: dir });
  assert.match(ok(await cli('--help')), /usage: pawl COMMAND/);
  assert.match(ok(await cli('--version')), /^pawl \d+\.\d+/);
  assert.match(ok(await cli('check', '--print-man')), /\.TH PAWL 1/);
  const example = ok(await cli('check', '--print-example'));
  assert.equal(example, fs.readFileSync(path.join(root, 'config.yaml.example'), 'utf8'));
  const commands = [...ok(await cli('--help')).matchAll(/^ {2}([a-z][a-z ]*?)(?= +[A-Z[])/gm)]
    .map((match) => match[1].trim());
  assert.ok(commands.length > 15, commands.join());
  for (const name of commands) {
    assert.match(ok(await cli(...name.split(' '), '--help')), new RegExp(`usage: pawl ${name}`));
  }
  for (const line of [[], ['fly'], ['set', 's'], ['get', 's', 'k', 'x'], ['get', 's', 'k', '--fly'],
    ['list', 's', '--limit'], ['dead'], ['update', 's', 'k', 'no json'], ['get', '--url', 'ftp://x', 's', 'k']]) {
    const result = await cli(...line);
    assert.equal(result.code, 2, `${line.join(' ')}: ${result.code}`);
    assert.notEqual(result.stderr, '', line.join(' '));
  }
});

test('without an engine the exit code is 3', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const result = await run(program, ['get', 's', 'k', '--url', url], { cwd: tempDir(t) });
  assert.equal(result.code, 3);
  assert.match(result.stderr, /127\.0\.0\.1/);
});

test('check judges configurations with file, line and a hint', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'c.yaml');
  const check = (text, ...more) => {
    fs.writeFileSync(file, text);
    return run(program, ['check', '--config', file, ...more], { cwd: dir });
  };
  assert.match(ok(await check('')), /ok: 0 functions, 0 triggers/);
  assert.match(ok(await run(program, ['check', '--config', path.join(root, 'config.yaml.example')])), /^ok/);
  const good = 'functions:\n  - id: f\n    exec: {command: [cat]}\ntriggers:\n  - {id: t, function: f}\n';
  assert.deepEqual(json(await check(good, '--json')), { ok: true, functions: 1, triggers: 1 });
  const cases = [
    ['listen: 127.0.0.1:1\nlisen: x\n', 2, /lisen.*listen/],
    ['delivery:\n  timeout: fast\n', 2, /timeout/],
    ['delivery:\n  retry:\n    max_attempts: 0\n', 3, /max_attempts/],
    ['a: [\n', 0, /./],
    ['listen: 0.0.0.0:49134\n', 1, /insecure/],
    ['triggers:\n  - id: t\n    function: f\n    key_regex: "("\n', 0, /key_regex/],
    ['triggers:\n  - id: t\n    function: f\n    scop: x\n', 0, /scop.*scope/],
    ['triggers:\n  - id: t\n    function: f\n    when: "tru"\n', 0, /when/],
    ['triggers:\n  - id: t\n', 2, /function/],
    ['functions:\n  - id: f\n', 2, /exec/],
    ['functions:\n  - id: f\n    exec: {command: [x]}\n  - id: f\n    exec: {command: [x]}\n', 4, /line 2/],
    ['functions:\n  - id: f\n    flow: {}\n    exec: {command: [x]}\n', 3, /flow/],
    ['state:\n  adapter:\n    config:\n      store_method: memory\n', 4, /in_memory/],
    ['data: ${NO_SUCH_VARIABLE_HERE}\n', 1, /NO_SUCH_VARIABLE_HERE/],
  ];
  for (const [text, line, message] of cases) {
    const result = await check(text);
    assert.equal(result.code, 1, text);
    assert.match(result.stderr, message);
    const place = /^(.*?):(\d+):\d+: /.exec(result.stderr);
    assert.ok(place, `no file and line in: ${result.stderr}`);
    assert.equal(place[1], file);
    if (line) assert.equal(Number(place[2]), line, result.stderr);
    const report = await check(text, '--json');
    assert.equal(report.code, 1);
    const parsed = JSON.parse(report.stdout);
    assert.equal(parsed.ok, false);
    assert.ok(parsed.errors[0].line > 0 || parsed.errors[0].code === 'invalid_yaml', report.stdout);
    assert.ok(parsed.errors[0].message);
  }
  const two = await check('lisen: x\ndelivry: {}\n');
  assert.equal(two.stderr.trim().split('\n').length, 2, 'every fault is told at once');
  const absent = await run(program, ['check', '--config', path.join(dir, 'none.yaml')]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /none\.yaml/);
});

test('a second engine on the same data is refused, one on the same port too', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'k', 1);
  const locked = await run(program, ['run', '--data', daemon.data, '--listen',
    `127.0.0.1:${await freePort()}`], { cwd: daemon.dir });
  assert.equal(locked.code, 1);
  assert.match(locked.stderr, /another pawl runs on/);
  const taken = await run(program, ['run', '--data', path.join(daemon.dir, 'other'), '--listen',
    `127.0.0.1:${daemon.port}`], { cwd: daemon.dir });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`${daemon.port}`));
  assert.equal(await daemon.get('s', 'k'), 1);
});

test('run without a config works, says where it listens, and ends well on SIGTERM and SIGINT', async (t) => {
  const dir = tempDir(t);
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const port = await freePort();
    const child = spawn(program, ['run', '--listen', `127.0.0.1:${port}`, '--data', path.join(dir, 'd')],
      { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
    await waitFor('it to listen', () => log.includes(`http://127.0.0.1:${port}`));
    const gone = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    child.kill(signal);
    assert.equal(await gone, 0);
    for (const line of log.trim().split('\n')) JSON.parse(line); // no terminal: JSON
  }
});

test('SIGTERM ends an engine that has idle and busy connections', async (t) => {
  const daemon = new Daemon(tempDir(t), await freePort(), {});
  await daemon.start();
  const worker = sdk(t, daemon);
  worker.on('hello', {}, async () => {});
  await daemon.trigger('hello');
  await daemon.set('s', 'k', 1);
  const began = performance.now();
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  assert.ok(performance.now() - began < 6000);
});
