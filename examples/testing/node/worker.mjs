// Runs the workflow. usage: node worker.mjs [ADDRESS]
import { registerWorker } from 'iii-sdk';
import { trials } from './trials.mjs';

trials(registerWorker(process.argv[2] ?? 'ws://127.0.0.1:49134'),
  async (user, text) => console.log(`to ${user}: ${text}`));
