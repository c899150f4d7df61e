// The examples and the demo do what their READMEs say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, freePort, program, root, run, startDaemon, tempDir, test, waitFor } from './lib.mjs';

// Starts the example's own config, but for its address and data.
async function startExample(t, name) {
  const daemon = new Daemon(tempDir(t), await freePort(), {});
  daemon.spawn = function spawnExample() {
    this.process = spawn(program, ['run', '--config', `examples/${name}/config.yaml`, '--data',
      this.data, '--listen', `127.0.0.1:${this.port}`], { cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PAWL_BIN: program, PAWL_URL: this.url } });
    this.gone = new Promise((resolve) => this.process.on('exit', (code, signal) => {
      this.process = null;
      resolve({ code, signal });
    }));
    this.process.stderr.setEncoding('utf8').on('data', (text) => (this.log += text));
  };
  t.after(async () => assert.deepEqual(await daemon.stop(), { code: 0, signal: null }));
  return daemon.start();
}

test('hello greets', async (t) => {
  const daemon = await startExample(t, 'hello');
  assert.equal((await daemon.cli('set', 'greetings', 'ada', '"Ada"')).code, 0);
  await waitFor('the greeting', async () => await daemon.get('greeted', 'ada') === 'Hello, Ada!');
});

async function manageUsers(daemon) {
  const list = async (scope) => (await daemon.call('state::list', { scope, with_keys: true })).items;
  const set = (key, user) => daemon.set('users', key, user);
  await set('ada', { name: 'Ada', plan: 'free', active: true });
  await set('grace', { name: 'Grace', plan: 'pro', active: true });
  await waitFor('two mails', async () => (await list('mails')).length === 2);
  assert.deepEqual((await list('mails')).map((one) => one.value).sort(),
    ['Welcome, Ada!', 'Welcome, Grace!']);
  await waitFor('two sessions', async () => (await list('sessions')).length === 2);
  await daemon.settled();
  assert.deepEqual((await list('plans')).map((one) => [one.key, one.value]),
    [['free', { ada: true }], ['pro', { grace: true }]]);
  await set('ada', { name: 'Ada', plan: 'pro', active: true });
  await daemon.settled();
  assert.deepEqual((await list('plans')).map((one) => [one.key, one.value]),
    [['free', {}], ['pro', { grace: true, ada: true }]]);
  await set('ada', { name: 'Ada', plan: 'pro', active: false });
  await daemon.settled();
  assert.deepEqual((await list('sessions')).map((one) => one.key), ['grace']);
  assert.deepEqual(await daemon.dead(), []);
  assert.equal((await daemon.triggers()).reduce((sum, one) => sum + one.failed_attempts, 0), 1);
}

test('user management, the shell worker', async (t) => {
  const daemon = await startExample(t, 'user-management');
  await manageUsers(daemon);
});

test('user management, the Node worker', async (t) => {
  const folder = path.join(root, 'examples/user-management/node');
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const ours = JSON.parse(fs.readFileSync(path.join(root, 'tests/scenario/package.json'), 'utf8'));
  assert.equal(dependencies['iii-sdk'], ours.dependencies['iii-sdk']);
  const daemon = await startDaemon(t);
  // The worker finds the SDK of the scenarios: a copy of it stands beside their node_modules.
  const copy = path.join(root, 'tests/scenario', `.worker-${process.pid}.mjs`);
  fs.copyFileSync(path.join(folder, 'worker.mjs'), copy);
  t.after(() => fs.rmSync(copy, { force: true }));
  const worker = spawn(process.execPath, [copy, daemon.address], { stdio: 'ignore' });
  t.after(() => worker.kill('SIGKILL'));
  for (const name of ['welcome', 'plan_changed', 'deactivated']) await daemon.trigger(`users::${name}`);
  await manageUsers(daemon);
});

test('every example configuration is good', async () => {
  for (const name of fs.readdirSync(path.join(root, 'examples'))) {
    const file = `examples/${name}/config.yaml`;
    if (!fs.existsSync(path.join(root, file))) continue;
    const result = await run(program, ['check', '--config', file], { cwd: root });
    assert.equal(result.code, 0, `${file}: ${result.stderr}`);
  }
});
