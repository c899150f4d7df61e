// The examples and the demo do what their READMEs say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, freePort, program, root, run, startDaemon, startManual, tempDir, test, waitFor } from './lib.mjs';

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

// Runs a Node worker of an example; it finds the SDK of the scenarios, because a copy of it stands
// beside their node_modules.
function startNode(t, daemon, example, file) {
  const folder = path.join(root, 'examples', example, 'node');
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const ours = JSON.parse(fs.readFileSync(path.join(root, 'tests/scenario/package.json'), 'utf8'));
  assert.equal(dependencies['iii-sdk'], ours.dependencies['iii-sdk']);
  const copy = path.join(root, 'tests/scenario', `.${example}-${process.pid}.mjs`);
  fs.copyFileSync(path.join(folder, file), copy);
  t.after(() => fs.rmSync(copy, { force: true }));
  const worker = spawn(process.execPath, [copy, daemon.address], { stdio: 'ignore' });
  t.after(() => worker.kill('SIGKILL'));
}

test('user management, the Node worker', async (t) => {
  const daemon = await startDaemon(t);
  startNode(t, daemon, 'user-management', 'worker.mjs');
  for (const name of ['welcome', 'plan_changed', 'deactivated']) await daemon.trigger(`users::${name}`);
  await manageUsers(daemon);
});

// What a scope holds, by key.
async function all(daemon, scope) {
  const { items } = await daemon.call('state::list', { scope, with_keys: true });
  return Object.fromEntries(items.map((one) => [one.key, one.value]));
}

// What the deliveries of a trigger have left in a scope, in the order of their events.
async function leftBy(daemon, scope, trigger) {
  const seq = (delivery) => Number(delivery.split('/')[0].split('-').at(-1));
  return Object.entries(await all(daemon, scope)).filter(([key]) => key.endsWith(`/${trigger}`))
    .sort(([a], [b]) => seq(a) - seq(b)).map(([, value]) => value);
}

const errorsOf = async (daemon, id) =>
  (await daemon.triggers()).find((one) => one.id === id).condition_errors;

test('feature flags, the shell worker', async (t) => {
  const daemon = await startExample(t, 'feature-flags');
  const flag = { enabled: true, rollout: 10, segments: ['beta'], owner: 'ada@example.com' };
  const change = async (more) => {
    await daemon.set('flags', 'checkout', Object.assign(flag, more));
    await daemon.settled();
  };
  const notices = (trigger) => leftBy(daemon, 'notices', trigger);
  await change({ description: 'The new checkout' });
  assert.deepEqual(await all(daemon, 'edge'),
    { checkout: { enabled: true, rollout: 10, segments: ['beta'] } });
  await change({ description: 'The newest checkout' });
  const edge = (await daemon.events()).filter((event) => event.scope === 'edge');
  assert.equal(edge.length, 1, 'a description concerns nobody');
  await change({ rollout: 35 });
  await change({ rollout: 61 });
  await change({ rollout: 100 });
  assert.deepEqual(await notices('rollout-jump'),
    ['checkout jumps from 35 % to 61 %', 'checkout jumps from 61 % to 100 %']);
  await change({ segments: ['beta', 'country:no', 'country:se'] });
  await change({ owner: 'eve@example.org' });
  assert.deepEqual(await notices('fully-on'), ['checkout is on for everyone']);
  assert.deepEqual(await notices('country-rules'), ['checkout depends on country:no, country:se']);
  assert.deepEqual(await notices('foreign-owner'), ['checkout is owned by eve@example.org']);
  await change({ enabled: false });
  await change({ enabled: true });
  assert.deepEqual(await notices('kill-switch'), ['checkout was switched off; tell eve@example.org']);
  assert.equal((await notices('fully-on')).length, 2, 'it is on for everyone again');
  const lines = '{"enabled":false, "segments":[\n"beta"]}';
  assert.equal((await daemon.cli('set', 'flags', 'born-off', lines)).code, 0);
  await daemon.call('state::delete', { scope: 'flags', key: 'checkout' });
  await daemon.settled();
  assert.deepEqual(await all(daemon, 'edge'), { 'born-off': { enabled: false, segments: ['beta'] } });
  assert.equal((await notices('kill-switch')).length, 1);
  await daemon.set('flags', 'born-off', { enabled: false, rollout: 'half' });
  await daemon.settled();
  assert.equal(await errorsOf(daemon, 'rollout-jump'), 1);
  assert.deepEqual(await daemon.dead(), []);
});

test('feature flags, the Node edge', async (t) => {
  const daemon = await startDaemon(t);
  const isOn = (flag, user, segments) => daemon.call('flags::is_on', { flag, user, segments });
  await daemon.set('flags', 'old', { enabled: true, description: 'was there before the edge' });
  startNode(t, daemon, 'feature-flags', 'edge.mjs');
  await daemon.trigger('flags::edge');
  await waitFor('the flags that were there', () => isOn('old', 'ada'));
  assert.equal(await isOn('none', 'ada'), false);
  await daemon.set('flags', 'half', { enabled: true, rollout: 50 });
  await daemon.set('flags', 'beta', { enabled: true, segments: ['beta'] });
  await daemon.settled();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => isOn('half', `user-${i}`)));
  const share = answers.filter(Boolean).length;
  assert.ok(share > 20 && share < 80, `on for ${share} of 100 users`);
  assert.deepEqual([await isOn('beta', 'ada'), await isOn('beta', 'ada', ['beta'])], [false, true]);
  await daemon.set('flags', 'beta', { enabled: false, segments: ['beta'] });
  await daemon.call('state::delete', { scope: 'flags', key: 'old' });
  await daemon.settled();
  assert.deepEqual([await isOn('beta', 'ada', ['beta']), await isOn('old', 'ada')], [false, false]);
});

test('analytics counters: each hit counts once, over a kill, one by one and rolled up', async (t) => {
  const daemon = await startExample(t, 'analytics-counters');
  startNode(t, daemon, 'analytics-counters', 'worker.mjs');
  await waitFor('the worker', async () => (await daemon.triggers()).every((one) => one.status === 'live'));
  const sent = new Map();
  const hits = async (from, to) => {
    const ops = Array.from({ length: to - from }, (_, i) => ({ type: 'set', scope: 'hits', key: `h${from + i}`,
      value: { page: ['/', '/docs'][i % 2], ms: i } }));
    await daemon.call('state::transact', { ops });
    for (const { value: { page, ms } } of ops) {
      const sum = sent.get(page) ?? { views: 0, ms: 0 };
      sent.set(page, { views: sum.views + 1, ms: sum.ms + ms });
    }
  };
  for (let at = 0; at < 600; at += 100) {
    await hits(at, at + 100);
    if (at === 300) {
      await daemon.kill();
      await daemon.start();
    }
  }
  await daemon.set('hits', 'odd', { page: '/docs', ms: 'slow' });
  const [letter] = await waitFor('the odd one to be dead', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  assert.match(JSON.stringify(letter.attempts), /ms is no integer/);
  await daemon.settled(30000);
  const rolled = new Map();
  for (const [key, { views, ms }] of Object.entries(await all(daemon, 'rollups'))) {
    const [page] = key.split(' ');
    const sum = rolled.get(page) ?? { views: 0, ms: 0 };
    rolled.set(page, { views: sum.views + views, ms: sum.ms + ms });
  }
  assert.deepEqual(rolled, sent);
  const counted = await all(daemon, 'counters');
  assert.deepEqual(counted, { '/': { views: 300 }, '/docs': { views: 301 } });
  const writes = (await daemon.events()).filter((event) => event.scope === 'rollups').length;
  assert.ok(writes <= 60, `${writes} writes roll 600 hits up`);
});

test('an audit trail by webhooks', async (t) => {
  const file = path.join(tempDir(t), 'audit.jsonl');
  const port = await freePort();
  const receive = (secret) => {
    const child = spawn(process.execPath, [path.join(root, 'examples/webhook-audit/receiver.mjs'),
      String(port), file], { stdio: 'ignore', env: { ...process.env, ...secret } });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  process.env.AUDIT_URL = `http://127.0.0.1:${port}/events`;
  t.after(() => delete process.env.AUDIT_URL);
  const kept = (n) => waitFor(`${n} lines`, () => {
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    return lines.length === n && lines;
  });
  const first = receive({});
  const daemon = await startExample(t, 'webhook-audit');
  await daemon.set('users', 'ann', { email: 'ann@example.com', password: 's3cret' });
  await daemon.set('users', 'ann', { email: 'ann@example.com', password: 's3cret2' });
  await daemon.set('config', 'site', { title: 'Shop' });
  const lines = await kept(3);
  const ann = lines.filter(({ event }) => event.subject === 'users/ann');
  assert.deepEqual(ann.map(({ event }) => [event.type, event.data.password_changed]),
    [['pawl.state.created', true], ['pawl.state.updated', true]]);
  assert.ok(!fs.readFileSync(file, 'utf8').includes('s3cret'));
  first.kill('SIGKILL');
  await daemon.set('users', 'ben', { email: 'ben@example.com' });
  receive({ AUDIT_SECRET: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' }); // the next key
  assert.equal((await kept(4))[3].event.subject, 'users/ben');
});

test('configuration changes', async (t) => {
  const daemon = await startExample(t, 'config-change');
  const config = { listen: '0.0.0.0:8443', tls: { cert: 'pay-2026.pem' }, log: { level: 'info' },
    replicas: 3, timeout: '30s', secrets: { db: 'hunter2' }, by: 'ada' };
  const change = async (more, scope = 'config/prod-eu') => {
    await daemon.set(scope, 'payments', Object.assign(config, more));
    await daemon.settled();
  };
  const running = async (where = 'prod-eu') => (await all(daemon, 'running'))[`${where}/payments`];
  await change({});
  assert.deepEqual(await daemon.get('live/prod-eu', 'payments'), config);
  const first = await running();
  assert.deepEqual({ ...first, restarted_at: 0, reloaded_at: 0 }, { listen: '0.0.0.0:8443',
    cert: 'pay-2026.pem', log_level: 'info', restarted_at: 0, reloaded_at: 0 });
  await change({ log: { level: 'debug' }, by: 'grace' });
  const reloaded = await running();
  assert.deepEqual([reloaded.log_level, reloaded.restarted_at], ['debug', first.restarted_at]);
  await change({ tls: { cert: 'pay-2027.pem' } });
  const restarted = await running();
  assert.deepEqual([restarted.cert, restarted.reloaded_at], ['pay-2027.pem', reloaded.reloaded_at]);
  assert.ok(restarted.restarted_at > first.restarted_at);
  await change({ tls: { cert: 'pay-2027.pem', min: '1.3' } });
  assert.deepEqual(await running(), restarted, 'only the certificate is worth a restart');

  const good = structuredClone(config);
  await change({ replicas: 0 });
  await change({ replicas: 3, timeout: '10m' });
  await change({ timeout: 'ten minutes' });
  await change({ timeout: '30s', tls: {} });
  assert.deepEqual(await daemon.get('live/prod-eu', 'payments'), good);
  const refused = await leftBy(daemon, 'alerts', 'refuse');
  assert.deepEqual(refused.map(({ replicas, timeout, tls }) => [replicas, timeout, tls]), [
    [0, '30s', good.tls], [3, '10m', good.tls], [3, 'ten minutes', good.tls], [3, '30s', {}]]);
  assert.deepEqual([await errorsOf(daemon, 'publish'), await errorsOf(daemon, 'refuse')], [1, 1]);

  await change({ tls: good.tls, secrets: { db: 'correct horse' } });
  assert.equal((await daemon.get('live/prod-eu', 'payments')).secrets.db, 'correct horse');
  await change({ replicas: 1 }, 'config/staging');
  await change({ replicas: 1 });
  await change({ log: { level: 'info' } });
  assert.deepEqual(await leftBy(daemon, 'alerts', 'single-replica'),
    [{ by: 'grace', warning: 'live/prod-eu/payments has no second replica' }]);

  await change({ replicas: 3 });
  await daemon.call('state::delete', { scope: 'config/prod-eu', key: 'payments' });
  await daemon.settled();
  assert.deepEqual(await all(daemon, 'live/prod-eu'), {});
  assert.equal((await daemon.cli('set', 'config/prod-us', 'mail', '{"listen":\n "[::]:25"}')).code, 0);
  await daemon.settled();
  assert.deepEqual(await daemon.get('live/prod-us', 'mail'), { listen: '[::]:25' });
  const warnings = await leftBy(daemon, 'alerts', 'single-replica');
  assert.deepEqual(warnings.slice(1), [{ warning: 'live/prod-us/mail has no second replica' }]);
  const audit = await leftBy(daemon, 'audit', 'audit');
  const { secrets, by, ...open } = config;
  assert.deepEqual(audit[0], { what: 'created config/prod-eu/payments', by: 'ada', old: {},
    new: { ...open, tls: { cert: 'pay-2026.pem' }, replicas: 3 }, new_secrets: true });
  assert.deepEqual(audit[1], { what: 'updated config/prod-eu/payments', by: 'grace',
    old: { log: { level: 'info' } }, new: { log: { level: 'debug' } }, new_secrets: false });
  assert.deepEqual(audit.at(-2), { what: 'deleted config/prod-eu/payments', old: open, new: {},
    new_secrets: true });
  const kept = JSON.stringify([audit, await all(daemon, 'alerts'), await all(daemon, 'running')]);
  assert.doesNotMatch(kept, /hunter2|correct horse/);
  assert.deepEqual(await daemon.dead(), []);
});

test('trial expiry: reminder, end and grace in seventeen days', async (t) => {
  const DAY = 24 * 3600 * 1000;
  const daemon = await startManual(t, {}, '2026-01-01T09:00:00Z');
  startNode(t, daemon, 'trial-expiry', 'worker.mjs');
  for (const name of ['begin', 'remind', 'end', 'lock']) await daemon.trigger(`trial::${name}`);
  for (const key of ['ada', 'bob', 'eve']) await daemon.set('users', key, { plan: 'trial' });
  await waitFor('six alarms', async () => (await daemon.call('alarm::list')).alarms.length === 6);
  await daemon.call('state::delete', { scope: 'users', key: 'eve' });
  await daemon.advance(13 * DAY);
  await daemon.set('users', 'bob', { plan: 'pro' });
  await daemon.advance(DAY);
  assert.deepEqual(await all(daemon, 'users'), { ada: { plan: 'grace' }, bob: { plan: 'pro' } });
  await daemon.advance(3 * DAY);
  assert.deepEqual(await all(daemon, 'users'), { ada: { plan: 'locked' }, bob: { plan: 'pro' } });
  assert.deepEqual(Object.keys(await all(daemon, 'mails')),
    ['ada/grace_end', 'ada/trial_end', 'ada/trial_reminder', 'bob/trial_reminder']);
  assert.deepEqual((await daemon.call('alarm::list')).alarms, []);
});

test('cache with a time: what is popular is fetched again as it expires', async (t) => {
  const daemon = await startManual(t, { scopes: [{ match: 'prices', ttl: '10m' }] });
  startNode(t, daemon, 'cache-ttl', 'worker.mjs');
  await daemon.trigger('prices::expired');
  const ask = async (item) => (await daemon.call('prices::get', { item })).cached;
  for (const cached of [false, true, true, true]) assert.equal(await ask('tea'), cached);
  assert.equal(await ask('salt'), false);
  assert.deepEqual(await all(daemon, 'prices'), { tea: { price: 103, hits: 3 }, salt: { price: 104, hits: 0 } });
  await daemon.advance(10 * 60000);
  assert.deepEqual(await all(daemon, 'prices'), { tea: { price: 103, hits: 0 } });
  assert.deepEqual(await all(daemon, 'origin'), { tea: { calls: 2 }, salt: { calls: 1 } });
  assert.equal(await ask('tea'), true);
  assert.equal(await ask('salt'), false);
});

// As with startNode: a copy beside the node_modules of the scenarios.
test('testing: the tests of a workflow, by a turned clock', async (t) => {
  const copy = path.join(root, 'tests/scenario', `.testing-${process.pid}`);
  t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
  fs.cpSync(path.join(root, 'examples/testing/node'), copy, { recursive: true });
  const { NODE_TEST_CONTEXT, ...env } = process.env; // it runs tests itself
  const tested = await run(process.execPath, ['--test', '--test-reporter=tap', copy],
    { cwd: copy, env: { ...env, PAWL_BIN: program } });
  assert.deepEqual([tested.code, /# pass (\d+)/.exec(tested.stdout)?.[1]], [0, '3'], tested.stdout);
});

test('every example configuration is good', async () => {
  for (const name of fs.readdirSync(path.join(root, 'examples'))) {
    const file = `examples/${name}/config.yaml`;
    if (!fs.existsSync(path.join(root, file))) continue;
    const result = await run(program, ['check', '--config', file], { cwd: root });
    assert.equal(result.code, 0, `${file}: ${result.stderr}`);
  }
});
