// Triggers of type http: requests that wake a function, whose result is the reply.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { Inbox, RawWorker, gate, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

// A daemon with a listener for HTTP triggers; `ask` sends it a request.
async function serve(t, config = {}, begin = startDaemon) {
  const daemon = await begin(t, { ...config, http: { listen: '127.0.0.1:0', ...config.http } });
  daemon.front = async () => `http://${(await daemon.call('engine::status')).http_listen}`;
  daemon.ask = async (method, where, options = {}) => {
    const reply = await fetch((await daemon.front()) + where, { method, redirect: 'manual', ...options });
    const bytes = Buffer.from(await reply.arrayBuffer());
    const text = bytes.toString();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: reply.status, headers: reply.headers, bytes, text, json };
  };
  return daemon;
}

// A function that answers requests of the path, and is known to the daemon when this is over.
async function route(t, daemon, where, handler, more = {}, worker = sdk(t, daemon)) {
  const [http_method, api_path] = where.split(' ');
  const function_id = more.function_id ?? `serve::${where}`;
  delete more.function_id;
  worker.registerFunction(function_id, handler);
  worker.registerTrigger({ type: 'http', function_id, config: { api_path, http_method, ...more } });
  await daemon.trigger(function_id, (one) => one.status !== 'unbound');
  return worker;
}

const echo = async (request) => ({ status_code: 200, body: request });
const form = (body, type = 'application/x-www-form-urlencoded') =>
  ({ body, headers: { 'content-type': type } });

test('a handler of the SDK gets an ApiRequest and answers with an ApiResponse', async (t) => {
  const daemon = await serve(t);
  await route(t, daemon, 'POST users/:id/posts', async (request) => ({
    status_code: 201,
    headers: { 'X-Seen': request.headers['x-in'], 'Set-Cookie': ['a=1', 'b=2'] },
    body: request,
  }));
  const reply = await daemon.ask('POST', '/users/j%C3%A4n%2F7/posts?tag=a&tag=b%20c&q=+&e', {
    body: JSON.stringify({ title: 'ä', n: 12345678901234567890n.toString() }),
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'X-In': 'yes' },
  });
  assert.equal(reply.status, 201, reply.text);
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(reply.headers.get('x-seen'), 'yes');
  assert.deepEqual(reply.headers.getSetCookie(), ['a=1', 'b=2']);
  const { path_params, query_params, headers, body, method, path, trigger, context } = reply.json;
  assert.deepEqual(path_params, { id: 'jän/7' });
  assert.deepEqual(query_params, { tag: ['a', 'b c'], q: ' ', e: '' });
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual(body, { title: 'ä', n: '12345678901234567890' });
  assert.deepEqual([method, path], ['POST', '/users/j%C3%A4n%2F7/posts']);
  assert.deepEqual(trigger, { type: 'http', path: '/users/:id/posts', method: 'POST' });
  assert.deepEqual(context, {});
});

test('a number of the body keeps its digits', async (t) => {
  const daemon = await serve(t);
  const raw = (await RawWorker.open(t, daemon)).hello();
  raw.send({ type: 'registerfunction', id: 'raw' });
  raw.send({ type: 'registertrigger', id: 't1', trigger_type: 'http', function_id: 'raw',
    config: { api_path: '/raw', http_method: 'PUT' } });
  await daemon.trigger('raw', (one) => one.status === 'live');
  let text;
  raw.ws.on('message', (data) => (text = data.toString()));
  const asked = daemon.ask('PUT', '/raw', form('{"n":1234567890123456789.10}', 'application/json'));
  const call = await raw.frame('the call', (frame) => frame.type === 'invokefunction');
  assert.match(text, /"body":\{"n":1234567890123456789\.10\}/);
  raw.send(`{"type":"invocationresult","invocation_id":"${call.invocation_id}",` +
    '"function_id":"raw","result":{"body":[98765432109876543210]}}');
  assert.equal((await asked).text, '[98765432109876543210]');
});

test('bodies: form, text, none declared, bytes; and the bytes themselves if asked for', async (t) => {
  const daemon = await serve(t);
  await route(t, daemon, 'POST /in', echo, { raw_body: true });
  const body = async (options) => {
    const { status, json, text } = await daemon.ask('POST', '/in', options);
    assert.equal(status, 200, text);
    return json.body;
  };
  assert.deepEqual(await body(form('a=1&b=x+y&a=%C3%A4&c')), { a: ['1', 'ä'], b: 'x y', c: '' });
  assert.equal(await body(form('pläin', 'text/plain')), 'pläin');
  assert.equal(await body(form('<a/>', 'application/atom+xml')), '<a/>');
  assert.deepEqual(await body(form('{"a":[1]}', 'application/vnd.x+json')), { a: [1] });
  assert.equal(await body({}), null);
  const bytes = Buffer.from([0, 255, 10, 200]);
  const { json } = await daemon.ask('POST', '/in', form(bytes, 'image/png'));
  assert.deepEqual([json.body, json.body_encoding, json.raw_body],
    [bytes.toString('base64'), 'base64', bytes.toString('base64')]);
  const broken = await daemon.ask('POST', '/in', form('{"a":', 'application/json'));
  assert.equal(broken.status, 400);
  assert.equal(broken.json.code, 'invalid_json');
  assert.equal((await daemon.ask('POST', '/in', form('a=%zz'))).json.code, 'invalid_form');
  assert.equal((await daemon.ask('POST', '/in?a=%zz')).json.code, 'invalid_parameter');
  assert.equal((await daemon.ask('POST', '/in/%ff')).json.code, 'invalid_path');
});

test('what a function returns becomes the reply', async (t) => {
  const daemon = await serve(t);
  const results = {
    plain: { body: 'hällo', headers: { 'content-type': 'text/plain; charset=utf-8' } },
    buffer: { body: Buffer.from([1, 2, 255]), headers: { 'content-type': 'image/png' } },
    base64: { body: 'AQL/', body_encoding: 'base64' },
    quoted: { body: 'text' },
    lines: { status_code: 302, headers: ['Location: /else', 'X-N: 1'] },
    whole: { message: 'Hello' },
    list: [1, 2],
    empty: { status_code: 204, body: { not: 'sent' } },
    number: { status_code: 200, headers: { 'x-number': 5, 'content-length': 1 }, body: null },
    teapot: { status_code: 418, body: { short: 'stout' } },
    status: { status_code: 99 },
    injected: { headers: { 'x-bad': 'a\r\nX-Evil: 1' } },
    odd: { headers: 7 },
    nothing: undefined,
  };
  await route(t, daemon, 'GET /give/:what', async ({ path_params }) => results[path_params.what]);
  const give = (what) => daemon.ask('GET', `/give/${what}`);
  const plain = await give('plain');
  assert.deepEqual([plain.text, plain.headers.get('content-type')], ['hällo', 'text/plain; charset=utf-8']);
  assert.deepEqual((await give('buffer')).bytes, Buffer.from([1, 2, 255]));
  const base64 = await give('base64');
  assert.deepEqual(base64.bytes, Buffer.from([1, 2, 255]));
  assert.equal(base64.headers.get('content-type'), 'application/octet-stream');
  assert.equal((await give('quoted')).text, '"text"');
  const lines = await give('lines');
  assert.deepEqual([lines.status, lines.headers.get('location'), lines.text], [302, '/else', '']);
  assert.deepEqual((await give('whole')).json, { message: 'Hello' });
  assert.deepEqual((await give('list')).json, [1, 2]);
  const empty = await give('empty');
  assert.deepEqual([empty.status, empty.text], [204, '']);
  const number = await give('number');
  assert.deepEqual([number.status, number.headers.get('x-number'), number.text], [200, '5', '']);
  assert.equal((await give('teapot')).status, 418);
  assert.equal((await give('nothing')).status, 204);
  for (const what of ['status', 'injected', 'odd']) {
    const bad = await give(what);
    assert.equal(bad.status, 500, what);
    assert.equal(bad.json.code, 'handler_failed');
    assert.equal(bad.headers.get('x-evil'), null);
  }
  const { last_error } = await daemon.trigger('serve::GET /give/:what');
  assert.match(last_error, /'headers' must be an object/);
});

test('plain text goes before a parameter, that before a rest; methods have their own paths', async (t) => {
  const daemon = await serve(t);
  const worker = sdk(t, daemon);
  const named = (name) => async ({ path_params }) => ({ body: [name, path_params] });
  for (const [where, name] of [['GET /users/:id', 'one'], ['GET /users/me', 'me'], ['GET /users/*', 'rest'],
    ['GET /users/me/:what', 'mine'], ['DELETE /users/:id', 'delete'], ['GET /', 'root'],
    ['GET /files/*path', 'files'], ['OPTIONS /own', 'options']]) {
    await route(t, daemon, where, named(name), {}, worker);
  }
  const get = async (where) => (await daemon.ask('GET', where)).json;
  assert.deepEqual(await get('/users/7'), ['one', { id: '7' }]);
  assert.deepEqual(await get('/users/me'), ['me', {}]);
  assert.deepEqual(await get('/users/me/x'), ['mine', { what: 'x' }]);
  assert.deepEqual(await get('/users/you/x'), ['rest', { '*': 'you/x' }]);
  assert.deepEqual(await get('/'), ['root', {}]);
  assert.deepEqual(await get('/files/a/b%20c.txt'), ['files', { path: 'a/b c.txt' }]);
  assert.deepEqual((await daemon.ask('DELETE', '/users/me')).json, ['delete', { id: 'me' }]);
  for (const where of ['/nobody', '/users', '/files/', '/users/7/', '//users/7']) {
    const missing = await daemon.ask('GET', where);
    if (where === '/users/7/') { // the rest takes it
      assert.deepEqual(missing.json, ['rest', { '*': '7/' }]);
      continue;
    }
    assert.equal(missing.status, 404, where);
    assert.equal(missing.headers.get('content-type'), 'application/problem+json');
    assert.equal(missing.json.code, 'path_not_served');
  }
  const wrong = await daemon.ask('POST', '/users/7');
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET, DELETE, HEAD, OPTIONS');
  const head = await daemon.ask('HEAD', '/users/7');
  assert.deepEqual([head.status, head.text, head.headers.get('content-length')],
    [200, '', String(JSON.stringify(['one', { id: '7' }]).length)]);
  const options = await daemon.ask('OPTIONS', '/users/7');
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, DELETE, HEAD, OPTIONS']);
  assert.deepEqual((await daemon.ask('OPTIONS', '/own')).json, ['options', {}]);
});

test('a second trigger of one path and method is refused, and told whose it is', async (t) => {
  const daemon = await serve(t, {
    functions: [{ id: 'cat', exec: { command: ['/bin/cat'] } }],
    triggers: [{ id: 'fixed', type: 'http', api_path: '/fixed/:a', function: 'cat' }],
  });
  const raw = (await RawWorker.open(t, daemon)).hello();
  const register = async (id, api_path, function_id, more = {}) => {
    raw.send({ type: 'registertrigger', id, trigger_type: 'http', function_id,
      config: { api_path, ...more } });
    return raw.frame(id, (frame) => frame.type === 'triggerregistrationresult' && frame.id === id);
  };
  const rival = await register('r1', 'fixed/:b', 'mine');
  assert.match(rival.error.message, /GET \/fixed\/:b belongs to the trigger "fixed" \(\/fixed\/:a\), which wakes "cat"/);
  assert.equal((await register('r2', '/fixed/:b', 'mine', { http_method: 'post' })).error, undefined);
  assert.equal((await register('r3', '/mine', 'mine')).error, undefined);
  assert.match((await register('r4', '/mine', 'yours')).error.message, /belongs to the trigger "w-/);
  // Another version of the same function, during a redeploy, may stand beside it.
  assert.equal((await register('r5', '/mine', 'mine', { timeout_ms: 5 })).error, undefined);
  const reply = await daemon.http('POST', '/v1/triggers', { trigger_type: 'http', function_id: 'f',
    config: { api_path: '/mine' } });
  assert.deepEqual([reply.status, reply.json.code], [409, 'route_taken']);
  for (const [api_path, what] of [['/a/{id}', /:name/], ['/a/*x/b', /last/], ['/a?b', /as they are/],
    ['/:a/:a', /two parameters/], ['/:', /name/]]) {
    assert.match((await register(api_path, api_path, 'f')).error.message, what);
  }
  assert.match((await register('m', '/m', 'f', { http_method: 'BREW' })).error.message, /must be GET/);
  assert.match((await register('u', '/m', 'f', { when: 'true' })).error.message, /when/);
  assert.equal((await daemon.ask('GET', '/fixed/1')).status, 200);
});

test('failures: thrown, too late; nothing of the inside is shown', async (t) => {
  const daemon = await serve(t);
  const worker = await route(t, daemon, 'GET /throw', async () => {
    throw new Error('secret inside');
  });
  const thrown = await daemon.ask('GET', '/throw');
  assert.deepEqual([thrown.status, thrown.json.code], [500, 'handler_failed']);
  assert.doesNotMatch(thrown.text, /secret|http\.test/);
  const failed = await daemon.trigger('serve::GET /throw');
  assert.match(failed.last_error, /secret inside/);
  assert.deepEqual([failed.route, failed.matched, failed.failed_attempts], ['GET /throw', 1, 1]);

  await route(t, daemon, 'GET /late', () => new Promise(() => {}), { timeout_ms: 50 }, worker);
  const late = await daemon.ask('GET', '/late');
  assert.deepEqual([late.status, late.json.code], [504, 'TIMEOUT']);
});

test('who waits when the engine stops is told so', async (t) => {
  const daemon = await serve(t);
  await route(t, daemon, 'GET /slow', () => new Promise(() => {}));
  const asked = daemon.ask('GET', '/slow');
  await daemon.trigger('serve::GET /slow', (one) => one.matched === 1);
  const [reply] = await Promise.all([asked, daemon.stop()]);
  assert.deepEqual([reply.status, reply.json.code, reply.headers.get('connection')],
    [503, 'shutting_down', 'close']);
});

test('no worker is 503 until detach_grace is over, then 404', async (t) => {
  const daemon = await serve(t, { workers: { detach_grace: '60s', reattach_grace: '100ms' } }, startManual);
  const worker = await route(t, daemon, 'GET /x', echo);
  assert.equal((await daemon.ask('GET', '/x')).status, 200);
  await worker.shutdown();
  const absent = await waitFor('nobody to serve it', async () => {
    const reply = await daemon.ask('GET', '/x');
    return reply.status === 503 && reply;
  });
  assert.equal(absent.json.code, 'no_worker');
  assert.equal(absent.headers.get('retry-after'), '1');
  await daemon.advance(59999);
  assert.equal((await daemon.ask('GET', '/x')).status, 503);
  await daemon.advance(1);
  assert.equal((await daemon.ask('GET', '/x')).status, 404);
});

test('a worker that goes during the call leaves 503', async (t) => {
  const daemon = await serve(t, { workers: { reattach_grace: '0ms' } });
  const raw = (await RawWorker.open(t, daemon)).hello();
  raw.send({ type: 'registerfunction', id: 'raw' });
  raw.send({ type: 'registertrigger', id: 't', trigger_type: 'http', function_id: 'raw', config: { api_path: '/x' } });
  await daemon.trigger('raw', (one) => one.status === 'live');
  const asked = daemon.ask('GET', '/x');
  await raw.frame('the call', (frame) => frame.type === 'invokefunction');
  raw.ws.terminate();
  const reply = await asked;
  assert.deepEqual([reply.status, reply.json.code, reply.headers.get('retry-after')], [503, 'no_worker', '1']);
});

test('a paused trigger answers 503 until it is resumed, also after a restart', async (t) => {
  const daemon = await serve(t, {
    functions: [{ id: 'cat', exec: { command: ['/bin/cat'] } }],
    triggers: [{ id: 'x', type: 'http', api_path: '/x', function: 'cat' }],
  });
  assert.equal((await daemon.ask('GET', '/x')).status, 200);
  await daemon.http('POST', '/v1/triggers/x/pause', {});
  const paused = await daemon.ask('GET', '/x');
  assert.deepEqual([paused.status, paused.json.code], [503, 'trigger_paused']);
  await daemon.set('s', 'k', 1); // no event waits for it: it holds no journal
  await daemon.trigger('cat', ({ cursor }) => cursor === 1);
  await daemon.restart('SIGKILL');
  assert.equal((await daemon.ask('GET', '/x')).status, 503);
  await daemon.http('POST', '/v1/triggers/x/resume', {});
  assert.equal((await daemon.ask('GET', '/x')).status, 200);
});

test('condition and middlewares come first, in their order, and may end the request', async (t) => {
  const daemon = await serve(t);
  const worker = sdk(t, daemon);
  const seen = new Inbox();
  worker.registerFunction('may', async (request) => {
    seen.put(['may', request.body]);
    return request.query_params.may !== 'no';
  });
  const middleware = (name) => async (given) => {
    seen.put([name, given]);
    const how = given.request.query_params[name];
    if (how === 'throw') throw new Error('no');
    if (how === 'odd') return {};
    return how ? { action: 'respond', response: { status_code: 401, body: { who: name } } } : { action: 'continue' };
  };
  worker.registerFunction('first', middleware('first'));
  worker.registerFunction('second', middleware('second'));
  await route(t, daemon, 'POST /x', async () => ({ body: 'done' }),
    { condition_function_id: 'may', middleware_function_ids: ['first', 'second'] }, worker);
  const post = (query) => daemon.ask('POST', `/x?${query}`, form('{"a":1}', 'application/json'));
  const good = await post('');
  assert.deepEqual([good.status, good.json], [200, 'done']);
  assert.deepEqual(seen.items.map(([name]) => name), ['may', 'first', 'second']);
  assert.deepEqual(seen.items[0][1], { a: 1 });
  const { phase, request, context } = seen.items[1][1];
  assert.deepEqual([phase, request.method, request.body, context], ['preHandler', 'POST', undefined, {}]);
  const no = await post('may=no');
  assert.deepEqual([no.status, no.json.code], [422, 'condition_not_met']);
  const stopped = await post('second=1');
  assert.deepEqual([stopped.status, stopped.json], [401, { who: 'second' }]);
  assert.equal((await post('first=throw')).status, 500);
  assert.equal((await post('first=odd')).status, 500);
  await daemon.trigger('serve::POST /x', (one) => one.condition_false === 1 && one.failed_attempts === 2);
});

test('without http.listen a trigger is refused with a sentence; config says it at its line', async (t) => {
  const daemon = await startDaemon(t);
  const raw = (await RawWorker.open(t, daemon)).hello();
  raw.send({ type: 'registertrigger', id: 't', trigger_type: 'http', function_id: 'f', config: { api_path: '/x' } });
  const result = await raw.frame('the answer', (frame) => frame.type === 'triggerregistrationresult');
  assert.match(result.error.message, /nobody listens for requests of GET \/x: set http\.listen/);
  const judge = async (section) => {
    const file = `${daemon.dir}/other.yaml`;
    fs.writeFileSync(file, `http: ${section}\nfunctions: [{id: f, exec: {command: [cat]}}]\ntriggers:\n` +
      '  - {id: a, type: http, api_path: /x/:a, function: f}\n' +
      '  - {id: b, type: http, api_path: /x/:b, function: f}\n');
    return daemon.cli('check', '--config', file);
  };
  const silent = await judge('{}');
  assert.notEqual(silent.code, 0);
  assert.match(silent.stderr + silent.stdout, /yaml:4.*trigger 'a' is of type http, but nobody listens/);
  const clash = await judge('{listen: "127.0.0.1:3111"}');
  assert.match(clash.stderr + clash.stdout, /yaml:5.*trigger 'b': GET \/x\/:b belongs to the trigger "a"/);
  for (const [listen, what] of [['nowhere', /must be host:port/]]) {
    const wrong = await judge(`{listen: "${listen}"}`);
    assert.match(wrong.stderr + wrong.stdout, what);
  }
});

test('durable routes outlive the daemon, and a daemon without the listener', async (t) => {
  const daemon = await serve(t, { functions: [{ id: 'cat', exec: { command: ['/bin/cat'] } }] });
  const made = await daemon.http('POST', '/v1/triggers', { id: 'kept', trigger_type: 'http',
    function_id: 'cat', config: { api_path: '/kept' } });
  assert.equal(made.status, 200, made.text);
  assert.equal((await daemon.ask('GET', '/kept')).status, 200);
  await daemon.restart('SIGKILL', { http: {} });
  assert.equal((await daemon.trigger('cat')).id, 'kept');
  await daemon.restart('SIGTERM', { http: { listen: '127.0.0.1:0' } });
  assert.equal((await daemon.ask('GET', '/kept')).status, 200);
  // The config's own goes first where a start meets both; a reload refuses.
  const triggers = [{ id: 'own', type: 'http', api_path: '/kept', function: 'f', paused: true }];
  await daemon.restart('SIGTERM', { triggers });
  assert.match(daemon.log, /trigger \\?"own\\?" of the config answers, though GET \/kept belongs to the trigger \\?"kept/);
  assert.equal((await daemon.ask('GET', '/kept')).json.code, 'trigger_paused');
  await daemon.restart('SIGTERM', { triggers: [] });
  fs.writeFileSync(daemon.configFile, fs.readFileSync(daemon.configFile, 'utf8')
    .replace('"triggers": []', `"triggers": ${JSON.stringify(triggers)}`));
  const refused = await daemon.http('POST', '/v1/config:reload', {});
  assert.deepEqual([refused.status, refused.json.code], [409, 'route_taken']);
  assert.equal((await daemon.http('DELETE', '/v1/triggers/kept')).status, 200);
  assert.equal((await daemon.ask('GET', '/kept')).status, 404);
});

test('the config is taken live; a new address waits for a restart', async (t) => {
  const trigger = (api_path) => ({ id: 'x', type: 'http', api_path, function: 'cat' });
  const daemon = await serve(t, {
    functions: [{ id: 'cat', exec: { command: ['/bin/cat'] } }], triggers: [trigger('/a')],
  });
  const where = await daemon.front();
  const reload = async (more) => {
    const config = { listen: `127.0.0.1:${daemon.port}`, data: daemon.data, ...daemon.config, ...more };
    fs.writeFileSync(daemon.configFile, JSON.stringify(config));
    return daemon.http('POST', '/v1/config:reload', {});
  };
  const taken = await reload({ triggers: [trigger('/b')], http: { listen: '127.0.0.1:1', max_body: '1k' } });
  assert.equal(taken.status, 200, taken.text);
  assert.match(JSON.stringify(taken.json), /http\.listen/);
  assert.equal(await daemon.front(), where);
  assert.equal((await daemon.ask('GET', '/a')).status, 404);
  assert.equal((await daemon.ask('GET', '/b')).status, 200);
  const clash = await reload({ triggers: [trigger('/b'), { ...trigger('/b'), id: 'y' }] });
  assert.equal(clash.status, 422, clash.text);
  assert.match(clash.json.detail, /GET \/b belongs to the trigger "x"/);
  assert.equal((await daemon.ask('GET', '/b')).status, 200);
  const large = await fetch(`${where}/b`, { method: 'POST', body: 'x'.repeat(2000) });
  assert.equal(large.status, 413);
});

test('hosts and origins are checked; CORS lets listed pages in', async (t) => {
  const daemon = await serve(t, { http: { cors: { allowed_origins: ['https://app.example'] } } });
  await route(t, daemon, 'PUT /x', echo);
  const page = (origin, more = {}) => ({ headers: { origin, ...more } });
  assert.equal((await daemon.ask('PUT', '/x', page('https://evil.example'))).status, 403);
  const seen = await daemon.ask('PUT', '/x', page('https://app.example'));
  assert.deepEqual([seen.status, seen.headers.get('access-control-allow-origin'), seen.headers.get('vary')],
    [200, 'https://app.example', 'Origin']);
  const missing = await daemon.ask('GET', '/no', page('https://app.example'));
  assert.deepEqual([missing.status, missing.headers.get('access-control-allow-origin')], [404, 'https://app.example']);
  const preflight = await daemon.ask('OPTIONS', '/x', page('https://app.example',
    { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a, content-type' }));
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-methods'), 'PUT, OPTIONS');
  assert.equal(preflight.headers.get('access-control-allow-headers'), 'x-a, content-type');
  assert.equal((await daemon.ask('PUT', '/x')).headers.get('access-control-allow-origin'), null);
  const { port } = new URL(await daemon.front());
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.write('GET /x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  const [bytes] = await once(socket, 'data');
  assert.match(bytes.toString(), /^HTTP\/1\.1 403 /);
  socket.destroy();
});

test('requests on one connection are answered in their order; one that leaves disturbs nobody', async (t) => {
  const daemon = await serve(t);
  const go = gate();
  const begun = new Inbox();
  await route(t, daemon, 'GET /:n', async ({ path_params: { n } }) => {
    begun.put(n);
    if (n === '1' || n === 'lost') await go.promise;
    return { body: n };
  });
  const { port } = new URL(await daemon.front());
  const request = (n) => `GET /${n} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const lost = net.connect(Number(port), '127.0.0.1');
  lost.write(request('lost'));
  await begun.count(1);
  lost.destroy();
  const socket = net.connect(Number(port), '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.write(request(1) + request(2) + request(3));
  await begun.count(4);
  assert.equal(text, '');
  go.open();
  await waitFor('three replies', () => /"1"[^]*"2"[^]*"3"$/.test(text));
  socket.write(request(4));
  await waitFor('the fourth', () => text.endsWith('"4"'));
  socket.destroy();
});

test('functions that are programs and URLs answer too; Retry-After is passed on', async (t) => {
  const far = http.createServer((request, reply) => {
    reply.writeHead(429, { 'retry-after': '7' });
    reply.end('later');
  }).listen(0, '127.0.0.1');
  t.after(() => far.close());
  await once(far, 'listening');
  const daemon = await serve(t, {
    webhooks: { allow_private: true },
    functions: [{ id: 'far', http: { url: `http://127.0.0.1:${far.address().port}/` } },
      { id: 'near', exec: { command: ['/bin/sh', '-c', 'cat > /dev/null; echo \'{"status_code":202,"body":1}\''] } },
      { id: 'bad', exec: { command: ['/bin/false'] } }],
    triggers: ['far', 'near', 'bad'].map((id) => ({ id, type: 'http', http_method: 'POST', api_path: id, function: id })),
  });
  const busy = await daemon.ask('POST', '/far');
  assert.deepEqual([busy.status, busy.json.code, busy.headers.get('retry-after')], [503, 'handler_busy', '7']);
  const near = await daemon.ask('POST', '/near');
  assert.deepEqual([near.status, near.json], [202, 1]);
  assert.equal((await daemon.ask('POST', '/bad')).json.code, 'handler_failed');
});

test('too many at a time are told to come again', async (t) => {
  const daemon = await serve(t, { http: { max_concurrent: 2 } });
  const go = gate();
  await route(t, daemon, 'GET /x', async () => (await go.promise, { body: 'ok' }));
  const first = [daemon.ask('GET', '/x'), daemon.ask('GET', '/x')];
  await daemon.trigger('serve::GET /x', (one) => one.matched === 2);
  const more = await daemon.ask('GET', '/x');
  assert.deepEqual([more.status, more.json.code, more.headers.get('retry-after')], [503, 'crowded', '1']);
  go.open();
  for (const reply of await Promise.all(first)) assert.equal(reply.json, 'ok');
  assert.equal((await daemon.ask('GET', '/x')).status, 200);
});

test('a path goes when its trigger is unregistered; a redeploy leaves no gap', async (t) => {
  const daemon = await serve(t);
  const old = sdk(t, daemon);
  old.registerFunction('f', async () => ({ body: 'old' }));
  const brief = old.registerTrigger({ type: 'http', function_id: 'f', config: { api_path: '/brief' } });
  old.registerTrigger({ type: 'http', function_id: 'f', config: { api_path: '/stays' } });
  await waitFor('both', async () => (await daemon.triggers()).length === 2);
  assert.equal((await daemon.ask('GET', '/brief')).json, 'old');
  brief.unregister();
  await waitFor('it to be gone', async () => (await daemon.ask('GET', '/brief')).status === 404);
  // The new version asks its middleware first: another config of the same path and function.
  const fresh = sdk(t, daemon);
  fresh.registerFunction('f', async () => ({ body: 'new' }));
  fresh.registerFunction('pass', async () => ({ action: 'continue' }));
  fresh.registerTrigger({ type: 'http', function_id: 'f',
    config: { api_path: '/stays', middleware_function_ids: ['pass'] } });
  await waitFor('the new trigger', async () => (await daemon.triggers()).length === 2);
  assert.equal((await daemon.ask('GET', '/stays')).status, 200);
  await old.shutdown();
  await waitFor('the old worker to be gone', async () =>
    (await daemon.call('engine::workers::list')).workers.length === 1);
  for (let n = 0; n < 5; n += 1) assert.equal((await daemon.ask('GET', '/stays')).json, 'new');
  // The path of a worker that has gone may be another function's.
  await fresh.shutdown();
  await waitFor('nobody', async () => (await daemon.ask('GET', '/stays')).status === 503);
  await route(t, daemon, 'GET /stays', async () => ({ body: 'other' }));
  assert.equal((await daemon.ask('GET', '/stays')).json, 'other');
});

test('a delivery cannot be claimed from outside, and a trace goes on', async (t) => {
  const daemon = await serve(t);
  const raw = (await RawWorker.open(t, daemon)).hello();
  raw.send({ type: 'registerfunction', id: 'raw' });
  raw.send({ type: 'registertrigger', id: 't', trigger_type: 'http', function_id: 'raw',
    config: { api_path: '/x' }, metadata: { team: 'a' } });
  await daemon.trigger('raw', (one) => one.status === 'live');
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const asked = daemon.ask('GET', '/x', { headers: { traceparent, baggage: 'a=1, pawl.delivery=x,pawl.attempt=9,b=2' } });
  const call = await raw.frame('the call', (frame) => frame.type === 'invokefunction');
  assert.deepEqual([call.traceparent, call.baggage, call.metadata], [traceparent, 'a=1,b=2', { team: 'a' }]);
  raw.send({ type: 'invocationresult', invocation_id: call.invocation_id, function_id: 'raw', result: { body: 1 } });
  assert.equal((await asked).status, 200);
});

test('an HTTP trigger is no event trigger: explain, trigger test and replay say so', async (t) => {
  const daemon = await serve(t, {
    functions: [{ id: 'cat', exec: { command: ['/bin/cat'] } }],
    triggers: [{ id: 'x', type: 'http', api_path: '/x', function: 'cat' }],
  });
  await daemon.set('s', 'k', 1);
  const explained = await daemon.call('engine::events::explain', { seq: 1 });
  assert.match(explained.triggers[0].text, /wakes on HTTP requests/);
  for (const [where, body] of [['/v1/triggers:test', { trigger: { type: 'http', config: { api_path: '/y' } } }],
    ['/v1/replay', { trigger: 'x' }]]) {
    const reply = await daemon.http('POST', where, body);
    assert.equal(reply.status, 400, reply.text);
    assert.match(reply.json.detail, /wakes on (HTTP )?requests, not on events/);
  }
  const shown = await daemon.cli('triggers');
  assert.match(shown.stdout, /x +http +cat +live .* GET \/x +/);
});
