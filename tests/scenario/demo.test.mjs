// The demo runs to its end and shows what it promises.
import assert from 'node:assert/strict';
import path from 'node:path';
import { program, root, run, test } from './lib.mjs';

test('the demo shows a change, a trigger, a failure, a retry and the counter', async () => {
  const { code, stdout, stderr } = await run(path.join(root, 'examples/demo/demo'), [],
    { cwd: root, env: { ...process.env, PAWL_BIN: program }, timeout: 30000 });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /state:created users paid_2/);
  assert.match(stdout, /sleeping\s+1\s/);
  assert.match(stdout, /state:updated analytics welcomed \{"count":2\}/);
  assert.match(stdout, /welcome-paid-users\s+state\s+welcome\s+live/);
  assert.match(stdout, /new_value\.plan == "pro" {2}is false/);
});
