// A worker that prints every event it gets as a line of JSON. An event whose new value is "hold" is
// answered when a line comes in.
// usage: recorder.mjs ADDRESS FUNCTION CONFIG
import { createInterface } from 'node:readline';
import { registerWorker } from 'iii-sdk';

console.debug = () => {};
const [address, function_id, config] = process.argv.slice(2);
const held = [];
createInterface({ input: process.stdin }).on('line', () => held.shift()?.());
const worker = registerWorker(address, {
  otel: { enabled: false },
  enableMetricsReporting: false,
  reconnectionConfig: { initialDelayMs: 20, maxDelayMs: 100, jitterFactor: 0 },
});
worker.registerFunction(function_id, async (event) => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
  if (event.new_value === 'hold') await new Promise((resolve) => held.push(resolve));
});
worker.registerTrigger({ type: 'state', function_id, config: JSON.parse(config) });
