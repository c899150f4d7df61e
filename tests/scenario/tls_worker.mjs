// A worker of the SDK in a process of its own, as NODE_EXTRA_CA_CERTS is read when one starts.
import { registerWorker } from 'iii-sdk';

const worker = registerWorker(process.argv[2], { otel: { enabled: false }, enableMetricsReporting: false });
worker.registerFunction('tls::echo', async (data) => data);
process.stdin.on('end', () => process.exit(0)).resume();
