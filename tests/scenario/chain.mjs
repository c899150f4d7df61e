// A worker of two triggers, each of which writes what wakes the next: first -> second -> third.
// usage: chain.mjs ADDRESS on|off
import { registerWorker } from 'iii-sdk';

console.debug = () => {}; // standard output is for our own lines
console.log = () => {};
console.info = () => {};
const [address, telemetry] = process.argv.slice(2);
const worker = registerWorker(address, {
  otel: { enabled: telemetry === 'on' },
  enableMetricsReporting: false,
});
for (const [function_id, scope, next] of [['first', 'first', 'second'], ['second', 'second', 'third']]) {
  worker.registerFunction(function_id, async (event) => {
    await Promise.resolve(); // the context must survive waiting
    await worker.trigger({ function_id: 'state::set',
      payload: { scope: next, key: event.key, value: event.new_value } });
  });
  worker.registerTrigger({ type: 'state', function_id, config: { scope } });
}
