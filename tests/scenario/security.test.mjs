// Who may do what: every route and every frame, with the right token, a wrong one, and none.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { WebSocket } from 'ws';
import { RawWorker, program, rejects, root, run, sdk, startDaemon, tempDir, test, waitFor,
  within } from './lib.mjs';

const ALL = { read: ['*'], write: ['*'], admin: ['*'], invoke: ['*'], work: ['*'], manage: ['all'] };
const WRONG = `pawl_${'A'.repeat(43)}`;
const OPEN = ['/', '/health', '/healthz', '/readyz'];
const bearer = (token) => ({ authorization: `Bearer ${token}` });

// The rows of the table of routes, as the source has them.
function routes() {
  const source = fs.readFileSync(path.join(root, 'engine/api/route.c'), 'utf8');
  const macros = Object.fromEntries([...source.matchAll(/#define (\w+)\s+((?:"[^"]*"|\w+|\s|\\)+)\n/g)]
    .map(([, name, text]) => [name, text]));
  const textOf = (expression) => expression.replace(/\\\n/g, ' ').trim().split(/\s+/)
    .map((part) => (part.startsWith('"') ? part.slice(1, -1) : textOf(macros[part] ?? '""'))).join('');
  return [...source.matchAll(
    /\{"(GET|PUT|POST|DELETE)",\s*((?:"[^"]*"|[A-Z_]+|\s)+),\s*(NULL|"[^"]*")/g)]
    .map(([, method, where]) => ({ method, path: textOf(where) }));
}

// The status and the head alone: some replies have no end.
async function ask(daemon, { method, path: where }, headers = {}) {
  const stop = new AbortController();
  const hasBody = method === 'POST' || method === 'PUT';
  const isEvent = method === 'POST' && where === '/v1/events';
  const type = isEvent ? 'application/cloudevents+json' : 'application/json';
  const body = isEvent ? '{"specversion":"1.0","id":"1","source":"/s","type":"t"}'
    : where.includes('/values/') ? '{"value":1}' : '{}';
  const reply = await fetch(daemon.url + where.replace('{service}', 'default').replace(/\{\w+\}/g, 'x'), {
    method, signal: stop.signal, body: hasBody ? body : undefined,
    headers: hasBody ? { 'content-type': type, ...headers } : headers });
  const text = reply.status >= 400 ? await reply.text() : '';
  stop.abort();
  return { status: reply.status, headers: reply.headers, text };
}

const make = (daemon, name, rights, token, more = {}) =>
  daemon.http('POST', '/v1/tokens', { name, rights, ...more }, token ? bearer(token) : {});

async function withTokens(t, config = {}) {
  const daemon = await startDaemon(t, config);
  const made = await make(daemon, 'root', ALL);
  assert.equal(made.status, 200, made.text);
  const all = made.json.token;
  const token = async (name, rights, more) => {
    const reply = await make(daemon, name, rights, all, more);
    assert.equal(reply.status, 200, reply.text);
    return reply.json.token;
  };
  return { daemon, all, token };
}

const cli = (daemon, args, env = {}) =>
  run(program, args, { env: { ...process.env, PAWL_URL: daemon.url, ...env }, cwd: daemon.dir });

test('every route wants a token, the right one, and the right to it', async (t) => {
  const { daemon, all, token } = await withTokens(t);
  const none = await token('none', {});
  const rows = routes();
  assert.ok(rows.length > 50, `only ${rows.length} routes were found`);
  for (const row of rows) {
    const what = `${row.method} ${row.path}`;
    const isOpen = OPEN.includes(row.path) || row.path.startsWith('/console/');
    const without = await ask(daemon, row);
    const wrong = await ask(daemon, row, bearer(WRONG));
    const small = await ask(daemon, row, bearer(none));
    const right = await ask(daemon, row, bearer(all));
    if (isOpen) {
      assert.ok(without.status < 500 && without.status !== 401, what);
      continue;
    }
    assert.equal(without.status, 401, what);
    assert.match(without.headers.get('www-authenticate'), /^Bearer/, what);
    assert.equal(JSON.parse(without.text).code, 'unauthorized', what);
    assert.ok([401, 429].includes(wrong.status), `${what}: ${wrong.status}`);
    if (!['/v1/clock', '/openapi.json'].includes(row.path)) {
      assert.ok(small.status === 403, `${what}: ${small.status} ${small.text}`);
      assert.equal(JSON.parse(small.text).code, 'forbidden', what);
    }
    assert.ok(![401, 403, 429].includes(right.status), `${what}: ${right.status} ${right.text}`);
  }
  assert.equal((await daemon.http('GET', '/no/such/path')).status, 401);
  assert.equal((await daemon.http('GET', '/no/such/path', undefined, bearer(all))).status, 404);
});

test('who has no token learns nothing but whether it is well', async (t) => {
  const { daemon } = await withTokens(t);
  assert.deepEqual((await daemon.http('GET', '/health')).json, { status: 'ok' });
  assert.deepEqual((await daemon.http('GET', '/readyz')).json, { status: 'ok' });
});

test('the first token must be able to make others, the last one stays', async (t) => {
  const daemon = await startDaemon(t);
  const small = await make(daemon, 'small', { read: ['*'] });
  assert.equal(small.status, 400);
  assert.equal(small.json.code, 'first_token');
  const { json: { token } } = await make(daemon, 'root', ALL);
  assert.match(token, /^pawl_[\w-]{43}$/);
  assert.equal((await make(daemon, 'root', ALL, token)).json.code, 'exists');
  const last = await daemon.http('DELETE', '/v1/tokens/root', undefined, bearer(token));
  assert.equal(last.json.code, 'last_token');
  await daemon.restart('SIGKILL');
  assert.equal((await daemon.http('GET', '/v1/status')).status, 401);
  const { json } = await daemon.http('GET', '/v1/tokens', undefined, bearer(token));
  assert.deepEqual(json.tokens.map((one) => [one.name, one.origin]), [['root', 'record']]);
  assert.ok(!JSON.stringify(json).includes(token.slice(5)));
  assert.ok(!daemon.log.includes(token));
  for (const file of fs.readdirSync(daemon.data, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = fs.readFileSync(path.join(file.parentPath ?? file.path, file.name));
    assert.ok(!bytes.includes(token), `${file.name} holds the token`);
  }
});

test('a revoked or expired token is cut off where it is connected', async (t) => {
  const { daemon, all, token } = await withTokens(t);
  for (const [name, more] of [['leaver', {}], ['short', { ttl: '1s' }]]) {
    const text = await token(name, { work: ['*'] }, more);
    const worker = await RawWorker.open(t, daemon, { headers: bearer(text) });
    worker.hello();
    await worker.call('engine::functions::list');
    if (name === 'leaver') {
      const { status } = await daemon.http('DELETE', `/v1/tokens/${name}`, undefined, bearer(all));
      assert.equal(status, 200);
    }
    const { code, reason } = await within('the socket to close', worker.closed);
    assert.equal(code, 1008, reason);
    assert.equal((await daemon.http('GET', '/v1/status', undefined, bearer(text))).status, 401);
  }
});

test('who came without a token has to go when one is needed', async (t) => {
  const daemon = await startDaemon(t);
  const worker = await RawWorker.open(t, daemon);
  worker.hello();
  await worker.call('engine::functions::list');
  await make(daemon, 'root', ALL);
  assert.equal((await within('the socket to close', worker.closed)).code, 1008);
  await assert.rejects(RawWorker.open(t, daemon));
});

test('a WebSocket brings its token in a header or in its address', async (t) => {
  const { daemon, all } = await withTokens(t);
  const refused = async (where, headers) => {
    const socket = new WebSocket(where, { headers });
    const [, reply] = await once(socket, 'unexpected-response').catch((error) => [0, error]);
    socket.on('error', () => {}).terminate();
    return reply.statusCode;
  };
  assert.equal(await refused(daemon.address), 401);
  assert.equal(await refused(daemon.address, bearer(WRONG)), 401);
  assert.equal(await refused(`${daemon.address}/?token=${WRONG}`), 401);
  await RawWorker.open(t, daemon, { headers: bearer(all) });
  await RawWorker.open(t, `${daemon.address}/?token=${all}`);
  // Nowhere else: an address is written down in many places.
  assert.equal((await daemon.http('GET', `/v1/status?token=${all}`)).status, 401);
  assert.ok(!daemon.log.includes(all));
});

test('a worker of the SDK serves, calls and binds what its token allows', async (t) => {
  const { daemon, all, token } = await withTokens(t);
  const text = await token('mailer', { work: ['mail::*'], read: ['users'], write: ['log'] });
  const worker = sdk(t, daemon, { headers: bearer(text) });
  const seen = [];
  worker.on('mail::welcome', { scope: 'users' }, async (event) => {
    seen.push(event.key);
    await worker.call('state::set', { scope: 'log', key: event.key, value: 1 });
  });
  const as = (more, ...args) => daemon.http(...args, { ...bearer(all), ...more });
  await waitFor('the trigger', async () => (await as({}, 'GET', '/v1/triggers', undefined))
    .json.registered_triggers.some((one) => one.function_id === 'mail::welcome'));
  assert.equal((await as({}, 'PUT', '/v1/state/users/ann', '{"plan":"pro"}')).status, 200);
  await waitFor('the log', async () => (await as({}, 'GET', '/v1/state/log/ann', undefined)).status === 200);
  assert.deepEqual(seen, ['ann']);
  assert.deepEqual(await worker.call('state::get', { scope: 'users', key: 'ann' }), { plan: 'pro' });
  await rejects(worker.call('state::set', { scope: 'users', key: 'ann', value: 1 }), 'FORBIDDEN');
  await rejects(worker.call('engine::config::reload'), 'FORBIDDEN');
  await rejects(worker.call('other::function'), 'FORBIDDEN');

  const raw = await RawWorker.open(t, daemon, { headers: bearer(text) });
  raw.hello();
  raw.send({ type: 'registerfunction', id: 'billing::charge' });
  const rejected = await raw.frame('the rejection', (frame) => frame.type === 'registrationrejected');
  assert.equal(rejected.code, 'FORBIDDEN');
  for (const [id, function_id, config] of [['1', 'mail::x', { scope: 'secrets' }],
    ['2', 'mail::x', {}], ['3', 'state::delete', { scope: 'users' }],
    ['4', 'billing::charge', { scope: 'users' }]]) {
    raw.send({ type: 'registertrigger', id, trigger_type: 'state', function_id, config });
    const { error } = await raw.frame('the result', (frame) =>
      frame.type === 'triggerregistrationresult' && frame.id === id);
    assert.match(error.message, /right/);
  }
  await rejects(raw.call('mail::welcome', {}, { action: { type: 'enqueue', queue: 'default' } }),
    'FORBIDDEN');
});

test('10,000 wrong tokens neither keep others out nor stay in memory', async (t) => {
  const { daemon, all } = await withTokens(t);
  const agent = async (n) => {
    const socket = net.connect(daemon.port, '127.0.0.1');
    await once(socket, 'connect');
    const head = `GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRONG}\r\n\r\n`;
    const statuses = {};
    let text = '';
    let left = n;
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (data) => {
        text += data.toString('latin1');
        const found = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)];
        text = text.slice(text.lastIndexOf('\r\n') + 1);
        for (const [, status] of found) {
          statuses[status] = (statuses[status] ?? 0) + 1;
          if (--left === 0) resolve();
        }
      });
      for (let i = 0; i < n; i++) socket.write(head);
    });
    socket.destroy();
    return statuses;
  };
  await agent(500);
  const before = daemon.memory();
  const counts = await Promise.all(Array.from({ length: 10 }, () => agent(1000)));
  const limited = counts.reduce((sum, one) => sum + (one[429] ?? 0), 0);
  assert.ok(limited > 9900, JSON.stringify(counts));
  daemon.assertGrowth(daemon.memory() - before, 4 << 20);
  assert.equal((await daemon.http('GET', '/v1/status', undefined, bearer(all))).status, 200);
  const reply = await daemon.http('GET', '/v1/status', undefined, bearer(WRONG));
  assert.equal(reply.status, 429);
  assert.ok(Number(reply.headers.get('retry-after')) > 0);
  assert.ok(daemon.log.split('a wrong token').length < 20, 'the log grows with every try');
});

test('tokens of the config count from the start and change with it', async (t) => {
  const dir = tempDir(t);
  const offline = async (name, ...args) => {
    const { code, stdout, stderr } = await run(program,
      ['token', 'create', name, '--offline', '--json', ...args], { cwd: dir });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const admin = await offline('admin', '--all');
  const reader = await offline('reader', '--read', 'users,cache-*');
  const row = ({ name, hash, rights }) => ({ name, hash, rights });
  const daemon = await startDaemon(t, { auth: { tokens: [row(admin), row(reader)] } });
  const get = (token, where = '/v1/state/users') =>
    daemon.http('GET', where, undefined, bearer(token)).then((reply) => reply.status);
  assert.equal((await daemon.http('GET', '/v1/status')).status, 401);
  assert.equal(await get(reader.token), 200);
  assert.equal(await get(reader.token, '/v1/state/cache-7'), 200);
  assert.equal(await get(reader.token, '/v1/state/other'), 403);
  const worker = await RawWorker.open(t, daemon, { headers: bearer(reader.token) });
  const kept = await RawWorker.open(t, daemon, { headers: bearer(admin.token) });
  const config = JSON.parse(fs.readFileSync(daemon.configFile));
  config.auth.tokens.pop();
  fs.writeFileSync(daemon.configFile, JSON.stringify(config));
  const revoke = await daemon.http('DELETE', '/v1/tokens/reader', undefined, bearer(admin.token));
  assert.equal(revoke.json.code, 'token_in_config');
  const reload = await daemon.http('POST', '/v1/config:reload', '{}', bearer(admin.token));
  assert.equal(reload.status, 200, reload.text);
  assert.ok(!reload.text.includes(reader.hash));
  assert.equal((await within('the socket to close', worker.closed)).code, 1008);
  assert.equal(await get(reader.token), 401);
  assert.equal(kept.ws.readyState, WebSocket.OPEN);
  assert.equal(await get(admin.token), 200);
});

test('an address for everybody needs a token, or a word', async (t) => {
  const dir = tempDir(t);
  const check = async (config) => {
    const file = path.join(dir, 'config.yaml');
    fs.writeFileSync(file, JSON.stringify({ listen: '0.0.0.0:0', ...config }));
    return run(program, ['check', '--config', file]);
  };
  const bare = await check({});
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /auth\.tokens/);
  assert.equal((await check({ insecure: true })).code, 0);
  assert.equal((await check({ auth: { required: 'always' } })).code, 0);
  const hash = `sha256:${'0'.repeat(64)}`;
  assert.equal((await check({ auth: { tokens: [{ name: 'a', hash }] } })).code, 0);
  const { stderr } = await check({ auth: { tokens: [{ name: 'a', hash: 'sha256:1' }] } });
  assert.match(stderr, /hash/);
  // HTTP triggers are for the public: their listener needs none.
  const front = await check({ listen: '127.0.0.1:0', http: { listen: '0.0.0.0:0' } });
  assert.equal(front.code, 0, front.stderr);
});

test('auth.required: always lets nobody in before there is a token', async (t) => {
  const daemon = await startDaemon(t, { auth: { required: 'always' } });
  assert.equal((await make(daemon, 'root', ALL)).status, 401);
  await assert.rejects(RawWorker.open(t, daemon));
});

test('pawl token makes, lists and revokes; a token comes from a file or the environment', async (t) => {
  const daemon = await startDaemon(t);
  const made = await cli(daemon, ['token', 'create', 'root', '--all']);
  assert.equal(made.code, 0, made.stderr);
  const token = made.stdout.trim();
  const file = path.join(daemon.dir, 'token');
  fs.writeFileSync(file, `${token}\n`);
  const refused = await cli(daemon, ['status']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /token/);
  assert.equal((await cli(daemon, ['status', '--token-file', file])).code, 0);
  assert.equal((await cli(daemon, ['status'], { PAWL_TOKEN_FILE: file })).code, 0);
  const env = { PAWL_TOKEN: token };
  assert.equal((await cli(daemon, ['status'], env)).code, 0);
  const reader = await cli(daemon, ['token', 'create', 'reader', '--read', 'users,cache-*',
    '--manage', 'view', '--ttl', '1h', '--json'], env);
  const { rights, expires_at } = JSON.parse(reader.stdout);
  assert.deepEqual(rights, { read: ['users', 'cache-*'], write: [], admin: [], invoke: [], work: [],
    manage: ['view'] });
  assert.ok(Date.parse(expires_at) > Date.now());
  const list = await cli(daemon, ['token', 'list'], env);
  assert.match(list.stdout, /reader/);
  assert.equal((await cli(daemon, ['token', 'revoke', 'reader'], env)).code, 0);
  assert.equal((await cli(daemon, ['token', 'revoke', 'reader'], env)).code, 4);
  const bad = await cli(daemon, ['status'], { PAWL_TOKEN: 'x\r\nEvil: 1' });
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /PAWL_TOKEN/);
});

test('a stream shows what its token may read, and ends with it', async (t) => {
  const { daemon, all, token } = await withTokens(t);
  const text = await token('watcher', { read: ['users'] });
  const watch = (query, headers = {}) => fetch(`${daemon.url}/v1/watch?${query}`,
    { headers: { accept: 'text/event-stream', ...headers } });
  for (const query of ['', 'scope=other', 'scope=user*']) {
    const reply = await watch(query, bearer(text));
    assert.equal(reply.status, 403, query);
    await reply.body.cancel();
  }
  assert.equal((await watch('scope=users')).status, 401);
  assert.equal((await watch(`scope=users&token=${WRONG}`)).status, 401);
  const stream = await watch(`scope=users&token=${text}`); // as an EventSource does
  assert.equal(stream.status, 200);
  await daemon.http('DELETE', '/v1/tokens/watcher', undefined, bearer(all));
  await within('the stream to end', stream.text());
});

test('a program that the engine starts has a token for its own state, as long as it is declared', async (t) => {
  const { daemon, all } = await withTokens(t, { functions: [{ id: 'room::count',
    exec: { command: ['sh', '-c', `
      put() { curl -s -o /dev/null -w '%{http_code}' -X PUT -H "Authorization: Bearer $PAWL_RUNTIME_TOKEN" \
        -H 'Content-Type: application/json' -d '{"value":1}' "$1/objects/ann/values/n" ; }
      printf '{"own":%s,"other":%s,"log":%s,"url":"%s","token":"%s"}' "$(put $PAWL_STATE_ROOM)" \
        "$(put $PAWL_URL/v1/services/default/state/namespaces/bank)" \
        "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $PAWL_RUNTIME_TOKEN" $PAWL_URL/v1/state/log)" \
        "$PAWL_URL" "$PAWL_RUNTIME_TOKEN"`],
    state: ['room'], rights: { read: ['log'] } } }] });
  const call = () => daemon.http('POST', '/v1/functions/room::count/invoke', {}, bearer(all));
  const { json, text } = await call();
  assert.equal(json?.own, 200, text);
  assert.equal(json.other, 403);
  assert.equal(json.log, 200);
  assert.equal(json.url, daemon.url);
  const where = '/v1/services/default/state/namespaces/room/objects/ann/values/n';
  assert.equal((await daemon.http('GET', where, undefined, bearer(json.token))).status, 200);
  const list = (await daemon.http('GET', '/v1/tokens', undefined, bearer(all))).json.tokens;
  assert.deepEqual(list.find((one) => one.origin === 'runtime').rights.write, ['room/*']);
  const config = JSON.parse(fs.readFileSync(daemon.configFile));
  config.functions = [];
  fs.writeFileSync(daemon.configFile, JSON.stringify(config));
  await daemon.http('POST', '/v1/config:reload', '{}', bearer(all));
  await waitFor('the token to end', async () =>
    (await daemon.http('GET', where, undefined, bearer(json.token))).status === 401);
});

test('pages of listed origins may use the API; others and preflights without a list may not', async (t) => {
  const page = 'https://app.example.com';
  const { daemon, all, token } = await withTokens(t, { cors: { allowed_origins: [page] } });
  const ask = { origin: page, 'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,content-type' };
  for (const { path: where } of routes()) {
    const reply = await daemon.http('OPTIONS', where.replace(/\{\w+\}/g, 'x'), undefined, ask);
    assert.equal(reply.status, 204, where);
    assert.equal(reply.headers.get('access-control-allow-origin'), page);
    assert.match(reply.headers.get('access-control-allow-methods'), /PUT/);
    assert.match(reply.headers.get('access-control-allow-headers'), /authorization/);
  }
  const small = await token('small', {});
  for (const [headers, status] of [[{}, 401], [bearer(small), 403], [bearer(all), 200]]) {
    const reply = await daemon.http('GET', '/v1/status', undefined, { origin: page, ...headers });
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get('access-control-allow-origin'), page);
    assert.equal(reply.headers.get('access-control-allow-credentials'), null);
  }
  const stranger = { ...ask, origin: 'https://evil.example.com' };
  const refused = await daemon.http('OPTIONS', '/v1/status', undefined, stranger);
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get('access-control-allow-origin'), null);
  const own = await daemon.http('GET', '/v1/status', undefined, bearer(all));
  assert.equal(own.headers.get('access-control-allow-origin'), null);
  const config = JSON.parse(fs.readFileSync(daemon.configFile));
  fs.writeFileSync(daemon.configFile, JSON.stringify({ ...config, cors: {} }));
  await daemon.http('POST', '/v1/config:reload', '{}', bearer(all));
  assert.equal((await daemon.http('OPTIONS', '/v1/status', undefined, ask)).status, 403);
});

// ---- what is sent to be misread ----

async function raw(port, bytes) {
  const socket = net.connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  socket.end();
  await within('the connection to end', once(socket, 'close'));
  return answer;
}

test('nothing of a path or a header comes back as a header', async (t) => {
  const { daemon, all } = await withTokens(t);
  const evil = '%0d%0aSet-Cookie:%20a=b';
  for (const where of [`/v1/state/s/${evil}`, `/${evil}`, `/v1/triggers/${evil}`,
    `/v1/state/s?prefix=${evil}`, `/v1/state/s?limit=${evil}`, `/v1/tokens/${evil}`]) {
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      const answer = await raw(daemon.port, `${method} ${where} HTTP/1.1\r\nHost: localhost\r\n` +
        `Authorization: Bearer ${all}\r\nOrigin: http://localhost:${daemon.port}\r\n` +
        'Connection: close\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 \d/, `${method} ${where}`);
      const head = answer.slice(0, answer.indexOf('\r\n\r\n'));
      assert.doesNotMatch(head, /set-cookie/i, `${method} ${where}`);
    }
  }
  const reply = await daemon.http('PUT', '/v1/state/s/k', '1', { ...bearer(all), 'if-match': '"%0d%0aX: y"' });
  assert.equal(reply.headers.get('x'), null);
});

test('requests whose end can be read in two ways are refused, and nothing behind them is read', async (t) => {
  const { daemon, all } = await withTokens(t);
  const auth = `Host: localhost\r\nAuthorization: Bearer ${all}\r\n`;
  const second = `PUT /v1/state/smuggled/k HTTP/1.1\r\n${auth}Content-Type: application/json\r\n` +
    'Content-Length: 1\r\n\r\n1';
  const put = (fields, body) => `PUT /v1/state/s/k HTTP/1.1\r\n${auth}` +
    `Content-Type: application/json\r\n${fields}\r\n${body}${second}`;
  const cases = {
    'CL and TE': put('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'TE and CL': put('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', '0\r\n\r\n'),
    'two CLs': put('Content-Length: 1\r\nContent-Length: 6\r\n', '1'),
    'two equal CLs in a list': put('Content-Length: 1, 1\r\n', '1'),
    'CL with a sign': put('Content-Length: +1\r\n', '1'),
    'CL in hex': put('Content-Length: 0x1\r\n', '1'),
    'TE twice': put('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    'TE not last': put('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
    'TE unknown': put('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'TE folded': put('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'space before the colon': put('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    'TE with a tab': put('Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'bare LF in the head': put('X: y\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'bare CR in a field': put('X: y\rTransfer-Encoding: chunked\r\nContent-Length: 1\r\n', '1'),
    'NUL in a field': put('X: \0\r\nContent-Length: 1\r\n', '1'),
    'bare LF behind a chunk size': put('Transfer-Encoding: chunked\r\n', '1\n1\r\n0\r\n\r\n'),
    'a chunk that is too long': put('Transfer-Encoding: chunked\r\n', '1\r\n11\r\n0\r\n\r\n'),
    'a chunk size that overflows': put('Transfer-Encoding: chunked\r\n',
      '10000000000000001\r\n1\r\n0\r\n\r\n'),
    'a field before any': `GET / HTTP/1.1\r\n Host: localhost\r\n\r\n${second}`,
    'no Host': `GET / HTTP/1.1\r\n\r\n${second}`,
    'two Hosts': `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n${second}`,
    'a foreign Host': `GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const answer = await raw(daemon.port, bytes);
    assert.match(answer, /^HTTP\/1\.1 (4|5)\d\d /, `${name}: ${answer.slice(0, 60)}`);
    assert.equal(answer.split('HTTP/1.1 ').length, 2, `${name}: more than one answer`);
    const { status } = await daemon.http('GET', '/v1/state/smuggled/k', undefined, bearer(all));
    assert.equal(status, 404, `${name}: what stood behind it was done`);
  }
});
