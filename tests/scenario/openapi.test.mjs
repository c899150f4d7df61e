// The OpenAPI document: valid, and true. Every operation is asked for at least once with success; the
// status, content type and body of each answer must be among those that the document declares.
import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { gate, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const seg = encodeURIComponent;
const mediaType = (text) => text?.split(';')[0].trim();

function operations(doc) {
  const all = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      assert.ok(!all.has(operation.operationId), `${operation.operationId} twice`);
      all.set(operation.operationId, { path, method: method.toUpperCase(), ...operation });
    }
  }
  return all;
}

// Asks and judges the answers by the document.
class Judge {
  tried = new Set();
  headers = {};

  constructor(daemon, doc) {
    this.daemon = daemon;
    this.all = operations(doc);
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema({ ...doc, $id: 'doc' });
  }

  #schema(schema) {
    return this.ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')));
  }

  #checkRequest(operation, names, query, type) {
    const declared = operation.parameters.map((one) => `${one.in} ${one.name}`);
    for (const name of Object.keys(names)) assert.ok(declared.includes(`path ${name}`), name);
    for (const name of Object.keys(query)) assert.ok(declared.includes(`query ${name}`), name);
    const sends = operation.requestBody?.content ?? {};
    if (type !== undefined) assert.ok(type in sends, `${operation.operationId} takes no ${type}`);
  }

  #checkAnswer(operation, reply, bytes) {
    const where = `${operation.operationId} ${reply.status} ${bytes.toString().slice(0, 500)}`;
    const declared = operation.responses[reply.status] ??
      (reply.status >= 400 ? operation.responses.default : undefined);
    assert.ok(declared, `status not declared: ${where}`);
    const type = mediaType(reply.headers.get('content-type'));
    if (bytes.length === 0) return undefined;
    assert.ok(declared.content && type in declared.content, `content type ${type} not declared: ${where}`);
    if (!type.endsWith('json')) return bytes;
    const json = JSON.parse(bytes);
    const check = this.#schema(declared.content[type].schema);
    assert.ok(check(json), `${where}: ${JSON.stringify(check.errors)}`);
    return json;
  }

  async ask(id, { names = {}, query = {}, body, type, headers = {}, status = 200 } = {}) {
    const operation = this.all.get(id);
    assert.ok(operation, `there is no operation ${id}`);
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    type ??= body === undefined ? undefined : 'application/json';
    this.#checkRequest(operation, names, query, type);
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => seg(names[name]));
    const tail = new URLSearchParams(query).toString();
    const reply = await fetch(`${this.daemon.url}${path}${tail && `?${tail}`}`, {
      method: operation.method, body: isText || body === undefined ? body : JSON.stringify(body),
      headers: { ...this.headers, ...(type ? { 'content-type': type } : {}), ...headers } });
    const json = this.#checkAnswer(operation, reply, Buffer.from(await reply.arrayBuffer()));
    assert.equal(reply.status, status, `${id}: ${JSON.stringify(json)}`);
    if (status < 400) this.tried.add(id);
    return json;
  }

  // Reads without names can do no harm; the others must have been asked for.
  async askTheRest() {
    for (const [id, one] of this.all) {
      const streams = 'text/event-stream' in (one.responses[200]?.content ?? {});
      if (!this.tried.has(id) && one.method === 'GET' && !one.path.includes('{') && !streams) {
        await this.ask(id);
      }
    }
    return [...this.all.keys()].filter((id) => !this.tried.has(id));
  }
}

async function state(judge) {
  const names = { scope: 's', key: 'a/b' };
  await judge.ask('putStateByScopeByKey', { names, body: { n: 1 } });
  await judge.ask('putStateByScopeByKey', { names, body: { n: 1 }, headers: { 'if-none-match': '*' }, status: 412 });
  await judge.ask('putStateByScopeByKey', { names, body: '{', status: 400 });
  await judge.ask('putStateByScopeByKey', { names: { scope: 's', key: 'ttl' }, query: { ttl_ms: 60000 }, body: 1 });
  const one = await judge.ask('getStateByScopeByKey', { names });
  assert.deepEqual(one, { n: 1 });
  const reply = await judge.daemon.http('GET', '/v1/state/s/a%2Fb');
  await judge.ask('getStateByScopeByKey', { names, headers: { 'if-none-match': reply.headers.get('etag') }, status: 304 });
  await judge.ask('getStateByScopeByKey', { names: { scope: 's', key: 'none' }, status: 404 });
  await judge.ask('postStateByScopeByKeyUpdate', { names, body: { ops: [{ type: 'increment', path: 'n', by: 1 }] } });
  await judge.ask('getState');
  await judge.ask('getStateByScope', { names: { scope: 's' }, query: { limit: 1 } });
  await judge.ask('getStateByScope', { names: { scope: 's' }, query: { with_keys: false } });
  await judge.ask('getStateByScope', { names: { scope: 's' }, query: { limit: 'x' }, status: 400 });
  await judge.ask('postStateGetMany', { body: { scope: 's', keys: ['a/b', 'none'] } });
  await judge.ask('postStateTransact', { body: { ops: [{ type: 'set', scope: 't', key: 'k', value: 1 }] } });
  await judge.ask('deleteStateByScopeByKey', { names });
  await judge.ask('deleteStateByScope', { names: { scope: 's' } });
}

async function objects(judge) {
  const home = { service: 'default', namespace: 'rooms' };
  const object = { ...home, object_key: 'a/b' };
  const names = { ...object, key: 'k' };
  const base = 'ServicesByServiceStateNamespaces';
  const value = `${base}ByNamespaceObjectsByObjectKeyValuesByKey`;
  const alarm = `${base}ByNamespaceObjectsByObjectKeyAlarm`;
  await judge.ask(`put${value}`, { names, body: { value: 'a', encoding: 'text' } });
  await judge.ask(`put${value}`, { names, body: Buffer.from([1]), type: 'application/octet-stream' });
  await judge.ask(`put${value}`, { names, body: { other: 1 }, status: 400 });
  await judge.ask(`get${value}`, { names });
  await judge.ask(`get${value}`, { names, query: { raw: true } });
  await judge.ask(`put${value}`, { names, body: 'ü', type: 'text/plain' });
  await judge.ask(`get${value}`, { names, query: { raw: true } });
  await judge.ask(`get${base}`, { names: { service: 'default' } });
  await judge.ask(`get${base}`, { names: { service: 'other' }, status: 404 });
  await judge.ask(`get${base}ByNamespaceObjects`, { names: home });
  await judge.ask(`get${base}ByNamespaceObjectsByObjectKeyKeys`, { names: object });
  await judge.ask(`delete${value}`, { names });
  await judge.ask(`put${alarm}`, { names: object, body: { delaySeconds: 60 } });
  await judge.ask(`put${alarm}`, { names: object, body: {}, status: 400 });
  await judge.ask(`get${alarm}`, { names: object });
  await judge.ask(`delete${alarm}`, { names: object });
  await judge.ask(`get${alarm}`, { names: object, status: 404 });
}

async function alarms(judge) {
  const object = { scope: 's', key: 'k' };
  await judge.ask('postAlarms', { body: { scope: 's', key: 'k', delay: '1h', payload: { n: 1 } } });
  await judge.ask('getAlarmsByScopeByKey', { names: object });
  await judge.ask('putAlarmsByScopeByKey', { names: object, query: { delay: '2h' } });
  await judge.ask('putAlarmsByScope', { names: { scope: 's' }, body: { every: '1h' } });
  await judge.ask('getAlarmsByScope', { names: { scope: 's' } });
  await judge.ask('getAlarms', { query: { limit: 1 } });
  await judge.ask('postAlarmsFire', { body: object });
  await judge.ask('deleteAlarmsByScope', { names: { scope: 's' } });
  await judge.ask('putAlarmsByScopeByKey', { names: object, body: { delay: '2h' } });
  await judge.ask('deleteAlarmsByScopeByKey', { names: object });
}

async function functions(judge, worker) {
  worker.registerFunction('echo', async (data) => data);
  await waitFor('echo', async () => (await judge.daemon.http('GET', '/v1/functions/echo')).status === 200);
  await judge.ask('getFunctions');
  await judge.ask('getFunctionsByFunctionId', { names: { function_id: 'echo' } });
  await judge.ask('getFunctionsByFunctionId', { names: { function_id: 'none' }, status: 404 });
  await judge.ask('postFunctionsByIdInvoke', { names: { id: 'echo' }, body: [1] });
  await judge.ask('postFunctionsByIdInvoke', { names: { id: 'echo' }, body: [1], query: { void: true }, status: 202 });
  await judge.ask('postFunctionsByIdInvoke', { names: { id: 'state::get' }, body: { scope: 's', key: 'no' }, status: 204 });
  await judge.ask('postFunctionsByFunctionIdEnable', { names: { function_id: 'echo' } });
  const { workers: [one] } = await judge.ask('getWorkers');
  await judge.ask('getWorkersById', { names: { id: one.id } });
  await judge.ask('postWorkersByIdDrain', { names: { id: one.id } });
  await judge.ask('postWorkersByIdResume', { names: { id: one.id } });
}

async function triggers(judge) {
  const wish = { trigger_type: 'state', function_id: 'echo', config: { scope: 'x' } };
  const { id } = await judge.ask('postTriggers', { body: wish });
  await judge.ask('getTriggers');
  await judge.ask('getTriggerTypes');
  await judge.ask('putTriggersById', { names: { id }, body: { ...wish, config: { scope: 'y' } } });
  await judge.ask('putTriggersById', { names: { id }, body: { ...wish, config: { scope: 7 } }, status: 400 });
  await judge.ask('getTriggersById', { names: { id } });
  await judge.ask('postTriggersByIdPause', { names: { id }, query: { mode: 'hold', reason: 'test' } });
  await judge.ask('postTriggersByIdResume', { names: { id } });
  await judge.ask('postTriggersTest', { body: { trigger: { type: 'state', config: { scope: 'x' } } } });
  await judge.ask('deleteTriggersById', { names: { id } });
  await judge.ask('deleteTriggersById', { names: { id }, status: 404 });
}

async function deliveries(judge, worker) {
  const { daemon } = judge;
  const hold = gate();
  worker.on('picky', { scope: 'd' }, async (event) => {
    if (event.key === 'late') throw new Error('not now');
    return event.key === 'wait' ? hold.promise : { $pawl: { fail: true, reason: 'never' } };
  });
  const { id: trigger } = await daemon.trigger('picky');
  for (const key of ['one', 'two', 'three', 'four', 'five']) await daemon.set('d', key, 1);
  const dead = await waitFor('five dead letters', async () => {
    const list = await daemon.dead();
    return list.length === 5 && list;
  });
  await judge.ask('getDead', { query: { limit: 10 } });
  await judge.ask('getDeadById', { names: { id: dead[0].id } });
  await judge.ask('postDeadByIdEdit', { names: { id: dead[1].id }, body: { new_value: 2 } });
  await judge.ask('postDeadByIdReplay', { names: { id: dead[2].id } });
  await judge.ask('deleteDeadById', { names: { id: dead[0].id } });
  await judge.ask('getDeadById', { names: { id: 'none' }, status: 404 });
  await judge.ask('postDeadReplay', { body: { trigger, limit: 1 } });
  await judge.ask('postDeadDiscard', { query: { trigger } });

  await daemon.set('d', 'late', 1);
  await daemon.set('d', 'wait', 1);
  const job = await waitFor('a job that sleeps', async () =>
    (await daemon.jobs()).find((one) => one.key === 'late' && one.state === 'sleeping'));
  await judge.ask('getJobs', { query: { limit: 10 } });
  await judge.ask('getJobsById', { names: { id: job.id } });
  await judge.ask('postJobsByIdRetry', { names: { id: job.id } });
  await waitFor('it sleeps again', async () =>
    (await daemon.jobs()).find((one) => one.key === 'late' && one.state === 'sleeping'));
  await judge.ask('postJobsByIdCancel', { names: { id: job.id } });
  await judge.ask('postJobsByIdCancel', { names: { id: job.id }, status: 404 });
  hold.open();

  const { last } = await judge.ask('getEvents', { query: { limit: 5 } });
  await judge.ask('getEventsBySeq', { names: { seq: last } });
  await judge.ask('getEventsBySeq', { names: { seq: last + 1000 }, status: 404 });
  await judge.ask('getEventsBySeqExplain', { names: { seq: last } });
  await judge.ask('postExplain', { body: { event_type: 'state:created', scope: 'd', key: 'k', new_value: 1 } });
  await judge.ask('postReplay', { query: { trigger, from: 1, to: 1, dry_run: true } });
}

async function messages(judge) {
  const event = { specversion: '1.0', id: '1', source: '/test', type: 'made', data: 1 };
  await judge.ask('postEvents', { body: event, type: 'application/cloudevents+json', status: 202 });
  await judge.ask('postQueuesByQueue', { names: { queue: 'mail' }, body: { function_id: 'echo', payload: 1 } });
  await judge.ask('postQueuesByQueueByFunctionId', { names: { queue: 'mail', function_id: 'echo' }, body: 1 });
  await judge.ask('postQueuesByQueue', { names: { queue: 'none' }, body: { function_id: 'echo' }, status: 404 });
  await judge.ask('postFunctionsByIdInvoke', { names: { id: 'echo' }, query: { delay: '1h' }, body: 1, status: 202 });
  const { id } = await judge.ask('postQueuesByQueue', { names: { queue: 'mail' }, body: { function_id: 'echo', payload: 1, delaySeconds: 3600 } });
  await judge.ask('getScheduled', { query: { limit: 1 } });
  await judge.ask('getScheduledById', { names: { id } });
  await judge.ask('deleteScheduledById', { names: { id } });
  await judge.ask('deleteScheduledById', { names: { id }, status: 404 });
  await judge.ask('getQueues');
  await judge.ask('postTopicsByTopic', { names: { topic: 'news' }, body: 1 });
}

// From the first one on every request needs one.
async function tokens(judge) {
  const all = { admin: ['*'], invoke: ['*'], work: ['*'], manage: ['all'] };
  await judge.ask('postTokens', { body: { name: 'reader', rights: { read: ['*'] } }, status: 400 });
  const { token } = await judge.ask('postTokens', { body: { name: 'root', rights: all } });
  await judge.ask('getTokens', { status: 401 });
  judge.headers = { authorization: `Bearer ${token}` };
  await judge.ask('postTokens', { body: { name: 'reader', rights: { read: ['*'] }, ttl: '1d' } });
  await judge.ask('deleteTokensByName', { names: { name: 'reader' } });
  await judge.ask('deleteTokensByName', { names: { name: 'reader' }, status: 404 });
}

test('the OpenAPI document is valid, and every operation answers as it says', async (t) => {
  const daemon = await startManual(t, { queues: { mail: {} } });
  const doc = (await daemon.http('GET', '/openapi.json')).json;
  const validator = new Validator();
  const verdict = await validator.validate(structuredClone(doc));
  assert.ok(verdict.valid, JSON.stringify(verdict.errors));
  assert.equal(validator.version, '3.1');
  const judge = new Judge(daemon, doc);
  const worker = sdk(t, daemon);
  await state(judge);
  await objects(judge);
  await alarms(judge);
  await functions(judge, worker);
  await triggers(judge);
  await deliveries(judge, worker);
  await messages(judge);
  await judge.ask('getConsoleByFile', { names: { file: 'app.js' } });
  await judge.ask('getConsoleByFile', { names: { file: 'none.js' }, status: 404 });
  await judge.ask('getWatch', { query: { since: 1 << 30 }, status: 410 });
  judge.tried.add('getWatch'); // one that is answered does not end: watch.test.mjs
  await judge.ask('postClockAdvance', { body: { ms: 1 } });
  await judge.ask('postConfigReload', { query: { dry_run: true } });
  await tokens(judge);
  assert.deepEqual(await judge.askTheRest(), [], 'operations that nobody asked for');
});

test('the document describes every route, names every parameter, and declares problems', async (t) => {
  const daemon = await startDaemon(t);
  const doc = (await daemon.http('GET', '/openapi.json')).json;
  for (const [id, one] of operations(doc)) {
    assert.ok(one.summary && one.tags.length === 1, id);
    const inPath = [...one.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    assert.deepEqual(one.parameters.filter((p) => p.in === 'path').map((p) => p.name), inPath, id);
    assert.equal(one.responses.default.content['application/problem+json'].schema.$ref, '#/components/schemas/Problem');
  }
  const used = new Set([...JSON.stringify(doc).matchAll(/schemas\/(\w+)/g)].map((match) => match[1]));
  assert.deepEqual(Object.keys(doc.components.schemas).sort(), [...used].sort());
});
