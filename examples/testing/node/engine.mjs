// An engine of its own for each test, with a clock that only the test turns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { registerWorker } from 'iii-sdk';

export async function startEngine(t, start) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'pawl-'));
  const engine = spawn(process.env.PAWL_BIN ?? 'pawl', ['run', '--data', data,
    '--listen', '127.0.0.1:0', '--clock', `manual=${start}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    if (engine.exitCode === null) {
      engine.kill();
      await once(engine, 'exit');
    }
    fs.rmSync(data, { recursive: true });
  });
  const url = await new Promise((found, failed) => {
    let log = '';
    engine.on('error', failed);
    engine.on('exit', () => failed(new Error(`the engine has ended:\n${log}`)));
    engine.stderr.setEncoding('utf8').on('data', (text) => {
      log += text;
      const [, where] = /listens on (http:\/\/[^\s"]+)/.exec(log) ?? [];
      if (where) found(where);
    });
  });
  const ask = async (method, where, body) => {
    const reply = await fetch(url + where, { method, body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' } });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(`${method} ${where}: ${answer.detail}`);
    return answer;
  };
  return {
    ask,
    // When it is back, all that was due by then has happened.
    advance: (hours) => ask('POST', '/v1/clock/advance', { ms: hours * 3600000 }),
    now: async () => (await ask('GET', '/v1/clock')).now,
    dead: async () => (await ask('GET', '/v1/dead')).dead,
    async worker(setUp) {
      const worker = registerWorker(url.replace('http', 'ws'), { otel: { enabled: false } });
      t.after(() => worker.shutdown());
      setUp(worker);
      // A call comes behind what was registered: when it is answered, the triggers are there.
      await worker.trigger({ function_id: 'state::list_groups', payload: {} });
      return worker;
    },
  };
}
