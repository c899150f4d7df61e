// A worker whose handler writes into the scope that woke it, under another key.
// usage: notes.mjs ADDRESS
import { registerWorker } from 'iii-sdk';

console.debug = () => {}; // standard output is for our own lines
console.log = () => {};
console.info = () => {};
const worker = registerWorker(process.argv[2], { otel: { enabled: true }, enableMetricsReporting: false });
worker.registerFunction('note', async (event) => {
  await worker.trigger({ function_id: 'state::set',
    payload: { scope: event.scope, key: `out-${event.key}`, value: event.new_value } });
});
worker.registerTrigger({ type: 'state', function_id: 'note', config: { scope: 'notes', key: 'in*' } });
