// Why an event did or did not fire a trigger, dry runs, and expressions on the spot.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { RawWorker, program, rejects, run, sdk, startDaemon, startManual, tempDir, test,
  waitFor } from './lib.mjs';

const ok = (result) => {
  assert.equal(result.code, 0, `exit code ${result.code}: ${result.stderr}`);
  return result.stdout;
};
const json = (result) => JSON.parse(ok(result));

// A daemon whose config has a trigger of each id, all for a function that somebody offers.
async function judgesOf(t, triggers, more = {}, begin = startDaemon) {
  const daemon = await begin(t, { ...more,
    triggers: Object.entries(triggers).map(([id, config]) => ({ id, function: 'f', ...config })) });
  sdk(t, daemon).registerFunction('f', async () => {});
  return daemon;
}

async function explain(daemon, seq, query = '') {
  const answer = await daemon.http('GET', `/v1/events/${seq}/explain${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const byId = (answer) => Object.fromEntries(answer.triggers.map((one) => [one.id, one]));

test('every reason is told with what the trigger saw', async (t) => {
  const daemon = await judgesOf(t, {
    plain: { scope: 'users' },
    scope: { scope: 'orders' },
    key: { scope: 'users', key: 'b*' },
    exact: { scope: 'users', key: 'bob' },
    regex: { scope: 'users', key_regex: '^b' },
    events: { scope: 'users', events: ['deleted'] },
    changed: { scope: 'users', changed: ['plan', '/a/b'] },
    no: { scope: 'users', when: 'changed("visits") && new_value.plan == "pro" && new_value.visits > 1' },
    broken: { scope: 'users', when: 'new_value.nope > 1' },
    absorbed: { scope: 'users', when: 'new_value.nope > 1 && new_value.plan == "pro"' },
    fires: { scope: 'users', when: 'new_value.nope > 1', on_condition_error: 'fire' },
    dies: { scope: 'users', when: 'new_value.nope > 1', on_condition_error: 'dead' },
    risen: { scope: 'users', when: 'new_value.plan == "free"', fire: 'rising' },
    rising: { scope: 'users', when: 'new_value.plan == "pro"', fire: 'rising' },
    still: { scope: 'users', when: 'new_value.plan == "free"', fire: 'falling' },
    falling: { scope: 'users', when: 'new_value.plan == "pro"', fire: 'falling' },
    computed: { scope: 'users', when: 'new_value.plan.size() == 3' },
    asks: { scope: 'users', condition_function_id: 'f' },
  });
  await daemon.set('users', 'ada', { plan: 'free', visits: 1 });
  const { rev } = await daemon.set('users', 'ada', { plan: 'free', visits: 2 });
  const seq = Number(rev);
  const answer = await explain(daemon, seq);
  const { time, ...event } = answer.event;
  assert.deepEqual(event, { seq, event_type: 'state:updated', scope: 'users', key: 'ada' });
  assert.match(time, /^\d{4}-/);
  const one = byId(answer);
  const reasons = Object.fromEntries(answer.triggers.map((each) => [each.id, [each.fired, each.reason]]));
  assert.deepEqual(reasons, {
    plain: [true, 'fired'], asks: [true, 'fired'], fires: [true, 'fired_on_error'],
    dies: [false, 'dead_on_error'], broken: [false, 'condition_error'],
    no: [false, 'condition_false'], absorbed: [false, 'condition_false'],
    rising: [false, 'condition_false'], falling: [false, 'condition_false'],
    computed: [false, 'condition_false'], risen: [false, 'edge'], still: [false, 'edge'],
    changed: [false, 'changed'], key: [false, 'key'], exact: [false, 'key'], regex: [false, 'key'],
    events: [false, 'events'], scope: [false, 'scope'],
  });
  assert.equal(answer.triggers[0].reason, 'fired');
  assert.equal(answer.triggers.at(-1).reason, 'scope');
  assert.deepEqual(answer.counts, { fired: 2, fired_on_error: 1, dead_on_error: 1,
    condition_error: 1, condition_false: 5, edge: 2, changed: 1, key: 3, events: 1, scope: 1 });
  assert.deepEqual(answer.rest, {});
  assert.deepEqual([one.plain.version, one.plain.function_id, one.plain.text], [1, 'f', 'fired']);
  assert.match(one.asks.text, /condition function.*"f"/);
  assert.match(one.scope.text, /scope does not match.*"orders"/);
  assert.match(one.key.text, /key does not match.*"b\*"/);
  assert.match(one.exact.text, /key does not match.*"bob"/);
  assert.match(one.regex.text, /key does not match its key_regex/);
  assert.equal(one.events.text, 'events does not list state:updated');
  assert.equal(one.changed.text, 'changed: none of the paths differs');
  assert.deepEqual(one.changed.saw[0], { source: '/plan', type: 'string', value: '"free"' });
  assert.equal(one.changed.saw[1].source, '/a/b');
  assert.equal(one.changed.saw[1].error.code, 'no_such_key');
  assert.deepEqual(one.no.conjunct,
    { source: 'new_value.plan == "pro"', type: 'bool', value: 'false' });
  assert.deepEqual(one.no.saw, [{ source: 'new_value.plan', type: 'string', value: '"free"' }]);
  assert.equal(one.broken.conjunct.error.code, 'no_such_key');
  assert.match(one.broken.text, /its condition failed: .*nope/);
  assert.match(one.fires.text, /on_condition_error is fire.*nope/);
  assert.match(one.dies.text, /dead letter.*nope/);
  assert.equal(one.absorbed.conjunct.source, 'new_value.plan == "pro"');
  assert.equal(one.absorbed.saw[0].source, 'new_value.plan');
  assert.equal(one.risen.text, 'fire: rising: it was true before');
  assert.equal(one.still.text, 'fire: falling: it is still true');
  assert.match(one.rising.text, /^fire: rising: .*not true/);
  assert.deepEqual(one.rising.saw, [{ source: 'new_value.plan', type: 'string', value: '"free"' }]);
  assert.match(one.falling.text, /^fire: falling: .*old value/);
  assert.deepEqual(one.falling.saw, [{ source: 'old_value.plan', type: 'string', value: '"free"' }]);
  assert.equal(one.computed.saw.find((each) => each.source.includes('size')).value, '4');
  // What is said is what happened, and asking leaves no trace.
  await daemon.settled();
  const before = await daemon.triggers();
  for (const trigger of before) {
    const judged = [await explain(daemon, 1, `?trigger=${trigger.id}`),
      await explain(daemon, seq, `?trigger=${trigger.id}`)];
    assert.equal(trigger.matched,
      judged.filter(({ triggers: [each] }) => each.fired || each.reason === 'dead_on_error').length,
      trigger.id);
  }
  const figures = (list) => list.map((each) => [each.id, each.considered, each.condition_errors]);
  assert.deepEqual(figures(await daemon.triggers()), figures(before));
});

test('the text for a terminal is one line a trigger, the conjunct and its values under it', async (t) => {
  const daemon = await judgesOf(t, {
    no: { scope: 's', when: 'new_value.plan == "pro" && new_value.n > 1' },
    yes: { scope: 's' },
    other: { scope: 'o' },
  });
  await daemon.set('s', 'k', { plan: 'a\u001b[2Jb', n: 1 });
  const text = ok(await daemon.cli('explain', '1')).split('\n');
  assert.match(text[0], /^event 1 {2}\d{4}-.*Z {2}state:created {2}s {2}k$/);
  assert.equal(text[1], 'yes  fired');
  assert.equal(text[2], 'no  its condition is false');
  assert.equal(text[3], '  new_value.plan == "pro"  is false');
  assert.match(text[4], /^ {4}new_value\.plan {2}is "a.*b"$/);
  assert.ok(!text[4].includes('\u001b'));
  assert.equal(text[5], 'other  scope does not match: it wants "o"');
  const short = ok(await daemon.cli('explain', '1', '--limit', '1'));
  assert.match(short, /\n2 more: 1 condition_false, 1 scope\n$/);
  const only = json(await daemon.cli('explain', '1', '--trigger', 'no', '--json'));
  assert.deepEqual(only.triggers.map((one) => one.id), ['no']);
  assert.deepEqual(only.rest, {});
});

test('a version judges the events of its time', async (t) => {
  const daemon = await startDaemon(t);
  const register = async (config) => {
    const { status, text } = await daemon.http('POST', '/v1/triggers', { id: 'x', type: 'state',
      function_id: 'absent', config });
    assert.equal(status, 200, text);
  };
  await daemon.set('s', 'early', 1);
  await register({ scope: 's' });
  await daemon.set('s', 'owed', 1); // nobody serves it: version 1 has to stay
  await register({ scope: 'other' });
  await daemon.set('s', 'late', 1);
  const [early] = (await explain(daemon, 1)).triggers;
  assert.deepEqual([early.fired, early.reason], [false, 'later']);
  assert.match(early.text, /version 2 judges events from seq 3 on/);
  assert.deepEqual([early.now.fires, early.now.reason], [false, 'scope']);
  const [owed] = (await explain(daemon, 2)).triggers;
  assert.deepEqual([owed.version, owed.fired], [1, true]);
  const [late] = (await explain(daemon, 3)).triggers;
  assert.deepEqual([late.version, late.fired, late.reason], [2, false, 'scope']);
  assert.match(ok(await daemon.cli('explain', '1')), /judges events from seq 3 on.*\n {2}now: scope does/);
  const drawn = path.join(daemon.dir, 'event.json');
  fs.writeFileSync(drawn, JSON.stringify((await daemon.events())[1]));
  const [present] = json(await daemon.cli('explain', drawn, '--json')).triggers;
  assert.deepEqual([present.version, present.reason], [2, 'scope']);
});

test('a chain that is too long fired nothing', async (t) => {
  const daemon = await startDaemon(t, { delivery: { loop_depth: 2 } });
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'loop' });
  worker.send({ type: 'registertrigger', id: 't', trigger_type: 'state', function_id: 'loop',
    config: { scope: 's' } });
  await daemon.trigger('loop');
  worker.ws.on('message', async (text) => {
    const frame = JSON.parse(text);
    if (frame.type !== 'invokefunction') return;
    await worker.call('state::set', { scope: 's', key: 'k', value: frame.data.new_value + 1 },
      { baggage: frame.baggage });
    worker.send({ type: 'invocationresult', invocation_id: frame.invocation_id, function_id: 'loop' });
  });
  await daemon.set('s', 'k', 0);
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  const [one] = (await explain(daemon, letter.event.seq)).triggers;
  assert.deepEqual([one.fired, one.reason], [false, 'loop']);
  assert.match(one.text, /loop_depth/);
});

test('many triggers: the nearest are shown, the rest is counted', async (t) => {
  const triggers = {};
  for (let i = 0; i < 300; i++) {
    triggers[`t${i}`] = i % 3 === 0 ? { scope: 's', when: `new_value == ${i}` } : { scope: `s${i}` };
  }
  const daemon = await judgesOf(t, triggers);
  await daemon.set('s', 'k', 150);
  const answer = await explain(daemon, 1);
  assert.equal(answer.triggers.length, 100);
  assert.equal(answer.triggers[0].id, 't150');
  assert.ok(answer.triggers.slice(1).every((one) => one.reason === 'condition_false'));
  assert.deepEqual(answer.counts, { fired: 1, condition_false: 99, scope: 200 });
  assert.deepEqual(answer.rest, { scope: 200 });
  assert.equal((await explain(daemon, 1, '?limit=1000')).triggers.length, 300);
});

test('what cannot be explained says why', async (t) => {
  const daemon = await judgesOf(t, { x: { scope: 's' } });
  await daemon.set('s', 'k', 1);
  const problem = async (where, status, code, body) => {
    const answer = await daemon.http(body === undefined ? 'GET' : 'POST', where, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.code, code);
    return answer.json.detail;
  };
  await problem('/v1/events/99/explain', 404, 'event_not_found');
  await problem('/v1/events/0/explain', 400, 'invalid_argument');
  await problem('/v1/events/x1/explain', 400, 'invalid_argument');
  await problem('/v1/events/1.5/explain', 400, 'invalid_argument');
  await problem('/v1/events/1/explain?trigger=nobody', 404, 'trigger_not_found');
  await problem('/v1/events/1/explain?limit=0', 400, 'invalid_argument');
  await problem('/v1/events/1/explain?limt=5', 400, 'unknown_parameter');
  for (const [event, detail] of [[[], /object/], [{}, /scope/], [{ scope: 's' }, /key/],
    [{ scope: 's', key: 'k' }, /new_value/], [{ scope: 's', key: 'k', newvalue: 1 }, /newvalue.*new_value/],
    [{ scope: 5, key: 'k' }, /scope.*text/], [{ scope: 's', key: 'k', new_value: 1, seq: 'x' }, /seq/],
    [{ scope: 's', key: 'k', new_value: 1, event_type: 'exploded' }, /exploded/],
    [{ scope: 's', key: 'k', new_value: 1, time: 'noon' }, /time/],
    [{ scope: 's', key: 'k', new_value: 1, type: 'cron' }, /type/]]) {
    assert.match(await problem('/v1/explain', 400, 'invalid_event', JSON.stringify(event)), detail);
  }
  await rejects(daemon.call('engine::events::explain', {}), 'argument_required');
  for (const [args, code, message] of [
    [['explain', '99'], 4, /no event 99/], [['explain', '0'], 1, /from 1/],
    [['explain', '1', '--trigger', 'nobody'], 4, /nobody/], [['explain', 'none.json'], 1, /none\.json/],
    [['explain'], 2, /EVENT/], [['explain', '1', '--limit', 'x'], 1, /limit/]]) {
    const result = await daemon.cli(...args);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
  const bad = path.join(daemon.dir, 'bad.json');
  fs.writeFileSync(bad, '{"scope":');
  const result = await daemon.cli('explain', bad);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /bad\.json/);
});

test('an event that the journal has no more is gone, and what to do is said', async (t) => {
  const daemon = await judgesOf(t, { x: { scope: 's' } }, { journal: { max_bytes: '64m' } }, startManual);
  const large = 'x'.repeat(1900000);
  let n = 0;
  const gone = await waitFor('the first event to be trimmed', async () => {
    await daemon.set('other', 'k', `${n++}${large}`); // the same value would be no change
    await daemon.advance(0); // looks after the journal
    const answer = await daemon.http('GET', '/v1/events/1/explain');
    return answer.status === 410 && answer;
  }, 40000);
  assert.equal(gone.json.code, 'event_gone');
  assert.match(gone.json.detail, /not in the journal any more.*pawl explain event\.json/);
  assert.match(gone.json.agent_instruction, /\/v1\/explain/);
  const told = await daemon.cli('explain', '1');
  assert.equal(told.code, 1);
  assert.match(told.stderr, /event 1 is not in the journal/);
  const dry = await daemon.http('POST', '/v1/triggers:test', { trigger: {}, since: 0 });
  assert.ok(dry.json.first_seq > 1 && dry.json.seen > 0, dry.text.slice(0, 200));
});

test('an event from a file or standard input', async (t) => {
  const daemon = await judgesOf(t, {
    x: { scope: 's', when: 'deleted() && old_value.n == 1 && time < timestamp("2027-01-01T00:00:00Z")' } });
  const event = { scope: 's', key: 'k', old_value: { n: 1 }, time: '2026-01-02T03:04:05.678Z' };
  const { json: answer } = await daemon.http('POST', '/v1/explain', event);
  assert.deepEqual(answer.event, { seq: 0, event_type: 'state:deleted', scope: 's', key: 'k', time: event.time });
  assert.equal(answer.triggers[0].fired, true);
  const piped = await run(program, ['explain', '-', '--url', daemon.url], { input: JSON.stringify(event) });
  assert.match(ok(piped), /\nx {2}fired\n/);
});

test('a dry run lists what a trigger would have woken, and wakes nobody', async (t) => {
  const daemon = await startDaemon(t);
  for (let i = 1; i <= 30; i++) {
    await daemon.set(i % 2 ? 's' : 'other', `k${i}`, i % 5 ? { n: i } : { text: 'x' });
  }
  const file = path.join(daemon.dir, 'trigger.yaml');
  fs.writeFileSync(file, 'id: try\nfunction: nobody\nscope: s\nwhen: |\n  new_value.n > 20\n');
  const dry = (...args) => daemon.cli('trigger', 'test', '-f', file, ...args);
  const all = json(await dry('--json'));
  assert.deepEqual(all.matches.map((one) => one.seq), [21, 23, 27, 29]);
  assert.deepEqual([all.matches[0].key, all.matches[0].scope, all.matches[0].event_type],
    ['k21', 's', 'state:created']);
  const { first_seq, last_seq, complete, seen, considered, matched, condition_false, condition_errors } = all;
  assert.deepEqual({ first_seq, last_seq, complete, seen, considered, matched, condition_false, condition_errors },
    { first_seq: 1, last_seq: 30, complete: true, seen: 30, considered: 15, matched: 4, condition_false: 8,
      condition_errors: 3 });
  assert.deepEqual(all.counts, { fired: 4, condition_error: 3, condition_false: 8, scope: 15 });
  assert.equal(all.first_error.seq, 5);
  assert.match(all.first_error.text, /'n'/);
  assert.ok(all.evaluation_ns > 0 && all.evaluation_ns < 1e6, `${all.evaluation_ns} ns`);
  assert.deepEqual(json(await dry('--last', '5', '--json')).matches.map((one) => one.seq), [27, 29]);
  assert.deepEqual(json(await dry('--since', '21', '--last', '3', '--json')).matches.map((one) => one.seq), [23]);
  fs.writeFileSync(file, 'scope: s\nwhen: new_value.n > 20\n'); // needs no name
  assert.deepEqual(json(await dry('--json')).matches.map((one) => one.seq), [21, 23, 27, 29]);
  const none = json(await dry('--since', '30', '--json'));
  assert.deepEqual([none.seen, none.matches, none.complete], [0, [], true]);
  const text = ok(await dry());
  assert.match(text, /^21 {2}.*state:created {2}s {2}k21\n/);
  assert.match(text, /4 of 30 events would have fired it \(seq 1 to 30\)/);
  assert.match(text, /considered 15, condition false 8, condition errors 3/);
  assert.match(text, /first error, at event 5: /);
  assert.deepEqual(await daemon.triggers(), []);
  assert.deepEqual(await daemon.jobs(), []);
});

test('a dry run over more events than it lists is bounded and the engine goes on meanwhile', async (t) => {
  const daemon = await startDaemon(t);
  for (let i = 0; i < 25; i++) {
    await daemon.call('state::transact', { ops: Array.from({ length: 100 }, (_, j) =>
      ({ type: 'set', scope: 's', key: `${i}-${j}`, value: { tags: Array(20).fill('x') } })) });
  }
  const ask = (trigger, more = {}) => daemon.http('POST', '/v1/triggers:test', { trigger, ...more });
  const { json: many } = await ask({ type: 'state', config: {} }, { last: 100000 });
  assert.deepEqual([many.seen, many.matched, many.matches.length, many.left_out], [2500, 2500, 1000, 1500]);
  const slow = { config: { when: 'new_value.tags.all(a, new_value.tags.all(b, new_value.tags.all(c, c < "y")))' } };
  const running = ask(slow, { last: 100000 });
  assert.equal(await daemon.set('t', 'k', 1).then(() => daemon.get('t', 'k')), 1);
  const { json: done } = await running;
  assert.ok(done.complete ? done.matched === done.seen : done.last_seq < 2500, JSON.stringify(done.counts));
});

test('a trigger that cannot be tried says where it is wrong', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'k', 1);
  const file = path.join(daemon.dir, 'trigger.yaml');
  const refused = async (text, code, message, ...args) => {
    fs.writeFileSync(file, text);
    const result = await daemon.cli('trigger', 'test', '--file', file, ...args);
    assert.equal(result.code, code, `${text}: ${result.stdout}${result.stderr}`);
    assert.match(result.stderr, message);
  };
  const good = 'id: x\nfunction: f\n';
  await refused(`${good}when: new_value.n >\n`, 1, /trigger\.yaml:3:.*when[^]*\^/);
  await refused(`${good}scop: s\n`, 1, /trigger\.yaml:\d+:.*scop.*scope/);
  await refused('- a\n', 1, /mapping/);
  await refused(`${good}: [\n`, 1, /trigger\.yaml/);
  await refused(good, 2, /number/, '--last', 'x');
  await refused(good, 1, /100000/, '--last', '100001');
  await refused(good, 4, /no event 7/, '--since', '7');
  assert.equal((await daemon.cli('trigger', 'test', '-f', 'none.yaml')).code, 1);
  assert.equal((await daemon.cli('trigger', 'test')).code, 2);
  const problem = await daemon.http('POST', '/v1/triggers:test', { trigger: { config: { when: '1 +' } } });
  assert.deepEqual([problem.status, problem.json.code], [400, 'invalid_condition']);
  assert.match(problem.json.detail, /'when': [^]*1 \+\n[^]*\^/);
  for (const body of [{}, { trigger: 5 }, { trigger: { config: [] } }, { trigger: {}, last: 0 }]) {
    assert.equal((await daemon.http('POST', '/v1/triggers:test', body)).status, 400, JSON.stringify(body));
  }
  const unknown = await daemon.http('POST', '/v1/triggers:test', { trigger: { type: 'mqtt' } });
  assert.equal(unknown.json.code, 'trigger_type_not_found');
});

test('trigger show tells the figures of one trigger', async (t) => {
  const daemon = await judgesOf(t, { x: { scope: 's', when: 'new_value.n + 1 > new_value.m' } });
  await daemon.set('s', 'k', {});
  await daemon.settled();
  const shown = json(await daemon.cli('trigger', 'show', 'x', '--json'));
  assert.deepEqual([shown.id, shown.considered, shown.matched, shown.condition_errors], ['x', 1, 0, 1]);
  assert.match(shown.last_condition_error.text, /'n'/);
  assert.match(ok(await daemon.cli('trigger', 'show', 'x')), /"condition_errors": 1/);
  assert.equal((await daemon.cli('trigger', 'show', 'nobody')).code, 4);
});

test('eval: a value and its type, errors with a caret, exit codes', async (t) => {
  const dir = tempDir(t);
  const evaluate = (...args) => run(program, ['eval', ...args], { cwd: dir });
  assert.equal(ok(await evaluate('1 + 2')), '3 : int\n');
  assert.equal(ok(await evaluate('-1.5')), '-1.5 : double\n');
  assert.equal(ok(await evaluate('new_value.plan == "pro" && became("plan", "pro")')), 'true : bool\n');
  assert.deepEqual(json(await evaluate('{"a": [1, 2.5]}', '--json')),
    { type: 'map', text: '{"a": [1, 2.5]}', value: { a: [1, 2.5] } });
  assert.deepEqual(json(await evaluate('0.0 / 0.0', '--json')), { type: 'double', text: 'NaN' });
  const wrong = await evaluate('1 +\n  new_valu');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /line 2, column 3[^]*\n {4}new_valu\n {4}\^/);
  assert.equal(wrong.stdout, '');
  const report = await evaluate('1 +', '--json');
  assert.equal(report.code, 2);
  const { error } = JSON.parse(report.stdout);
  assert.deepEqual([error.code, error.line, error.column], ['invalid_expression', 1, 4]);
  const failed = await evaluate('new_value.nope');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /nope.*no_such_key/);
  assert.equal(JSON.parse((await evaluate('1 / 0', '--json')).stdout).error.code, 'divide_by_zero');
  fs.writeFileSync(path.join(dir, 'e.json'), '{"scope":"s","key":"k","new_value":{"n":9007199254740993}}');
  assert.equal(ok(await evaluate('[event_type, key, string(new_value.n), event.scope]', '--event', 'e.json')),
    '["state:created", "k", "9007199254740993", "s"] : list\n');
  const piped = await run(program, ['eval', 'old_value == null', '--event', '-'],
    { input: '{"scope":"s","key":"k","new_value":1}' });
  assert.equal(ok(piped), 'true : bool\n');
  for (const [args, code] of [[['1', '--event', 'none.json'], 1], [['--event', '-'], 2], [['1', '2'], 2]]) {
    assert.equal((await evaluate(...args)).code, code, args.join(' '));
  }
  fs.writeFileSync(path.join(dir, 'e.json'), '{"key":"k"}');
  const bad = await evaluate('1', '--event', 'e.json');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /e\.json: .*scope/);
});

test('eval reads lines where no expression is given', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(path.join(dir, 'e.json'), '{"scope":"s","key":"other","new_value":5}');
  const talk = (...lines) => run(program, ['eval'], { cwd: dir, input: lines.join('\n') });
  const said = ok(await talk('key', ':event e.json', 'key', '', 'new_value * 2', ':event', ':quit', '1'));
  assert.match(said, /^"ada" : string\n"other" : string\n10\.0 : double\n\{\n/);
  assert.doesNotMatch(said, /1 : int/);
  const names = ok(await talk(':vars')).split('\n');
  for (const name of ['new_value', 'scope', 'changed()', 'became()']) assert.ok(names.includes(name), name);
  assert.match(ok(await talk(':help')), /:quit/);
  const some = await talk('1 +', '2', ':event none.json', 'key');
  assert.equal(some.code, 1);
  assert.equal(some.stdout, '2 : int\n"ada" : string\n');
  assert.match(some.stderr, /\^\n[^]*none\.json/);
});
