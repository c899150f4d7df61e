// The config changes while the daemon runs: all of it or nothing, and every event is judged once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { freePort, Inbox, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

// Writes the file as the daemon would be started with it.
function write(daemon, config) {
  daemon.config = config;
  fs.writeFileSync(daemon.configFile, JSON.stringify(
    { listen: `127.0.0.1:${daemon.port}`, data: daemon.data, ...config }, null, 1));
}

const reload = async (daemon, config, query = '') => {
  if (config) write(daemon, config);
  return daemon.http('POST', `/v1/config:reload${query}`);
};

const told = async (daemon) => (await daemon.http('GET', '/v1/status')).json.config;

const hangUp = async (daemon, config) => {
  const before = (await told(daemon)).loaded_at;
  write(daemon, config);
  daemon.process.kill('SIGHUP');
  await waitFor('the config to be taken', async () => (await told(daemon)).loaded_at !== before);
};

// A program that writes the key of each event, with a mark, into a file.
const scribe = (file, mark, more = {}) => ({ exec: { mode: 'lines', ...more,
  command: [process.execPath, '-e', `
    const fs = require('node:fs');
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, data } = JSON.parse(line);
      fs.appendFileSync(${JSON.stringify(file)}, data.key + ' ${mark}\\n');
      console.log(JSON.stringify({ id, result: null }));
    });`] } });

const lines = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : [])
  .filter(Boolean);

test('triggers and functions come, change and go by SIGHUP while events flow', async (t) => {
  const daemon = await startDaemon(t);
  const file = path.join(daemon.dir, 'out');
  const kept = { id: 'kept', function: 'all', scope: 's' };
  const all = { id: 'all', ...scribe(file, 'all') };
  let stopped = false;
  let count = 0;
  await hangUp(daemon, { functions: [all], triggers: [kept] });
  const flow = (async () => {
    while (!stopped) {
      await Promise.all(Array.from({ length: 5 }, () => daemon.set('s', `k${count++}`, 1)));
    }
  })();
  for (let round = 0; round < 12; round++) {
    const mark = `m${round}`;
    await hangUp(daemon, {
      functions: [all, { id: 'flag', ...scribe(file, mark) }],
      triggers: [kept, ...(round % 4 === 3 ? [] : [{ id: 'flag', function: 'flag', scope: 's',
        metadata: round, key: round % 2 ? 'k*[13579]' : 'k*[02468]' }])],
    }).catch((error) => { stopped = true; throw error; });
    const from = count;
    await waitFor('events between two changes', () => count >= from + 5);
  }
  stopped = true;
  await flow;
  await daemon.settled();
  const seen = lines(file);
  const byAll = seen.filter((line) => line.endsWith(' all'));
  assert.ok(count >= 60, `${count} events`);
  assert.equal(byAll.length, count, 'every event once: nothing lost, nothing twice');
  assert.equal(new Set(byAll).size, count);
  const byFlag = seen.filter((line) => !line.endsWith(' all')).map((line) => line.split(' ')[0]);
  assert.ok(byFlag.length > 0);
  assert.equal(new Set(byFlag).size, byFlag.length, 'no event by two versions');
  assert.deepEqual(await daemon.dead(), []);
});

test('every event is judged by the version of its time', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('seen', async (event) => inbox.put([event.key, event.new_value]));
  const config = (odd) => ({ triggers: [
    { id: 'turn', function: 'seen', scope: 's', key: odd ? 'odd*' : 'even*' }] });
  await reload(daemon, config(false));
  for (let round = 1; round <= 20; round++) {
    await Promise.all(['even', 'odd'].map((key) => daemon.set('s', key, round)));
    assert.equal((await reload(daemon, config(round % 2 === 1))).json.applied, true);
  }
  await daemon.settled();
  const wanted = Array.from({ length: 20 }, (_, i) => [i % 2 ? 'odd' : 'even', i + 1]);
  assert.deepEqual(inbox.items.sort((a, b) => a[1] - b[1]), wanted);
  const { version } = await daemon.trigger('seen', (one) => !one.until_seq);
  assert.equal(version, 21);
});

test('a running call finishes with the old function, the next one is the new one\'s', async (t) => {
  const daemon = await startDaemon(t);
  const go = path.join(daemon.dir, 'go');
  const old = { id: 'f', exec: { command: ['sh', '-c',
    `until [ -e ${go} ]; do sleep 0.01; done; echo '"old"'`], timeout: '20s' } };
  await reload(daemon, { functions: [old] });
  const running = daemon.call('f');
  await waitFor('the call to run', async () =>
    (await daemon.call('engine::functions::list')).functions.find((one) =>
      one.function_id === 'f' && one.running === 1));
  const answer = await reload(daemon, { functions: [
    { id: 'f', exec: { command: ['echo', '"new"'] } }] });
  assert.deepEqual(answer.json.changed, [{ kind: 'function', id: 'f', namespace: 'default',
    fields: ['exec.command', 'exec.timeout'] }]);
  assert.equal(await daemon.call('f'), 'new');
  fs.writeFileSync(go, '');
  assert.equal(await running, 'old');
  await reload(daemon, {});
  await rejects(daemon.call('f'), 'function_not_found');
});

test('a dry run tells everything and changes nothing', async (t) => {
  const daemon = await startDaemon(t, {
    functions: [{ id: 'f', exec: { command: ['cat'] } }],
    triggers: [{ id: 'a', function: 'f', scope: 's' }, { id: 'b', function: 'f' }],
  });
  const before = await told(daemon);
  write(daemon, { listen: '127.0.0.1:1', log: { level: 'debug' },
    triggers: [{ id: 'a', function: 'f', scope: 'x' }, { id: 'c', function: 'f' }] });
  const { code, stdout } = await daemon.cli('reload', '--dry-run', '--json');
  assert.equal(code, 0);
  const answer = JSON.parse(stdout);
  assert.equal(answer.applied, false);
  assert.equal(answer.dry_run, true);
  assert.deepEqual(answer.added, [{ kind: 'trigger', id: 'c' }]);
  assert.deepEqual(answer.changed, [
    { kind: 'option', id: 'log.level', from: 'info', to: 'debug' },
    { kind: 'trigger', id: 'a', fields: ['scope'] }]);
  assert.deepEqual(answer.removed, [{ kind: 'function', id: 'f', namespace: 'default' },
    { kind: 'trigger', id: 'b' }]);
  assert.deepEqual(answer.needs_restart, [{ kind: 'option', id: 'listen',
    from: `127.0.0.1:${daemon.port}`, to: '127.0.0.1:1' }]);
  assert.match(answer.warnings[0], /function f is removed; triggers .*: 2;/);
  const shown = await daemon.cli('reload', '--dry-run');
  assert.match(shown.stdout, /^\+ trigger c$/m);
  assert.match(shown.stdout, /^~ log\.level: info -> debug$/m);
  assert.match(shown.stdout, /^- trigger b$/m);
  assert.match(shown.stdout, /^! listen: .* \(needs a restart\)$/m);
  assert.match(shown.stdout, /^dry run: nothing was changed$/m);
  assert.deepEqual(await told(daemon), before);
  assert.deepEqual((await daemon.triggers()).map((one) => [one.id, one.version]).sort(),
    [['a', 1], ['b', 1]]);
});

test('a bad file keeps the last good one and says why, wherever one looks', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'a', function: 'f', scope: 's' }] });
  const { loaded_at } = await told(daemon);
  write(daemon, { triggers: [{ id: 'a', function: 'f', scope: 'x' },
    { id: 'b', function: 'f', nonsense: 1 }] });
  const { code, stderr } = await daemon.cli('reload');
  assert.equal(code, 1);
  assert.match(stderr, /config\.yaml:\d+:\d+: trigger 'b': .*nonsense/);
  const answer = await reload(daemon);
  assert.equal(answer.status, 422);
  assert.equal(answer.json.code, 'invalid_config');
  const status = await told(daemon);
  assert.match(status.error, /nonsense/);
  assert.equal(status.loaded_at, loaded_at);
  assert.equal(status.path, daemon.configFile);
  assert.match(daemon.log, /the last good one stays: .*nonsense/);
  fs.writeFileSync(daemon.configFile, 'a: [');
  daemon.process.kill('SIGHUP');
  await waitFor('the error of SIGHUP', async () => !/nonsense/.test((await told(daemon)).error));
  assert.deepEqual((await daemon.triggers()).map((one) => [one.id, one.version]), [['a', 1]]);
  assert.equal((await reload(daemon, {})).status, 200);
  assert.equal((await told(daemon)).error, undefined);
});

test('what needs a restart is named and left alone, the rest is taken', async (t) => {
  const daemon = await startDaemon(t);
  const { json } = await reload(daemon, { service: { name: 'other' },
    state: { adapter: { config: { store_method: 'in_memory' } } },
    limits: { max_value: '1k' } });
  assert.deepEqual(json.needs_restart.map((one) => one.id), ['service.name', 'state.adapter.config']);
  assert.deepEqual(json.changed.map((one) => one.id), ['limits.max_value']);
  assert.deepEqual((await told(daemon)).needs_restart, ['service.name', 'state.adapter.config']);
  await rejects(daemon.set('s', 'k', 'x'.repeat(2000)), 'value_too_large');
  const { service, store } = (await daemon.http('GET', '/v1/status')).json;
  assert.equal(service, 'default');
  assert.equal(store.volatile, false);
  assert.match(daemon.log, /only after a restart: service\.name, state\.adapter\.config/);
  assert.deepEqual((await reload(daemon, {})).json.needs_restart, []);
});

test('killed in the middle of a reload: the file counts after the restart', async (t) => {
  const daemon = await startDaemon(t);
  const config = (round) => ({ triggers: Array.from({ length: 200 }, (_, i) =>
    ({ id: `t${i}`, function: 'f', scope: 's', metadata: round, key: `k${round}` })) });
  for (let round = 0; round < 5; round++) {
    write(daemon, config(round));
    const asked = reload(daemon).catch(() => {});
    if (round % 2) await asked;
    await daemon.set('s', `k${round}`, round).catch(() => {});
    await daemon.kill();
    await asked;
    await daemon.start();
    const open = (await daemon.triggers()).filter((one) => !one.until_seq);
    assert.equal(open.length, 200);
    assert.ok(open.every((one) => one.config.key === `k${round}`), 'one config, wholly');
  }
});

test('a daemon without a config file has nothing to read again', async (t) => {
  const daemon = await startDaemon(t);
  const gone = gate();
  const { spawn } = await import('node:child_process');
  const { freePort, program, tempDir } = await import('./lib.mjs');
  const port = await freePort();
  const child = spawn(program, ['run', '--listen', `127.0.0.1:${port}`, '--data', tempDir(t)],
    { stdio: 'ignore' });
  child.on('exit', gone.open);
  t.after(() => child.kill('SIGKILL'));
  await waitFor('it to be ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  child.kill('SIGHUP');
  const reply = await fetch(`http://127.0.0.1:${port}/v1/config:reload`, { method: 'POST' });
  assert.equal((await reply.json()).code, 'config_absent');
  child.kill('SIGTERM');
  await gone.promise;
  assert.ok(daemon.process);
});

for (const [form, list] of [
  ['modules', (port, file_path, http) => ({ modules: [
    { class: 'modules::worker::WorkerModule', config: { port } },
    { class: 'modules::kv_server::KvServer', config: { save_interval_ms: 5000 } },
    { class: 'modules::state::StateModule', config: { adapter: {
      class: 'modules::state::adapters::KvStore',
      config: { store_method: 'file_based', file_path } } } },
    { class: 'modules::api::RestApiModule', config: { port: http, body_limit: 1 } }] })],
  ['workers', (port, file_path, http) => ({ workers: [
    { name: 'iii-worker-manager', config: { port } },
    { name: 'iii-state', config: { adapter: { name: 'kv',
      config: { store_method: 'file_based', file_path } } } },
    { name: 'iii-http', config: { port: http, body_limit: 1 } }] })],
]) {
  test(`an iii configuration (${form}) serves its state and HTTP triggers, with one warning`, async (t) => {
    const daemon = await startDaemon(t);
    const store = path.join(daemon.dir, 'state_store');
    const http = await freePort();
    const config = list(daemon.port, store, http);
    await daemon.restart('SIGTERM', { listen: undefined, ...config });
    await daemon.set('users', 'u', { a: 1 });
    await daemon.restart('SIGKILL');
    assert.deepEqual(await daemon.get('users', 'u'), { a: 1 });
    assert.ok(fs.readdirSync(store).length > 0);
    const warning = daemon.log.split('\n').filter((line) => line.includes('iii configuration'));
    assert.equal(warning.length, 2, 'one for each start');
    assert.match(warning[0], /ignored: (modules::api::RestApiModule|iii-http)\.body_limit/);
    assert.equal((await (await fetch(`http://127.0.0.1:${http}/x`)).json()).code, 'path_not_served');
    const { stdout } = await daemon.cli('check', '--config', daemon.configFile);
    assert.match(stdout, /an iii configuration: listen 127\.0\.0\.1:\d+, state .*state_store/);
    assert.match(stdout, /^HTTP triggers: listen 127\.0\.0\.1:\d+$/m);
    assert.match(stdout, /^ignored: /m);
  });
}
