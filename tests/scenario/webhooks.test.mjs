// Functions over HTTP, judged by the reference packages of Standard Webhooks and CloudEvents.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { Inbox, gate, run, program, startDaemon, startManual, tempDir, test, waitFor } from './lib.mjs';

const KEY = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OLD_KEY = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

// An endpoint: what came is in `inbox`, what it answers is said by `answer(request, n)`.
async function endpoint(t, answer = () => ({ status: 204 }), make = (on) => http.createServer(on)) {
  const inbox = new Inbox();
  const sockets = new Set();
  const server = make((request, reply) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const item = { method: request.method, url: request.url, headers: { ...request.headers },
        body: Buffer.concat(parts).toString(), version: request.httpVersion };
      const n = inbox.items.length;
      const { status, headers = {}, body } = await answer(item, n);
      inbox.put(item);
      reply.writeHead(status, headers).end(body);
    });
  });
  server.on(server instanceof https.Server || server.setSecureContext ? 'secureConnection' :
    'connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  const { port } = server.address();
  return { inbox, sockets, port, url: `http://127.0.0.1:${port}/hook` };
}

const quick = { retry: { initial_ms: 50, max_ms: 50, jitter: 0 } };

function configOf(http, more = {}) {
  return {
    webhooks: { allow_private: true },
    secrets: { now: '${HOOK_KEY}', old: OLD_KEY, token: 't0ken' },
    functions: [{ id: 'hook', http }],
    triggers: [{ id: 'on-user', function: 'hook', scope: 'users', ...quick }],
    ...more,
  };
}

const start = (t, http, more) => startDaemon(t, configOf(http, more), { HOOK_KEY: KEY });

test('a signature verifies with each of its keys, and with no other', async (t) => {
  const { url, inbox } = await endpoint(t);
  const daemon = await start(t, { url, sign: ['now', 'old'] });
  await daemon.set('users', 'änn/1', { name: 'Änn' });
  const [{ headers, body }] = await inbox.count(1);
  for (const key of [KEY, OLD_KEY]) {
    const event = new Webhook(key).verify(body, headers);
    assert.equal(event.key, 'änn/1');
    assert.equal(event.delivery_id, headers['webhook-id']);
  }
  const other = new Webhook('whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  assert.throws(() => other.verify(body, headers), /No matching signature/);
  assert.throws(() => new Webhook(KEY).verify(`${body} `, headers), /No matching signature/);
});

test('a repetition has the same id and a signature of its own', async (t) => {
  const { url, inbox } = await endpoint(t, (_, n) => ({ status: n === 0 ? 500 : 204 }));
  const daemon = await start(t, { url, sign: ['now'] });
  await daemon.set('users', 'ann', 1);
  const [first, second] = await inbox.count(2);
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
  assert.notEqual(first.headers['webhook-signature'], second.headers['webhook-signature']);
  assert.equal(new Webhook(KEY).verify(second.body, second.headers).attempt, 2);
});

test('no answer and no line of the log holds a secret', async (t) => {
  const { url, inbox } = await endpoint(t, () => ({ status: 500 }));
  const daemon = await start(t, { url, sign: ['now'],
    headers: { 'x-key': '${{ secrets.token }}', 'x-bad': '${{ new_value.bad }}' } },
  { triggers: [{ id: 'on-user', function: 'hook', scope: 'users', retry: { max_attempts: 1 } }] });
  await daemon.set('users', 'ann', { bad: 'a\nb' });
  await daemon.set('users', 'ben', { bad: 'fine' });
  await inbox.count(1);
  const dead = await waitFor('the dead letters', async () => {
    const all = await daemon.dead();
    return all.length === 2 && all;
  });
  const shown = JSON.stringify([dead, await daemon.triggers(),
    await daemon.call('engine::functions::list')]) + daemon.log;
  for (const secret of ['t0ken', KEY.slice(6), OLD_KEY.slice(6)]) {
    assert.ok(!shown.includes(secret), shown);
  }
  assert.ok(shown.includes('header_failed'));
});

test('a CloudEvent in structured mode is what the reference package reads', async (t) => {
  const { url, inbox } = await endpoint(t);
  const daemon = await start(t, { url, format: 'cloudevents' }, { service: { name: 'shop' } });
  await daemon.set('users', 'änn "q" 50%', { plan: 'pro' });
  await daemon.set('users', 'änn "q" 50%', { plan: 'free' });
  const items = await inbox.count(2);
  assert.equal(items[0].headers['content-type'], 'application/cloudevents+json');
  const [made, changed] = items.map(({ headers, body }) => HTTP.toEvent({ headers, body }));
  assert.ok(made.validate());
  assert.equal(made.type, 'pawl.state.created');
  assert.equal(changed.type, 'pawl.state.updated');
  assert.equal(made.source, '/pawl/shop');
  assert.equal(made.subject, 'users/änn "q" 50%');
  assert.equal(made.datacontenttype, 'application/json');
  assert.equal(made.id, made.data.id);
  assert.notEqual(made.id, changed.id);
  assert.equal(made.traceparent, items[0].headers.traceparent);
  assert.equal(new Date(made.time).toISOString(), made.data.time);
  assert.deepEqual(changed.data.new_value, { plan: 'free' });
});

test('a CloudEvent in binary mode is the same one, and can be signed', async (t) => {
  const { url, inbox } = await endpoint(t);
  const daemon = await start(t, { url, format: 'cloudevents_binary', sign: ['now'] }, {
    triggers: [{ id: 'on-user', function: 'hook', scope: 'users', select: { p: 'new_value.plan' } }],
  });
  await daemon.set('users', 'änn "q" 50%\u0007', { plan: 'pro' });
  const [{ headers, body }] = await inbox.count(1);
  const event = HTTP.toEvent({ headers, body });
  assert.ok(event.validate());
  assert.equal(event.type, 'pawl.state.created');
  // The package leaves the percent-encoding of the HTTP binding to us.
  assert.equal(decodeURIComponent(headers['ce-subject']), 'users/änn "q" 50%%07');
  assert.deepEqual(event.data, { p: 'pro' });
  assert.deepEqual(new Webhook(KEY).verify(body, headers), { p: 'pro' });
});

test('headers are filled in from the event', async (t) => {
  const { url, inbox } = await endpoint(t);
  const daemon = await start(t, { url, headers: {
    'x-plan': '${{ new_value.?plan }}', 'x-key': '${{ scope }}:${{ key }}',
    authorization: 'Bearer ${{ secrets.token }}',
  } });
  await daemon.set('users', 'ann', { plan: 'pro' });
  await daemon.set('users', 'ben', {});
  const items = await inbox.count(2);
  assert.equal(items[0].headers['x-plan'], 'pro');
  assert.equal(items[0].headers['x-key'], 'users:ann');
  assert.equal(items[0].headers.authorization, 'Bearer t0ken');
  assert.equal(items[1].headers['x-plan'], undefined);
});

test('Retry-After is obeyed, as seconds and as a date', async (t) => {
  const { url, inbox } = await endpoint(t, (_, n) => {
    const after = [() => '3600', () => new Date(Date.now() + 7200000).toUTCString()][n];
    return after ? { status: 429, headers: { 'retry-after': after() } } : { status: 204 };
  });
  const daemon = await startManual(t, configOf({ url }), undefined, { HOOK_KEY: KEY });
  const wait = async (failed) => (await waitFor(`attempt ${failed} to have failed`, async () =>
    (await daemon.jobs()).find((job) => job.failed_attempts === failed && job.due))).due;
  const now = async () => (await daemon.http('GET', '/v1/clock')).json.now_ms;
  await daemon.set('users', 'ann', 1);
  assert.equal(Date.parse(await wait(1)) - await now(), 3600000);
  await daemon.advance(3600000);
  const second = Date.parse(await wait(2)) - await now();
  assert.ok(second > 7190000 && second <= 7201000, `${second} ms`); // a date has whole seconds
  await daemon.advance(second - 1);
  assert.equal(inbox.items.length, 2);
  await daemon.advance(1);
  assert.equal(inbox.items.length, 3);
});

test('without a policy of its own it retries as Standard Webhooks says', async (t) => {
  const { url, inbox } = await endpoint(t, () => ({ status: 500 }));
  const daemon = await startManual(t, { ...configOf({ url }), delivery: { retry: { max_attempts: 2, initial_ms: 1 } },
    triggers: [{ id: 'on-user', function: 'hook', scope: 'users' }] }, undefined, { HOOK_KEY: KEY });
  await daemon.set('users', 'ann', 1);
  await inbox.count(1);
  await daemon.advance(5 * 24 * 3600000);
  const [letter] = await daemon.dead();
  const times = letter.attempts.map((one) => Date.parse(one.started) / 1000);
  const waits = times.slice(1).map((at, n) => at - times[n]);
  const said = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];
  assert.equal(waits.length, said.length, JSON.stringify(waits));
  said.forEach((seconds, n) => assert.ok(Math.abs(waits[n] - seconds) <= seconds / 4, `${waits}`));
});

test('410 disables the function; its events are held until it is enabled', async (t) => {
  let gone = true;
  const { url, inbox } = await endpoint(t, () => ({ status: gone ? 410 : 204 }));
  const daemon = await start(t, { url });
  await daemon.set('users', 'ann', 1);
  await inbox.count(1);
  const held = await daemon.trigger('hook', (one) => one.function_disabled);
  assert.match(held.function_disabled, /410/);
  const { functions } = await daemon.call('engine::functions::list');
  assert.match(functions.find((one) => one.function_id === 'hook').disabled, /410/);
  assert.match(daemon.log, /hook is disabled/);
  await daemon.set('users', 'ben', 1);
  const refused = await daemon.http('POST', '/v1/functions/hook/invoke', {});
  assert.equal(refused.status, 409);
  assert.equal(refused.json.code, 'function_disabled');
  gone = false;
  const enabled = await daemon.cli('enable', 'hook');
  assert.equal(enabled.code, 0, enabled.stderr);
  const items = await inbox.count(3);
  const keys = items.slice(1).map(({ body }) => JSON.parse(body)).map((event) => [event.key, event.attempt]);
  assert.deepEqual(keys.sort(), [['ann', 1], ['ben', 1]]);
  assert.equal((await daemon.dead()).length, 0);
});

// The daemon reads its file again, with what is new in it.
async function reload(daemon, more) {
  const config = { listen: `127.0.0.1:${daemon.port}`, data: daemon.data, ...daemon.config, ...more };
  fs.writeFileSync(daemon.configFile, JSON.stringify(config));
  const { status, text } = await daemon.http('POST', '/v1/config:reload');
  assert.equal(status, 200, text);
}

test('a key is changed while events flow, and no answer tells it', async (t) => {
  const { url, inbox } = await endpoint(t);
  const daemon = await start(t, { url, sign: ['now'] });
  await daemon.set('users', 'ann', 1);
  await inbox.count(1);
  await reload(daemon, { secrets: { ...daemon.config.secrets, now: OLD_KEY } });
  await daemon.set('users', 'ann', 2);
  const [first, second] = await inbox.count(2);
  new Webhook(KEY).verify(first.body, first.headers);
  new Webhook(OLD_KEY).verify(second.body, second.headers);
  assert.throws(() => new Webhook(KEY).verify(second.body, second.headers));
  assert.ok(!daemon.log.includes(OLD_KEY.slice(6)));
});

test('another declaration enables what 410 has disabled', async (t) => {
  let gone = true;
  const { url, inbox } = await endpoint(t, () => ({ status: gone ? 410 : 204 }));
  const daemon = await start(t, { url });
  await daemon.set('users', 'ann', 1);
  await daemon.trigger('hook', (one) => one.function_disabled);
  gone = false;
  await reload(daemon, { functions: [{ id: 'hook', http: { url, timeout: '3s' } }] });
  const items = await inbox.count(2);
  assert.equal(JSON.parse(items[1].body).key, 'ann');
});

test('410 is forgotten at a restart', async (t) => {
  const { url, inbox } = await endpoint(t, (_, n) => ({ status: n === 0 ? 410 : 204 }));
  const daemon = await start(t, { url });
  await daemon.set('users', 'ann', 1);
  await inbox.count(1);
  await daemon.trigger('hook', (one) => one.function_disabled);
  await daemon.restart('SIGKILL');
  const items = await inbox.count(2);
  assert.equal(JSON.parse(items[1].body).key, 'ann');
});

test('redirects are followed only when asked, with the same request', async (t) => {
  const answer = ({ url }) => url === '/end' ? { status: 204 }
    : { status: 302, headers: { location: '/end' } };
  const { url, inbox } = await endpoint(t, answer);
  const daemon = await start(t, { url }, {
    functions: [{ id: 'hook', http: { url } },
      { id: 'follows', http: { url, follow_redirects: 1, sign: ['now'] } }],
    triggers: [],
  });
  const refused = await daemon.http('POST', '/v1/functions/hook/invoke', { a: 1 });
  assert.match(refused.text, /redirects are not followed/);
  assert.deepEqual(inbox.items.map((one) => one.url), ['/hook']);
  await daemon.call('follows', { a: 1 });
  const last = inbox.items.at(-1);
  assert.deepEqual([last.method, last.url, last.body], ['POST', '/end', '{"a":1}']);
  assert.deepEqual(new Webhook(KEY).verify(last.body, last.headers), { a: 1 });
});

test('a secret follows no redirect to another origin', async (t) => {
  const there = await endpoint(t);
  const here = await endpoint(t, () => ({ status: 307, headers: { location: there.url } }));
  const daemon = await start(t, { url: here.url, follow_redirects: 3,
    headers: { 'x-key': '${{ secrets.token }}' } });
  const refused = await daemon.http('POST', '/v1/functions/hook/invoke', {});
  assert.match(refused.text, /redirect_refused|carries a secret/);
  assert.equal(there.inbox.items.length, 0);
});

test('private addresses are refused unless they are allowed, however one gets there', async (t) => {
  const { url, inbox } = await endpoint(t);
  for (const target of [url, url.replace('127.0.0.1', 'localhost'), 'http://[::1]:9/',
    'http://169.254.169.254/', 'http://2130706433:9/']) {
    const daemon = await start(t, { url: target, follow_redirects: 3 },
      { webhooks: { allow_private: false } });
    const refused = await daemon.http('POST', '/v1/functions/hook/invoke', {});
    assert.match(refused.text, /address_refused|private or loopback/, target);
    await daemon.stop();
  }
  assert.equal(inbox.items.length, 0);
});

// A certificate for localhost by an authority of its own.
function certificate(t) {
  const dir = tempDir(t);
  const at = (name) => path.join(dir, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', at('key.pem'), '-out', at('cert.pem')],
  { stdio: 'ignore' });
  return { key: fs.readFileSync(at('key.pem')), cert: fs.readFileSync(at('cert.pem')),
    file: at('cert.pem') };
}

test('TLS is verified; ca_file says by whom; insecure: true is warned of', async (t) => {
  const made = certificate(t);
  const { port, inbox } = await endpoint(t, undefined, (on) => https.createServer(made, on));
  const url = `https://127.0.0.1:${port}/hook`;
  const daemon = await start(t, { url }, { triggers: [], functions: [
    { id: 'strict', http: { url } },
    { id: 'known', http: { url, ca_file: made.file } },
    { id: 'blind', http: { url, insecure: true } },
  ] });
  const refused = await daemon.http('POST', '/v1/functions/strict/invoke', {});
  assert.match(refused.text, /certificate/i);
  assert.equal(inbox.items.length, 0);
  await daemon.call('known');
  await daemon.call('blind');
  assert.equal(inbox.items.length, 2);
  assert.match(daemon.log, /blind: insecure: true/);
  assert.doesNotMatch(daemon.log, /(strict|known): insecure/);
});

test('HTTP/2 where the server has it, and one connection for all', async (t) => {
  const made = certificate(t);
  const { port, inbox, sockets } = await endpoint(t, undefined,
    (on) => http2.createSecureServer({ ...made, allowHTTP1: true }, on));
  const daemon = await start(t, { url: `https://localhost:${port}/`, ca_file: made.file,
    concurrency: 20 }, { triggers: [{ id: 'on-user', function: 'hook', scope: 'users',
    concurrency: 20 }] });
  await Promise.all(Array.from({ length: 40 }, (_, i) => daemon.set('users', `u${i}`, i)));
  await inbox.count(40);
  assert.ok(inbox.items.every((one) => one.version === '2.0'));
  assert.equal(sockets.size, 1);
});

test('connections are used again, and no more requests run than allowed', async (t) => {
  const full = gate();
  let running = 0;
  let most = 0;
  const { url, inbox, sockets } = await endpoint(t, async () => {
    most = Math.max(most, ++running);
    if (running === 3) full.open();
    await full.promise; // the first ones: until as many run as may
    await new Promise((done) => setImmediate(done));
    running--;
    return { status: 204 };
  });
  const daemon = await start(t, { url, concurrency: 3 });
  await Promise.all(Array.from({ length: 60 }, (_, i) => daemon.set('users', `u${i}`, i)));
  await inbox.count(60);
  assert.equal(most, 3);
  assert.ok(sockets.size <= 3, `${sockets.size} connections`);
});

test('pawl check says what is wrong, at its line, and no secret', async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, 'config.yaml');
  fs.writeFileSync(path.join(dir, 'key'), `${KEY}\n`);
  const good = ['secrets:', `  key: file:${path.join(dir, 'key')}`, 'functions:', '  - id: f',
    '    http:', '      url: https://example.com/', '      sign: [key]',
    '      headers:', '        x-plan: "${{ new_value.plan }}"'];
  const check = async (lines) => {
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    return run(program, ['check', '--config', file]);
  };
  assert.equal((await check(good)).code, 0);
  const cases = [
    [good.with(6, '      sign: [nope]'), /:6:.*no secret "nope"/],
    [good.with(8, '        x-plan: "${{ new_value. }}"'), /:6:.*x-plan|:6:.*new_value/],
    [good.with(1, '  key: s3cret-value'), /:6:.*"key" must be whsec_/],
    [good.with(1, '  key: file:/nonexistent'), /:2:.*nonexistent cannot be read/],
    [good.with(1, '  key: {a: b}'), /:2:.*'key' must be a text/],
    [good.with(5, '      url: https://example.com/\n      format: xml'), /format/],
  ];
  for (const [lines, expected] of cases) {
    const { code, stderr, stdout } = await check(lines);
    assert.notEqual(code, 0);
    assert.match(stderr + stdout, expected);
    assert.doesNotMatch(stderr + stdout, /s3cret-value|MfKQ9/);
  }
});

test('alarms are POSTed to alarm_path, at the same server, and everything else to url', async (t) => {
  const { url, inbox } = await endpoint(t, (request, n) => ({ status: n === 0 ? 500 : 204 }));
  const daemon = await startManual(t, configOf({ url: `${url}?x=1`, method: 'PUT', alarm_path: '/internal/alarm' }, {
    triggers: [{ id: 'on-user', function: 'hook', scope: 'users' },
      { id: 'on-ring', type: 'alarm', function: 'hook', scope: 'rooms/*', select: { room: 'scope' } }],
  }), undefined, { HOOK_KEY: KEY });
  const base = '/v1/services/default/state/namespaces';
  const set = (namespace, object, body) =>
    daemon.http('PUT', `${base}/${namespace}/objects/${object}/alarm`, body);
  assert.equal((await set('users', 'ada', { delaySeconds: 10, function_id: 'hook' })).status, 200);
  await daemon.advance(10000); // fails once
  await daemon.advance(60000);
  await inbox.count(2);
  assert.equal((await set('rooms', 'lobby', { delaySeconds: 10 })).status, 200);
  await daemon.advance(10000);
  await inbox.count(3);
  await daemon.set('users', 'ada', 1);
  const came = await inbox.count(4);
  assert.deepEqual(came.map((one) => `${one.method} ${one.url}`), ['POST /internal/alarm', 'POST /internal/alarm',
    'POST /internal/alarm', 'PUT /hook?x=1']);
  const [first, again, ring] = came.map((one) => JSON.parse(one.body));
  assert.deepEqual([first.type, first.event_type, first.scope, first.key], ['alarm', 'alarm:due', 'users/ada', '']);
  assert.equal(again.delivery_id, first.delivery_id);
  assert.deepEqual(ring, { room: 'rooms/lobby' });
});
