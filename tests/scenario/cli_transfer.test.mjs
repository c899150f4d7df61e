// Keys that leave an engine and come into another one: export, import, import from Redis.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, freePort, Link, program, run, startDaemon, tempDir, test, waitFor } from './lib.mjs';

const ok = (result) => {
  assert.equal(result.code, 0, `exit code ${result.code}: ${result.stderr}`);
  return result.stdout;
};
const lines = (text) => text.trim().split('\n').map((line) => JSON.parse(line));
const line = (scope, key, value, more = {}) => `${JSON.stringify({ scope, key, value, ...more })}\n`;
const importText = (daemon, text, ...args) => run(program, ['import', '-', ...args],
  { env: { ...process.env, PAWL_URL: daemon.url }, cwd: daemon.dir, input: text });

test('what was exported can be imported: values byte for byte, times too', async (t) => {
  const one = await startDaemon(t);
  const two = await startDaemon(t);
  const odd = '{"n":12345678901234567890,"x":1.50,"s":"\\u0000é"}';
  ok(await one.cli('set', 'users', 'odd/é key', odd));
  ok(await one.cli('set', 'users', 'short', '1', '--expires-at', '2040-01-01T00:00:00Z'));
  ok(await one.cli('set', 'a/b', 'k', 'null'));
  await one.call('state::set', { scope: 'users', key: 'zip', value: 'AAEC', encoding: 'base64' });
  const file = path.join(one.dir, 'all.jsonl');
  const told = await one.cli('export', '--output', file);
  ok(told);
  assert.match(told.stderr, /^4 keys written in /);
  assert.ok(!fs.existsSync(`${file}.part`));
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.includes(`"value":${odd}`), text);
  assert.equal(ok(await one.cli('export', '--quiet')), text);
  assert.deepEqual(lines(ok(await one.cli('export', '--scope', 'users', '--prefix', 'sh'))).map((each) => each.key),
    ['short']);

  const took = await two.cli('import', file, '--json');
  assert.deepEqual(JSON.parse(ok(took)), { written: 4, there: 0, expired: 0, failed: 0 });
  const strip = (all) => lines(all).map((each) => ({ ...each, rev: '' }));
  assert.deepEqual(strip(ok(await two.cli('export'))), strip(text));
  assert.ok(ok(await two.cli('export')).includes(odd));
  const before = (await two.events()).length;
  ok(await two.cli('import', file));
  assert.equal((await two.events()).length, before, 'what is there already makes no event');
  ok(await two.cli('import', file, '--scope', 'copy'));
  assert.equal(lines(ok(await two.cli('export', '--scope', 'copy'))).length, 4);
});

test('an export of more pages than one; and one that fails leaves no file', async (t) => {
  const daemon = await startDaemon(t);
  const text = Array.from({ length: 2500 }, (_, i) => line('s', `k${String(i).padStart(4, '0')}`, i)).join('');
  ok(await importText(daemon, text));
  const all = lines(ok(await daemon.cli('export')));
  assert.deepEqual(all.map((each) => each.value), Array.from({ length: 2500 }, (_, i) => i));
  await daemon.stop();
  const file = path.join(daemon.dir, 'none.jsonl');
  assert.equal((await daemon.cli('export', '--output', file)).code, 3);
  assert.deepEqual(fs.readdirSync(daemon.dir).filter((name) => name.startsWith('none')), []);
  assert.equal((await daemon.cli('export', '--output', '/no/such/dir/x')).code, 1);
});

test('lines that are wrong are told with their number; the others are written', async (t) => {
  const daemon = await startDaemon(t);
  const text = line('s', 'a', 1) + 'no json\n' + '\n' + '{"scope":"s","value":1}\n' + line('s', '', 2) +
    line('s', 'x'.repeat(2000), 3) + line('s', 'b', 4) + line('s', 'past', 5, { expires_at: '2001-01-01T00:00:00Z' }) +
    line('s', 'c', 6, { expires_at: 'soon' }) + '{"scope":"s","key":"last","value":7}';
  const result = await importText(daemon, text, '--json');
  assert.equal(result.code, 1);
  assert.deepEqual(JSON.parse(result.stdout), { written: 3, there: 0, expired: 1, failed: 5 });
  for (const number of [2, 4, 5, 6, 9]) assert.match(result.stderr, new RegExp(`^line ${number}: .+`, 'm'));
  assert.deepEqual(lines(ok(await daemon.cli('export'))).map((each) => each.key), ['a', 'b', 'last']);
});

test('--if absent leaves what is there; the last of two lines of one key wins', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'a', 'old');
  const text = line('s', 'a', 'new') + line('s', 'b', 'first') + line('s', 'b', 'second');
  const absent = await importText(daemon, text, '--if', 'absent', '--json');
  assert.deepEqual(JSON.parse(ok(absent)), { written: 1, there: 2, expired: 0, failed: 0 });
  assert.deepEqual([await daemon.get('s', 'a'), await daemon.get('s', 'b')], ['old', 'first']);
  ok(await importText(daemon, text, '--batch', '1'));
  assert.deepEqual([await daemon.get('s', 'a'), await daemon.get('s', 'b')], ['new', 'second']);
  for (const args of [['-', '--batch', '0'], ['-', '--batch', '129'], [], ['-', '--if', 'maybe'],
    ['-', '--resume'], ['x', '--from-redis', 'redis://x']]) {
    assert.equal((await run(program, ['import', ...args, '--url', daemon.url], { cwd: daemon.dir })).code, 2,
      args.join(' '));
  }
  assert.equal((await daemon.cli('import', 'no-such-file')).code, 1);
});

test('an import whose engine is killed goes on where it ended', async (t) => {
  const daemon = new Daemon(tempDir(t), await freePort(), {});
  await daemon.start();
  t.after(() => daemon.stop());
  const file = path.join(daemon.dir, 'many.jsonl');
  const count = 60000;
  fs.writeFileSync(file, Array.from({ length: count }, (_, i) => line('s', `k${i}`, { i, pad: 'x'.repeat(500) })).join(''));
  const child = spawn(program, ['import', file, '--url', daemon.url, '--batch', '4'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await waitFor('the first note', () => fs.existsSync(`${file}.resume`));
  await daemon.kill();
  assert.deepEqual((await ended)[0], 3);
  const note = JSON.parse(fs.readFileSync(`${file}.resume`, 'utf8'));
  assert.ok(note.line > 0 && note.line < count, JSON.stringify(note));
  await daemon.start();
  const rest = JSON.parse(ok(await daemon.cli('import', file, '--resume', '--json')));
  assert.equal(rest.written, count - note.line);
  assert.ok(!fs.existsSync(`${file}.resume`));
  assert.equal(lines(ok(await daemon.cli('export'))).length, count);

  fs.writeFileSync(`${file}.resume`, '{"offset":5,"line":1}');
  const other = await daemon.cli('import', file, '--resume');
  assert.equal(other.code, 1);
  assert.match(other.stderr, /does not fit the file/);
}, 120000);

test('an engine that does not answer any more: exit code 3, and nothing is called written', async (t) => {
  const daemon = await startDaemon(t);
  const link = await Link.open(t, daemon.port);
  link.cut();
  const result = await run(program, ['import', '-', '--json', '--url', link.address.replace('ws', 'http')],
    { input: line('s', 'k', 1) });
  assert.equal(result.code, 3, result.stderr);
  assert.equal(JSON.parse(result.stdout).written, 0);
});

async function redis(t) {
  const port = await freePort();
  const dir = tempDir(t);
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir,
    '--requirepass', 'p@ss'], { stdio: 'ignore' });
  t.after(() => server.kill('SIGKILL'));
  const cli = (...args) => execFileSync('redis-cli', ['-p', String(port), '--no-auth-warning', '-a', 'p@ss', ...args],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  await waitFor('redis', () => cli('ping').trim() === 'PONG');
  return { cli, url: `redis://:p%40ss@127.0.0.1:${port}`, port };
}

test('import --from-redis', async (t) => {
  try {
    execFileSync('redis-server', ['--version']);
  } catch {
    t.skip('redis-server is not installed');
    return;
  }
  const daemon = await startDaemon(t);
  const { cli, url, port } = await redis(t);
  cli('set', 'users:ada', '{"plan":"free"}', 'px', '600000');
  cli('set', 'plain', 'hello');
  cli('set', 'digits', '007');
  cli('set', 'big', '12345678901234567890');
  cli('hset', 'users:bob', 'plan', 'pro', 'visits', '3');
  cli('rpush', 'list', '1', 'a', '{"x":2}');
  cli('sadd', 'set', 'b', 'a', 'c');
  cli('zadd', 'sorted', '1.5', 'one', 'inf', 'two');
  cli('xadd', 'stream', '*', 'a', 'b');
  cli('eval', "redis.call('rpush', 'bytes', '\\255')", '0');
  cli('eval', "redis.call('set', 'blob', '\\255\\254')", '0');
  for (let i = 0; i < 12; i++) cli('eval', `for i=1,100 do redis.call('set', 'many:${i}_'..i, i) end`, '0');
  const before = Date.now();
  const result = await daemon.cli('import', '--from-redis', `${url}/0`, '--split', ':', '--scope', 'rest', '--json');
  assert.equal(result.code, 1, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), { written: 1209, there: 0, expired: 0, failed: 1 });
  assert.match(result.stderr, /"bytes": its value is not UTF-8/);
  assert.match(result.stderr, /1 keys were passed over: streams/);
  const rest = Object.fromEntries(lines(ok(await daemon.cli('export', '--scope', 'rest'))).map((one) => [one.key, one]));
  assert.deepEqual(Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, one.value])), {
    plain: 'hello', digits: '007', blob: '//4=', big: 12345678901234567890, list: [1, 'a', { x: 2 }], set: ['a', 'b', 'c'],
    sorted: [['one', 1.5], ['two', 'inf']] });
  assert.deepEqual([rest.plain.encoding, rest.blob.encoding, rest.big.encoding], ['text', 'base64', undefined]);
  assert.equal(ok(await daemon.cli('get', 'rest', 'big', '--json')).trim(), '12345678901234567890');
  const users = lines(ok(await daemon.cli('export', '--scope', 'users')));
  assert.deepEqual(users.map((one) => one.value), [{ plan: 'free' }, { plan: 'pro', visits: 3 }]);
  assert.ok(Math.abs(Date.parse(users[0].expires_at) - before - 600000) < 20000);
  assert.equal(users[1].expires_at, undefined);
  assert.equal(lines(ok(await daemon.cli('export', '--scope', 'many'))).length, 1200);

  const some = await daemon.cli('import', '--from-redis', url, '--match', 'pl*', '--json');
  assert.deepEqual(JSON.parse(ok(some)).written, 1);
  assert.equal(await daemon.get('redis', 'plain'), 'hello');
  const denied = await daemon.cli('import', '--from-redis', `redis://127.0.0.1:${port}/0`);
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /NOAUTH|required/i);
  assert.equal((await daemon.cli('import', '--from-redis', `redis://127.0.0.1:${await freePort()}`)).code, 1);
  assert.equal((await daemon.cli('import', '--from-redis', 'http://127.0.0.1')).code, 2);
});

test('an import tells how far it is: a bar on a terminal, the sum elsewhere, nothing with --quiet', async (t) => {
  const daemon = await startDaemon(t);
  const file = path.join(daemon.dir, 'bar.jsonl');
  fs.writeFileSync(file, Array.from({ length: 4000 }, (_, i) => line('s', `k${i}`, i)).join(''));
  const onTerminal = async (args, env) => (await run('script', ['-qec', `${program} import ${file} --batch 1 ${args}`,
    '/dev/null'], { env: { ...process.env, PAWL_URL: daemon.url, ...env } })).stdout;
  const drawn = await onTerminal('', { TERM: 'xterm' });
  assert.match(drawn, /\r\u001b\[K\[[#.]{24}\] +\d+ % {2}[\d,]+ keys {2}[\d,]+\/s {2}ETA \d+:\d\d/);
  assert.match(drawn, /4,000 keys written in [\d.]+ s \([\d,]+\/s\)\r\n$/);
  assert.doesNotMatch(await onTerminal('', { TERM: 'dumb' }), /\u001b|\r[^\n]/);
  assert.equal(await onTerminal('--quiet', { TERM: 'xterm' }), '');
  assert.match((await daemon.cli('import', file)).stderr, /^4,000 keys written in /);
}, 120000);

test('pawl replay asks as often as it takes', async (t) => {
  const daemon = await startDaemon(t);
  const count = 10300; // a request takes at most 10,000
  ok(await importText(daemon, Array.from({ length: count }, (_, i) => line('s', `k${i}`, i)).join('')));
  ok(await daemon.cli('trigger', 'create', 'late', '--function', 'nobody', '--scope', 's'));
  const part = JSON.parse(ok(await daemon.cli('replay', '--trigger', 'late', '--limit', '50', '--json')));
  assert.deepEqual([part.replayed, part.more, part.next], [50, true, 51]);
  const all = JSON.parse(ok(await daemon.cli('replay', '--trigger', 'late', '--from', '51', '--json')));
  assert.deepEqual([all.replayed, all.more, all.next], [count - 50, false, count + 1]);
}, 120000);
