// Every command of the table, once as it should be and once as it should not, against a live engine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program, root, run, sdk, startManual, test, waitFor } from './lib.mjs';

const table = execFileSync(program, ['check', '--print-commands'], { encoding: 'utf8' })
  .trim().split('\n').map((line) => JSON.parse(line).command);

// name: [words, what --json must show, wrong words, exit code]; `ids` knows what the engine made up. A function says what
// the JSON shows; 'lines' is several JSON values; 'text' no JSON. In this order, which is a day of an engine.
const cases = (ids) => ({
  check: [['--config', ids.config], (json) => json.ok, ['--config', '/no/such/file'], 1],
  reload: [['--dry-run'], (json) => json, ['--dry-run=1'], 0],
  status: [[], (json) => json.status === 'ok', ['x'], 2],
  doctor: [['--config', ids.config], (json) => json.findings.length > 10, ['--config', '/no/such/file'], 1],
  set: [['s', 'k', '{"a":1}'], (json) => json.rev, ['s', 'k', '{'], 1],
  get: [['s', 'k'], (json) => json.a === 1, ['s', 'none'], 4],
  update: [['s', 'k', '[{"type":"increment","path":"a","by":1}]'], (json) => json.new_value.a === 2, ['s', 'k', '{'], 2],
  list: [['s'], (json) => json.items[0].key === 'k', ['s', '--limit', '-1'], 1],
  delete: [['s', 'k'], (json) => json.a === 2 || json.old_value?.a === 2, ['s', 'kept', '--if-rev', '999'], 1],
  transact: [['{"ops":[{"type":"set","scope":"t","key":"k","value":1}]}'], (json) => json.results.length === 1, ['{"ops":1}'], 1],
  clear: [['t'], (json) => json.deleted === 1, ['x'.repeat(600)], 1],
  scopes: [[], (json) => Array.isArray(json.groups), ['x'], 2],
  export: [['--scope', 's'], 'lines', ['--output', '/no/such/dir/file'], 1],
  import: [[ids.lines], (json) => json.written === 1, [], 2],
  events: [[], 'lines', ['--since', 'x'], 1],
  'event show': [['1'], (json) => json.seq === 1 || json.event?.seq === 1, ['999999'], 4],
  triggers: [[], (json) => json.registered_triggers.length > 0, ['x'], 2],
  'trigger create': [['made', '--function', 'fails', '--scope', 'made'], (json) => json.id === 'made', ['made', '--function', 'fails'], 1],
  'trigger replace': [['made', '--file', ids.trigger], (json) => json.replaced, ['nobody', '--function', 'fails'], 4],
  'trigger delete': [['made'], (json) => json.removed, ['nobody'], 4],
  'trigger types': [[], (json) => json.triggers.some((one) => one.id === 'state'), ['x'], 2],
  'trigger show': [['config-made'], (json) => json.id === 'config-made', ['nobody'], 4],
  'trigger test': [['-f', ids.trigger], (json) => 'seen' in json, [], 2],
  'trigger pause': [['config-made'], (json) => json.paused, ['nobody'], 4],
  'trigger resume': [['config-made'], (json) => json.paused === false, ['nobody'], 4],
  replay: [['--trigger', 'config-made', '--dry-run'], (json) => json, [], 1],
  explain: [['1'], (json) => json.event, ['999999'], 4],
  eval: [['1 + 1'], (json) => json === 2 || json.value === 2, ['1 +'], 2],
  functions: [[], (json) => json.functions.length > 0, ['x'], 2],
  'function show': [['fails'], (json) => json.function_id === 'fails', ['nobody'], 4],
  invoke: [['works', '{"x":1}'], (json) => json.got.x === 1, ['nobody'], 4],
  enable: [['works'], (json) => json.was_disabled === false, ['nobody'], 4],
  workers: [[], (json) => json.workers.length === 1, ['x'], 2],
  'worker show': [[ids.worker], (json) => json.id === ids.worker, ['nobody'], 4],
  'worker drain': [[ids.worker], (json) => json, ['nobody'], 4],
  'worker resume': [[ids.worker], (json) => json, ['nobody'], 4],
  jobs: [[], (json) => json.jobs.length > 0, ['--limit', 'x'], 1],
  'jobs show': [[ids.job], (json) => json.id === ids.job, ['1-1-1/nobody'], 4],
  'jobs retry': [[ids.job], (json) => json.id === ids.job, ['1-1-1/nobody'], 4],
  'jobs cancel': [[ids.job2], (json) => json.id === ids.job2, ['1-1-1/nobody'], 4],
  'dead list': [[], (json) => json.dead.length > 0, ['--limit', 'x'], 1],
  'dead show': [[ids.dead[0]], (json) => json.id === ids.dead[0], ['nobody'], 4],
  'dead replay': [[ids.dead[0]], (json) => json, ['nobody'], 4],
  'dead edit': [[ids.dead[1], '{"new_value":1}'], (json) => json, ['nobody', '{}'], 4],
  'dead discard': [[ids.dead[2]], (json) => json, ['nobody'], 4],
  'dead replay-all': [['--trigger', 'nobody'], (json) => json.replayed === 0 || json, [], 1],
  'dead discard-all': [['--trigger', 'nobody'], (json) => json, [], 1],
  queues: [[], (json) => json.queues.length > 0, ['x'], 2],
  enqueue: [['default', 'works', '1'], (json) => json, ['nobody', 'works', '1'], 4],
  'scheduled list': [[], (json) => json.scheduled.length === 2, ['--limit', 'x'], 1],
  'scheduled show': [[ids.later], (json) => json.id === ids.later, ['nobody'], 4],
  'scheduled cancel': [[ids.later], (json) => json, ['nobody'], 4],
  publish: [['topic', '1'], (json) => json === null || json, ['topic', '{'], 1],
  'alarm set': [['s', 'k', '--delay', '1h'], (json) => json, ['s', 'k'], 1],
  'alarm get': [['s', 'k'], (json) => json.scope === 's' || json.scheduled_at, ['s', 'none'], 4],
  'alarm list': [[], (json) => json.alarms.length === 1, ['--state', 'odd'], 2],
  'alarm fire': [['s', 'k'], (json) => json, ['s', 'none'], 4],
  'alarm delete': [['s', 'k'], (json) => json !== undefined, ['s', 'none'], 4],
  clock: [[], (json) => json.clock === 'manual', ['x'], 2],
  'clock advance': [['1s'], (json) => json.at_rest, ['soon'], 2],
  'clock to': [['2030-01-01T00:00:00Z'], (json) => json.at_rest, ['soon'], 1],
  completion: [['bash'], 'text', ['tcsh'], 2],
});
// Commands that have scenarios of their own, by the file.
const elsewhere = { run: 'cli.test.mjs' };

function showsWell(shows, text) {
  const lines = text.trim().split('\n').filter((line) => line !== '');
  if (shows === 'text') return text !== '';
  const values = lines.map((line) => JSON.parse(line));
  try {
    return shows === 'lines' ? values.length > 0 : shows(values.at(-1) ?? null);
  } catch {
    return false;
  }
}

test('every command: an answer that is JSON with --json, an error with its exit code', async (t) => {
  const daemon = await startManual(t, {
    functions: [{ id: 'shell', exec: { command: ['cat'] } }],
    triggers: [{ id: 'config-made', scope: 'c', function: 'shell' }],
  }, '2026-01-01T00:00:00Z');
  const worker = sdk(t, daemon, { workerName: 'walker' });
  worker.on('fails', { scope: 'dies', retry: { max_attempts: 1 } }, async () => {
    throw new Error('out of order');
  });
  worker.on('waits', { scope: 'waits', retry: { initial_ms: 600000 } }, async () => {
    throw new Error('later');
  });
  worker.registerFunction('works', async (data) => ({ got: data }));
  await daemon.trigger('fails');
  await daemon.trigger('waits');
  for (const key of ['a', 'b', 'c']) await daemon.set('dies', key, 1);
  for (const key of ['a', 'b']) await daemon.set('waits', key, 1);
  await daemon.set('s', 'kept', 1);
  await daemon.cli('enqueue', 'default', 'works', '1', '--delay', '8h');
  const dead = await waitFor('dead letters', async () => ((await daemon.dead()).length === 3 ? daemon.dead() : null));
  const jobs = await waitFor('jobs', async () => {
    const all = (await daemon.jobs()).filter((one) => one.state === 'sleeping');
    return all.length === 2 ? all : null;
  });
  const ids = {
    config: daemon.configFile, lines: path.join(daemon.dir, 'lines'), trigger: path.join(daemon.dir, 't.yaml'),
    dead: dead.map((one) => one.id), job: jobs[0].id, job2: jobs[1].id,
    worker: (await daemon.call('engine::workers::list')).workers.find((one) => one.name === 'walker').id,
    later: JSON.parse((await daemon.cli('enqueue', 'default', 'works', '1', '--delay', '9h', '--json')).stdout).id,
  };
  fs.writeFileSync(ids.lines, '{"scope":"s","key":"imported","value":1}\n');
  fs.writeFileSync(ids.trigger, 'scope: made\nfunction: fails\nwhen: new_value == 2\n');
  const all = cases(ids);
  const faults = [];
  for (const [name, [words, shows, wrong, code]] of Object.entries(all)) {
    const good = await daemon.cli(...name.split(' '), ...words, '--json');
    if (good.code !== 0) faults.push(`pawl ${name} ${words.join(' ')}: ${good.code} ${good.stderr}`);
    else if (!showsWell(shows, good.stdout)) faults.push(`pawl ${name} shows ${good.stdout}`);
    const bad = await daemon.cli(...name.split(' '), ...wrong, '--json');
    const says = code === 0 || bad.stderr !== '' || /"ok":false|"error":/.test(bad.stdout);
    if (bad.code !== code || !says) faults.push(`pawl ${name} ${wrong.join(' ')}: ${bad.code} ${bad.stdout}${bad.stderr}`);
  }
  assert.deepEqual(faults, []);
}, 120000);

test('the table has no command without a case', () => {
  const known = new Set([...Object.keys(cases({ dead: [] })), ...Object.keys(elsewhere)]);
  const others = fs.readdirSync(path.join(root, 'tests/scenario')).filter((name) => /\.test\.mjs$/.test(name) && name !== 'cli_commands.test.mjs')
    .map((name) => fs.readFileSync(path.join(root, 'tests/scenario', name), 'utf8'));
  const covered = (name) => {
    const words = name.split(' ').map((word) => `'${word}'`).join(', ');
    const begins = name.includes(' ') ? [words] : [`cli(${words}`, `[${words}`, `pawl(${words}`];
    return others.some((text) => begins.some((begin) => text.includes(begin)));
  };
  for (const name of table) assert.ok(known.has(name) || covered(name), `pawl ${name} has no case`);
  for (const name of known) assert.ok(table.includes(name), `there is no pawl ${name} any more`);
});

test('trigger create: what is wrong with a file is told with its line', async (t) => {
  const daemon = await startManual(t, {});
  const file = path.join(daemon.dir, 't.yaml');
  fs.writeFileSync(file, 'scope: s\nfunction: f\nwhen: new_vale == 1\n');
  const wrong = await daemon.cli('trigger', 'create', 'x', '--file', file);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /t\.yaml:3:\d+: .*new_vale.*new_value/s);
  fs.writeFileSync(file, 'id: named\nscope: s\nfunction: f\nwhen: new_value == 1\nmetadata: {team: crm}\n');
  assert.equal((await daemon.cli('trigger', 'create', '-f', file)).code, 0);
  const [made] = await daemon.triggers();
  assert.deepEqual([made.id, made.function_id, made.config.when], ['named', 'f', 'new_value == 1']);
  assert.equal((await daemon.cli('trigger', 'create', 'x')).code, 2);
  assert.equal((await daemon.cli('trigger', 'create', 'x', '--file', file, '--scope', 's')).code, 2);
  assert.equal((await daemon.cli('trigger', 'create', 'x', '--function', 'f', '--config', '[]')).code, 2);
  const none = await run(program, ['trigger', 'create', 'x', '--function', 'f', '--url', 'http://127.0.0.1:9']);
  assert.equal(none.code, 3);
});
