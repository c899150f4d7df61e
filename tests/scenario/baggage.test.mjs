// What the SDK carries from a delivery into the writes of its handler: this is how a write knows
// its cause. With OpenTelemetry on (the SDK's default) it brings baggage and traceparent back; with
// it off it brings back neither, and the cause of a write is unknown.
import assert from 'node:assert/strict';
import { childWorker, startDaemon, test, waitFor } from './lib.mjs';

async function chain(t, telemetry) {
  const daemon = await startDaemon(t);
  childWorker(t, daemon, 'chain.mjs', telemetry);
  await daemon.trigger('second', (one) => one.status === 'live');
  await daemon.http('PUT', '/v1/state/first/k', '1',
    { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  await waitFor('the chain to end', () => daemon.get('third', 'k'));
  return daemon.events();
}

test('with OpenTelemetry on, a write inside a handler knows the delivery that caused it', async (t) => {
  const [first, second, third] = await chain(t, 'on');
  assert.equal(first.cause, undefined);
  assert.equal(second.cause.depth, 1);
  assert.equal(second.cause.root, first.id);
  assert.equal(third.cause.depth, 2);
  assert.equal(third.cause.root, first.id);
  assert.equal(third.cause.path.length, 2);
});

test('with OpenTelemetry off, a write inside a handler has no cause', async (t) => {
  const events = await chain(t, 'off');
  assert.deepEqual(events.map((one) => one.cause), [undefined, undefined, undefined]);
});
