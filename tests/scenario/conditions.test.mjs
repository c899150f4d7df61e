// Conditions: what triggers say in CEL, how a fault is told, what the counters show.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Inbox, RawWorker, program, root, run, sdk, startDaemon, tempDir, test, waitFor } from './lib.mjs';

const BAD = "new_value.plan == 'pro' && cretaed()";

test('a worker gets what its condition lets through, shaped by select', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('upgrade', {
    scope: 'users',
    when: "new_value.plan == metadata.plan && new_value.seats >= 2",
    fire: 'rising',
    select: { user: 'key', seats: 'new_value.seats', was: "old_value.?plan", at: ['seq', 'event_type'] },
  }, async (data, metadata) => inbox.put({ data, metadata }), { plan: 'pro' });
  const { id } = await daemon.trigger('upgrade');
  await daemon.set('users', 'ada', { plan: 'free', seats: 5 }); // 1: not true
  await daemon.set('users', 'ada', { plan: 'pro', seats: 5 }); // 2: rises
  await daemon.set('users', 'ada', { plan: 'pro', seats: 6 }); // 3: stays
  await daemon.set('users', 'bob', { plan: 'pro', seats: 9007199254740993 }); // 4: rises
  await daemon.set('others', 'eve', { plan: 'pro', seats: 2 }); // 5: another scope
  await daemon.set('users', 'eve', { plan: 'pro' }); // 6: an error
  await daemon.call('state::delete', { scope: 'users', key: 'ada' }); // 7: gone
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.data), [
    { user: 'ada', seats: 5, was: 'free', at: [2, 'state:updated'] },
    { user: 'bob', seats: 9007199254740992, at: [4, 'state:created'] }, // JSON.parse rounds
  ]);
  assert.deepEqual(inbox.items[0].metadata, { plan: 'pro' });
  const shown = (await daemon.http('GET', `/v1/triggers/${id}`)).json;
  assert.deepEqual([shown.considered, shown.matched, shown.delivered, shown.condition_false,
    shown.condition_errors, shown.dead], [6, 2, 2, 3, 1, 0]);
  assert.equal(shown.last_condition_error.seq, 6);
  assert.match(shown.last_condition_error.text, /seats/);
  assert.ok(shown.evaluation_ns > 0);
  assert.deepEqual(await daemon.jobs(), []);
  const table = (await daemon.cli('triggers')).stdout;
  assert.match(table, /MATCHED.*ERRORS/);
  assert.match(table, /\{"when":"new_value\.plan == metadata\.plan && new_value\.[^\n]{0,10}\.\.\.\n/);
  assert.match(table, /: its condition failed 1 time, last at event 6: there is no such key: 'seats', in new_value\.seats >= 2\n/);
  assert.match((await daemon.cli('triggers', '--wide')).stdout, /new_value\.seats >= 2","fire":"rising".*\}\n/);
  assert.equal((await daemon.cli('status', '--wide')).code, 2);
});

test('a condition of each form is found by the index and decides alike after a restart', async (t) => {
  const daemon = await startDaemon(t);
  const conditions = {
    equal: "scope == 's' && key == 'k1'",
    either: "new_value.a == 1 || created()",
    helper: "changed('a')",
    became: "became(['a'], 2)",
    prefix: "new_value.name.startsWith('ab')",
    range: 'new_value.a > 1 && new_value.a < 3',
    list: "new_value.tags.exists(x, x == 'hot')",
    event: "event.seq % 2 == 0",
  };
  const got = {};
  let worker;
  const connect = async () => {
    worker = sdk(t, daemon);
    for (const [name, when] of Object.entries(conditions)) {
      worker.on(name, { when }, async (event) => (got[name] ??= []).push(event.seq));
    }
    for (const name of Object.keys(conditions)) await daemon.trigger(name);
  };
  const change = async () => {
    await daemon.set('s', 'k1', { a: 1, name: 'abc' });
    await daemon.set('s', 'k1', { a: 2, name: 'ab' });
    await daemon.set('s', 'k2', { a: 2, tags: ['cold', 'hot'] });
    await daemon.set('s', 'k2', { a: 2, name: 'xab', tags: ['cold'] });
    await daemon.settled();
  };
  await connect();
  await change();
  const wanted = { equal: [1, 2], either: [1, 3], helper: [1, 2, 3], became: [2, 3], prefix: [1, 2],
    range: [2, 3, 4], list: [3], event: [2, 4] };
  const sorted = () => Object.fromEntries(Object.keys(conditions).map((name) =>
    [name, [...(got[name] ?? [])].sort((a, b) => a - b)]));
  assert.deepEqual(sorted(), wanted);
  await daemon.restart('SIGTERM', { delivery: { index: false } });
  for (const name of Object.keys(got)) delete got[name];
  for (const key of ['k1', 'k2']) await daemon.call('state::delete', { scope: 's', key });
  await waitFor('the worker to be back', async () =>
    (await daemon.triggers()).every((one) => one.status === 'live'));
  await daemon.settled();
  for (const name of Object.keys(got)) delete got[name];
  const { store } = await daemon.call('engine::status');
  await change();
  assert.deepEqual(sorted(), Object.fromEntries(Object.entries(wanted).map(([name, seqs]) =>
    [name, seqs.map((seq) => seq + store.last_seq).filter((seq) => name !== 'event' || seq % 2 === 0)])));
});

test('a bad condition is refused, with its place, on every way in', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registertrigger', id: 't', trigger_type: 'state', function_id: 'f', config: { when: BAD } });
  const frame = await worker.frame('the refusal', (one) => one.type === 'triggerregistrationresult');
  assert.equal(frame.error.code, 'trigger_registration_failed');
  assert.match(frame.error.message, /'when': .*cretaed.*\(line 1, column 28\)/);
  const reply = await daemon.http('POST', '/v1/triggers',
    { trigger_type: 'state', function_id: 'f', config: { when: BAD } });
  assert.equal(reply.status, 400);
  assert.match(reply.headers.get('content-type'), /problem\+json/);
  assert.equal(reply.json.code, 'invalid_condition');
  assert.match(reply.json.detail, /cretaed.*line 1, column 28/);
  assert.match(reply.json.agent_instruction, /expression/);
  const edge = await daemon.http('POST', '/v1/triggers', { trigger_type: 'state', function_id: 'f',
    config: { when: 'old_value.n > 1', fire: 'rising' } });
  assert.equal(edge.status, 400);
  assert.match(edge.json.detail, /fire: rising/);
  assert.deepEqual(await daemon.triggers(), []);
  const good = await daemon.http('POST', '/v1/triggers', { id: 'good', trigger_type: 'state',
    function_id: 'f', config: { when: 'new_value.n > 1', fire: 'rising', select: ['key'] } });
  assert.equal(good.status, 200);
  assert.equal((await daemon.triggers())[0].config.fire, 'rising');
});

test('pawl check shows the line of the file and a caret under the place', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'config.yaml');
  fs.writeFileSync(file, ['triggers:', '- id: t', '  function: f', '  scope: s',
    `  when: ${BAD}`, '- id: u', '  function: f', '  select:', '    a: key', '    b: nothing.x', ''].join('\n'));
  const result = await run(program, ['check', '--config', file], { cwd: dir });
  assert.equal(result.code, 1);
  const lines = result.stderr.split('\n');
  assert.match(lines[0], /config\.yaml:5:3: trigger 't': 'when': .*cretaed.*line 1, column 28/);
  assert.equal(lines[1].trim(), BAD);
  assert.equal(lines[2].indexOf('^') - lines[1].indexOf(BAD), 27);
  assert.match(lines[3], /config\.yaml:8:3: trigger 'u': 'select': .*nothing/);
  const { errors } = JSON.parse((await run(program, ['check', '--config', file, '--json'], { cwd: dir })).stdout);
  assert.deepEqual(errors.map((one) => [one.line, one.code]), [[5, 'invalid_condition'], [8, 'invalid_condition']]);
});

test('the configurations of docs/conditions.md are good', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'config.yaml');
  const text = fs.readFileSync(path.join(root, 'docs/conditions.md'), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map((match) => match[1]);
  assert.ok(blocks.length >= 2);
  for (const block of blocks) {
    fs.writeFileSync(file, block);
    const result = await run(program, ['check', '--config', file], { cwd: dir });
    assert.equal(result.code, 0, result.stderr);
  }
});

test('a selection that fails is a dead letter at once and uses no attempt of the handler', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('picky', { select: { key: 'key', n: 'new_value.n + 1' } }, async (data) => inbox.put(data));
  await daemon.trigger('picky');
  await daemon.set('s', 'a', { n: 'text' });
  await daemon.set('s', 'a', { n: 41 });
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length === 1 && dead;
  });
  assert.match(JSON.stringify(letter), /select_failed.*new_value\.n \+ 1/);
  await daemon.settled();
  assert.deepEqual(inbox.items, [{ key: 'a', n: 42 }]);
});

test('a replayed dead letter is selected from like its event', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('shaky', { retry: { max_attempts: 1 },
    select: { key: 'key', n: 'new_value.n', at: 'time', id: 'event.id', type: 'event_type', seq: 'seq' } },
  async (data) => {
    inbox.put(data);
    if (inbox.items.length === 1) throw new Error('not yet');
  });
  await daemon.trigger('shaky');
  await daemon.set('s', 'a "quoted" key', { n: [1, { x: null }] });
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length === 1 && dead;
  });
  await daemon.call('engine::dead::replay', { id: letter.id });
  await inbox.count(2);
  assert.deepEqual(inbox.items[1], inbox.items[0]);
  const [event] = await daemon.events();
  assert.deepEqual(inbox.items[1], { key: event.key, n: [1, { x: null }], at: inbox.items[1].at,
    id: event.id, type: 'state:created', seq: 1 });
  assert.equal(new Date(inbox.items[1].at).getTime(), new Date(event.time).getTime());
});

test('on_condition_error: fire delivers, dead buries, neither is the default', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const got = new Inbox();
  const when = "new_value.plan.startsWith('p')";
  for (const [name, more] of [['ignores', {}], ['fires', { on_condition_error: 'fire' }],
    ['buries', { on_condition_error: 'dead' }]]) {
    worker.on(name, { when, ...more }, async (event) => got.put(`${name} ${event.event_type}`));
    await daemon.trigger(name);
  }
  await daemon.set('s', 'a', {});
  await daemon.set('s', 'a', { plan: 'pro' });
  await daemon.settled();
  assert.deepEqual([...got.items].sort(), ['buries state:updated', 'fires state:created',
    'fires state:updated', 'ignores state:updated']);
  const dead = await daemon.dead();
  assert.equal(dead.length, 1);
  assert.match(JSON.stringify(dead[0]), /condition_error.*plan/);
});
