// pawl doctor: each thing that it examines is provoked once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { freePort, program, run, sdk, startDaemon, startManual, tempDir, test, waitFor } from './lib.mjs';

// What it says, as "level topic: message -> advice" lines.
async function doctor(args, env = {}, command = [program]) {
  const [file, ...before] = command;
  const result = await run(file, [...before, 'doctor', '--json', ...args], { env: { ...process.env, ...env } });
  const report = JSON.parse(result.stdout);
  assert.equal(result.code, report.ok ? 0 : 1);
  assert.equal(report.ok, !report.findings.some((one) => one.level === 'fail'));
  for (const one of report.findings) assert.ok(one.level === 'ok' || one.advice || one.topic === 'config', one.message);
  return report.findings.map((one) => `${one.level} ${one.topic}: ${one.message}`);
}
const says = (lines, wanted) => assert.ok(lines.some((line) => wanted.test(line)), `${wanted} in:\n${lines.join('\n')}`);

test('an engine that is well', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'k', 1);
  const lines = await doctor(['--config', daemon.configFile]);
  for (const wanted of [/^ok config: .*config\.yaml is right/, /^ok data: .* ours and writable/, /^ok disk: \d+ MiB are free/,
    new RegExp(`^ok data: process ${daemon.process.pid} has it`), /^ok clock: time zones/, /^ok limits: .*max_connections/,
    /^ok limits: .*cache\.max_bytes/, new RegExp(`^ok engine: it answers at ${daemon.url}$`), /^ok engine: its status is ok/,
    /^ok engine: it is version/, /^ok store: it takes writes/, /^ok journal: it has 0 of/, /^ok clock: the engine's clock and ours/,
    /^ok dead: there are 0/, /^ok triggers: 0 are paused/, /^ok functions: 0 are disabled/]) says(lines, wanted);
  assert.ok(!lines.some((line) => line.startsWith('fail')), lines.join('\n'));
  const told = await run(program, ['doctor', '--config', daemon.configFile]);
  assert.match(told.stdout, /^ok {3}config .*\n/);
  assert.match(told.stdout, /\d+ ok, \d+ to look at, 0 wrong\n$/);
  assert.doesNotMatch(told.stdout, /\u001b/);
  const colored = await run(program, ['doctor', '--config', daemon.configFile, '--color', 'always']);
  assert.match(colored.stdout, /^\u001b\[32mok\u001b\[0m {3}config/);
});

test('a wrong configuration, secrets that everybody may read, a missing secret', async (t) => {
  const file = path.join(tempDir(t), 'c.yaml');
  fs.writeFileSync(file, 'lisen: x\n');
  says(await doctor(['--config', file]), /^fail config: .*c\.yaml:1:1: .*listen/);
  fs.writeFileSync(file, 'secrets:\n  hook: "${NO_SUCH_SECRET}"\n');
  says(await doctor(['--config', file]), /^fail config: .*NO_SUCH_SECRET/);
  fs.chmodSync(file, 0o644);
  says(await doctor(['--config', file], { NO_SUCH_SECRET: 'x' }), /^warn config: .*names secrets/);
  fs.chmodSync(file, 0o600);
  const lines = await doctor(['--config', file], { NO_SUCH_SECRET: 'x' });
  assert.ok(!lines.some((line) => line.includes('names secrets')));
});

test('the data directory: absent, no directory, open to all, in memory, held by an engine that does not answer', async (t) => {
  const dir = tempDir(t);
  const at = (data) => doctor(['--data', data, '--url', 'http://127.0.0.1:9']);
  says(await at(path.join(dir, 'none')), /^warn data: .*none does not exist yet/);
  fs.writeFileSync(path.join(dir, 'file'), '');
  says(await at(path.join(dir, 'file')), /^fail data: .*is no directory/);
  says(await at('/proc/self/none'), /^fail data: .*not ours to write/);
  fs.mkdirSync(path.join(dir, 'open'));
  fs.chmodSync(path.join(dir, 'open'), 0o755);
  says(await at(path.join(dir, 'open')), /^warn data: every user of this machine may look into .*755/);
  if (process.getuid() === 0) {
    fs.chownSync(path.join(dir, 'open'), 12345, 12345);
    says(await at(path.join(dir, 'open')), /^warn data: .*owned by user 12345/);
  }
  if (fs.existsSync('/dev/shm')) says(await at('/dev/shm'), /^warn disk: .*tmpfs: it is memory/);
  const daemon = await startDaemon(t);
  says(await at(daemon.data), /^fail engine: an engine has the data directory, but: /);
  says(await at(path.join(dir, 'open')), /^warn engine: no engine answers/);
});

test('few files may be open', async (t) => {
  const lines = await doctor(['--data', tempDir(t)], {}, ['bash', '-c', `ulimit -n 200; exec "${program}" "$@"`, 'bash']);
  says(lines, /^warn limits: an engine that is started from here may open 200 files/);
});

test('an engine with troubles: dead letters, paused and unbound triggers, a manual clock, memory only', async (t) => {
  const daemon = await startManual(t, {
    state: { adapter: { config: { store_method: 'in_memory' } } },
    triggers: [{ id: 'lonely', scope: 's', function: 'nobody' }],
  });
  const worker = sdk(t, daemon);
  worker.on('fails', { scope: 's', retry: { max_attempts: 1 } }, async () => {
    throw new Error('out of order');
  });
  const { id } = await daemon.trigger('fails');
  await daemon.set('s', 'a', 1);
  await waitFor('the dead letter', async () => (await daemon.dead()).length === 1);
  assert.equal((await daemon.cli('trigger', 'pause', id)).code, 0);
  const lines = await doctor(['--config', daemon.configFile]);
  says(lines, /^warn dead: there are 1 dead letters/);
  says(lines, new RegExp(`^warn triggers: 1 are paused.*: ${id}$`));
  says(lines, /^warn triggers: the functions of 1 triggers have never been offered/);
  says(lines, /^warn clock: the engine's clock is manual/);
  says(lines, /^warn store: it is in memory/);
});

// An engine that says of itself what the test wants.
async function fake(t, status, answers = {}) {
  const server = http.createServer((request, response) => {
    const [code, body] = answers[request.url] ?? (request.url === '/v1/status' ? [200, status]
      : [200, { now_ms: Date.now() }]);
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(await freePort(), '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test('what an engine may say: writes refused, recovered, a full journal, another version, a clock apart, disabled functions', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'c.yaml');
  fs.writeFileSync(file, `data: ${dir}\njournal:\n  max_bytes: 64m\n`);
  const url = await fake(t, { status: 'read_only', version: '9.9', clock: 'real',
    store: { writable: false, message: 'the disk is full', recoveries: 2, journal_bytes: 62 << 20, volatile: false },
    config: { needs_restart: ['listen'] } },
  { '/v1/clock': [200, { now_ms: Date.now() - 60000 }],
    '/v1/functions': [200, { functions: [{ function_id: 'hook', disabled: 'gone' }, { function_id: 'fine', disabled: null }] }] });
  const lines = await doctor(['--config', file, '--url', url]);
  for (const wanted of [/^fail engine: its status is read_only/, /^warn engine: it is version 9\.9, this program/,
    /^fail store: it refuses writes: the disk is full/, /^warn store: a write or sync has failed 2 times/,
    /^warn journal: it has 62 of 64 MiB/, /^warn clock: the engine's clock and ours are \d+ ms apart/,
    /^warn config: changes wait for a restart: \["listen"\]/, /^warn functions: 1 are disabled.*: hook$/]) says(lines, wanted);
  const denied = await fake(t, {}, { '/v1/status': [401, {}] });
  says(await doctor(['--data', dir, '--url', denied]), /^fail engine: .* answers with status 401/);
  const other = await fake(t, 'no engine');
  says(await doctor(['--data', dir, '--url', other]), /^fail engine: .* answers with status 200/);
});
