// What a collector gets: spans that hang together, log lines, and what workers send of theirs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Inbox, RawWorker, childWorker, freePort, program, run, startDaemon, tempDir, test, waitFor } from './lib.mjs';

// A collector: keeps every body, answers what `answer` says.
async function collector(t, answer = () => 200) {
  const inbox = new Inbox();
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks)) };
    response.writeHead(answer(one), { 'content-type': 'application/json' }).end('{}');
    inbox.put(one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const attributes = (list) => Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));
  const spans = (items = inbox.items) => items.filter((one) => one.path === '/v1/traces')
    .flatMap((one) => one.body.resourceSpans).flatMap((one) => one.scopeSpans
      .flatMap((scope) => scope.spans.map((span) => ({ ...span, service: attributes(one.resource.attributes)['service.name'],
        scope: scope.scope.name, attributes: attributes(span.attributes ?? []) }))));
  return { inbox, spans, url: `http://127.0.0.1:${server.address().port}`, attributes,
    span: (what, condition) => inbox.until(what, (items) => spans(items).some(condition)).then(() => spans().find(condition)),
    config: (more = {}) => ({ telemetry: { otlp: { endpoint: `http://127.0.0.1:${server.address().port}/`, ...more } } }) };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

test('a write, its attempts and what the handler writes are one trace', async (t) => {
  const seen = await collector(t);
  const daemon = await startDaemon(t, { ...seen.config({ headers: { Authorization: 'Bearer secret' } }),
    service: { name: 'shop' }, delivery: { retry: { initial_ms: 1, max_ms: 1 } } });
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'f' });
  worker.send({ type: 'registertrigger', id: 't', trigger_type: 'state', function_id: 'f', config: { scope: 's' } });
  await daemon.trigger('f', (one) => one.status === 'live');
  await daemon.http('PUT', '/v1/state/s/k', '1', { traceparent: `00-${TRACE}-${PARENT}-01` });
  const isCall = (one) => one.type === 'invokefunction';
  const calls = (n) => worker.frames.until(`${n} calls`, (all) => all.filter(isCall).length >= n)
    .then((all) => all.filter(isCall)[n - 1]);
  const first = await calls(1);
  worker.send({ type: 'invocationresult', invocation_id: first.invocation_id, function_id: 'f', error: { code: 'no', message: 'not now' } });
  const second = await calls(2);
  // The handler's own write, in its own span.
  const handler = '1111111111111111';
  assert.match(second.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  await worker.call('state::set', { scope: 'other', key: 'k', value: 1 }, { traceparent: `00-${TRACE}-${handler}-01`, baggage: second.baggage });
  worker.send({ type: 'invocationresult', invocation_id: second.invocation_id, function_id: 'f', result: null });

  const request = await seen.span('the request', (one) => one.name === 'PUT /v1/state/{scope}/{key}');
  assert.deepEqual([request.traceId, request.parentSpanId, request.kind, request.service, request.scope], [TRACE, PARENT, 2, 'shop', 'pawl']);
  assert.deepEqual([request.attributes['http.response.status_code'], request.attributes['pawl.function'], request.status],
    [200, 'state::set', undefined]);
  const attempt = (n) => seen.span(`attempt ${n}`, (one) => one.attributes['pawl.attempt'] === n);
  const [failed, done] = [await attempt(1), await attempt(2)];
  for (const one of [failed, done]) {
    assert.deepEqual([one.traceId, one.parentSpanId, one.kind, one.attributes['messaging.system'], one.attributes['pawl.function']],
      [TRACE, request.spanId, 5, 'pawl', 'f']);
    assert.ok(BigInt(one.startTimeUnixNano) <= BigInt(one.endTimeUnixNano));
  }
  assert.deepEqual([failed.status, failed.attributes['error.type'], done.status, done.attributes['error.type']],
    [{ code: 2, message: 'not now' }, 'no', undefined, undefined]);
  assert.notEqual(failed.spanId, done.spanId);
  // What the worker was told is the attempt's span.
  assert.deepEqual([first.traceparent, second.traceparent], [failed, done].map((one) => `00-${TRACE}-${one.spanId}-01`));
  const written = await seen.span('the write of the handler', (one) => one.name === 'state::set');
  assert.deepEqual([written.traceId, written.parentSpanId, written.kind], [TRACE, handler, 2]);
  assert.ok(seen.inbox.items.every((one) => one.headers.authorization === 'Bearer secret'));
  const [resource] = seen.inbox.items[0].body.resourceSpans;
  assert.ok(seen.attributes(resource.resource.attributes)['service.instance.id']);
});

test('whoever begins a trace says whether it is wanted; those that begin here are wanted by chance', async (t) => {
  const seen = await collector(t);
  const none = await startDaemon(t, { ...seen.config({ sample_ratio: 0 }), functions: [{ id: 'f', exec: { command: ['true'] } }],
    triggers: [{ id: 't', type: 'state', scope: 's', function: 'f' }] });
  const put = (traceparent) => none.http('PUT', '/v1/state/s/k', `"${traceparent}"`, traceparent ? { traceparent } : {});
  await put();
  await put(`00-${TRACE}-${PARENT}-00`);
  await put('nonsense');
  await put(`00-${TRACE}-${PARENT}-01`);
  await none.settled();
  await seen.span('the attempt', (one) => one.kind === 5);
  await none.stop(); // sends what is left
  assert.deepEqual(seen.spans().map((one) => [one.traceId, one.kind]).sort(), [[TRACE, 2], [TRACE, 5]]);
  const events = seen.inbox.items.length;
  const all = await startDaemon(t, seen.config());
  await all.set('s', 'k', 1);
  await all.http('GET', '/v1/status');
  await all.http('GET', '/metrics');
  await all.stop();
  const later = seen.spans(seen.inbox.items.slice(events));
  assert.deepEqual(later.map((one) => [one.name, one.parentSpanId]).filter(([name]) => !name.startsWith('GET')),
    [['POST /v1/functions/{id}/invoke', undefined]]);
  assert.ok(!later.some((one) => /status|metrics|health|readyz/.test(one.name)), JSON.stringify(later.map((one) => one.name)));
});

test('a request to an HTTP trigger is a span, and the parent of its function', async (t) => {
  const seen = await collector(t);
  const port = await freePort();
  await startDaemon(t, { ...seen.config(), http: { listen: `127.0.0.1:${port}` },
    functions: [{ id: 'f', exec: { command: ['sh', '-c', 'printf \'{"body":"%s"}\' "$TRACEPARENT"'] } }, { id: 'g', exec: { command: ['false'] } }],
    triggers: [{ id: 'x', type: 'http', api_path: '/x/:id', function: 'f' }, { id: 'y', type: 'http', api_path: '/y', function: 'g' }] });
  const ask = (where) => fetch(`http://127.0.0.1:${port}${where}`, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  const told = await (await ask('/x/7')).json();
  const status = (await ask('/y')).status;
  assert.ok(status >= 500);
  const good = await seen.span('the request', (one) => one.name === 'GET /x/:id');
  assert.equal(told, `00-${TRACE}-${good.spanId}-01`);
  assert.deepEqual([good.parentSpanId, good.attributes['http.response.status_code'], good.attributes['pawl.function']], [PARENT, 200, 'f']);
  const bad = await seen.span('the one that failed', (one) => one.name === 'GET /y');
  assert.deepEqual([bad.attributes['http.response.status_code'], bad.attributes['error.type'], bad.status.code], [status, 'handler_failed', 2]);
});

test('lines of the log are exported, and know their trace; JSON lines say it, too', async (t) => {
  const seen = await collector(t);
  const daemon = await startDaemon(t, { ...seen.config({ logs: true, traces: false }), log: { format: 'json' },
    functions: [{ id: 'f', exec: { command: ['false'] } }], delivery: { retry: { max_attempts: 2, initial_ms: 1, max_ms: 1 } },
    triggers: [{ id: 't', type: 'state', scope: 's', function: 'f' }] });
  await daemon.http('PUT', '/v1/state/s/k', '1', { traceparent: `00-${TRACE}-${PARENT}-01` });
  const records = (items) => items.filter((one) => one.path === '/v1/logs').flatMap((one) => one.body.resourceLogs)
    .flatMap((one) => one.scopeLogs).flatMap((one) => one.logRecords);
  const isIt = (one) => /failed \(attempt 1/.test(one.body.stringValue);
  await seen.inbox.until('the line', (items) => records(items).some(isIt));
  const record = records(seen.inbox.items).find(isIt);
  assert.deepEqual([record.traceId, record.spanId, record.severityText, record.severityNumber], [TRACE, PARENT, 'INFO', 9]);
  const line = daemon.log.split('\n').filter(Boolean).map((one) => JSON.parse(one)).find((one) => /failed \(attempt 1/.test(one.message));
  assert.deepEqual([line.trace_id, line.span_id, line.part], [TRACE, PARENT, 'dispatch']);
  const worker = (await RawWorker.open(t, daemon)).hello();
  await worker.call('engine::log::warn', { message: 'a "quoted" word' }, { traceparent: `00-${TRACE}-${PARENT}-01` });
  await worker.call('engine::log::warn', { message: 'nowhere' }, { traceparent: '00-"-"-"'.padEnd(60, '"') });
  const lines = daemon.log.split('\n').filter(Boolean).map((one) => JSON.parse(one)).filter((one) => one.part === 'worker');
  assert.deepEqual(lines.map((one) => [one.message, one.trace_id]), [['a "quoted" word', TRACE], ['nowhere', undefined]]);
  assert.equal(seen.spans().length, 0);
});

test('what a worker sends goes on as it is; nonsense and a missing collector close nothing', async (t) => {
  const seen = await collector(t);
  const bodies = { OTLP: { resourceSpans: [] }, MTRC: { resourceMetrics: [{}] }, LOGS: { resourceLogs: [{ a: 'ü' }] } };
  const send = (worker) => {
    for (const [mark, body] of Object.entries(bodies)) worker.ws.send(Buffer.from(mark + JSON.stringify(body)), { binary: true });
    for (const bad of ['OTLP', 'OTLP{', 'MTRC[]', 'what', '', 'LOG']) worker.ws.send(Buffer.from(bad), { binary: true });
  };
  const daemon = await startDaemon(t, seen.config());
  const worker = (await RawWorker.open(t, daemon)).hello();
  send(worker);
  await seen.inbox.until('all three', (items) => new Set(items.map((one) => one.path)).size === 3);
  assert.deepEqual(Object.fromEntries(seen.inbox.items.map((one) => [one.path, one.body])),
    { '/v1/traces': bodies.OTLP, '/v1/metrics': bodies.MTRC, '/v1/logs': bodies.LOGS });
  assert.deepEqual(await worker.call('state::set', { scope: 's', key: 'k', value: 1 }).then((one) => one.new_value), 1);
  const metric = async (from, name, signal) => Number(new RegExp(`^${name}\\{signal="${signal}"\\} (\\d+)$`, 'm')
    .exec((await from.http('GET', '/metrics')).text)[1]);
  assert.deepEqual([await metric(daemon, 'pawl_telemetry_frames_total', 'traces'), await metric(daemon, 'pawl_telemetry_dropped_total', 'traces')], [3, 2]);

  const alone = await startDaemon(t);
  const other = (await RawWorker.open(t, alone)).hello();
  send(other);
  assert.deepEqual(await other.call('state::set', { scope: 's', key: 'k', value: 1 }).then((one) => one.new_value), 1);
  assert.equal(await metric(alone, 'pawl_telemetry_frames_total', 'metrics'), 2);
  assert.equal(await metric(alone, 'pawl_telemetry_dropped_total', 'metrics'), 2);
});

test('the SDK has its own telemetry, and it joins ours', async (t) => {
  const seen = await collector(t);
  const daemon = await startDaemon(t, seen.config());
  childWorker(t, daemon, 'chain.mjs', 'on');
  await daemon.trigger('second', (one) => one.status === 'live');
  await daemon.http('PUT', '/v1/state/first/k', '1', { traceparent: `00-${TRACE}-${PARENT}-01` });
  await waitFor('the chain to end', () => daemon.get('third', 'k'));
  const attempt = await seen.span('an attempt', (one) => one.scope === 'pawl' && one.kind === 5);
  const theirs = await seen.span('a span of the SDK below it', (one) => one.scope !== 'pawl' && one.parentSpanId === attempt.spanId);
  assert.equal(theirs.traceId, TRACE);
});

test('a collector that is away delays nobody; what it refuses is counted', async (t) => {
  const away = await startDaemon(t, { telemetry: { otlp: { endpoint: `http://127.0.0.1:${await freePort()}`, timeout: '100ms' } } });
  const worker = (await RawWorker.open(t, away)).hello();
  const big = Buffer.from(`LOGS{"a":"${'x'.repeat(1 << 20)}"}`);
  for (let i = 0; i < 8; i++) worker.ws.send(big, { binary: true });
  for (let i = 0; i < 100; i++) await worker.call('state::set', { scope: 's', key: 'k', value: i });
  const text = (await away.http('GET', '/metrics')).text;
  assert.ok(Number(/^pawl_telemetry_dropped_total\{signal="logs"\} (\d+)$/m.exec(text)[1]) >= 4, 'bounded');
  let refusals = 0;
  const seen = await collector(t, () => (refusals++ < 1 ? 503 : 400));
  const daemon = await startDaemon(t, seen.config());
  await daemon.set('s', 'k', 1);
  await waitFor('it to be dropped', async () =>
    /^pawl_telemetry_dropped_total\{signal="traces"\} [1-9]/m.test((await daemon.http('GET', '/metrics')).text));
  assert.ok(seen.inbox.items.length >= 2); // 503 is tried again, 400 is not
});

test('a config that is wrong is refused', async (t) => {
  const file = path.join(tempDir(t), 'config.yaml');
  for (const otlp of [{ endpoint: 'collector:4318' }, { endpoint: 'http://x', headers: { 'a b': 'c' } }]) {
    fs.writeFileSync(file, JSON.stringify({ telemetry: { otlp } }));
    const { code, stdout, stderr } = await run(program, ['check', '--config', file]);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /telemetry\.otlp/);
  }
});
