// The same as ../worker, as a Node worker: it registers its functions and triggers by itself.
// usage: node worker.mjs [ADDRESS]    (default ws://127.0.0.1:49134)
import { registerWorker } from 'iii-sdk';

const worker = registerWorker(process.argv[2] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');
const state = (name, payload) => worker.trigger({ function_id: `state::${name}`, payload });
const on = (function_id, config, handler) => {
  worker.registerFunction(function_id, handler);
  worker.registerTrigger({ type: 'state', function_id, config: { scope: 'users', ...config } });
};

on('users::welcome', { events: ['created'], retry: { max_attempts: 5, initial_ms: 200 } },
  async ({ key, new_value: user, attempt, delivery_id }) => {
    // A mail server that is down the first time: the engine calls again.
    if (user.name === 'Grace' && attempt === 1) throw new Error('the mail server did not answer');
    await state('set', { scope: 'mails', key: delivery_id, value: `Welcome, ${user.name}!` });
    await state('set', { scope: 'sessions', key, value: { user: key } });
  });

on('users::plan_changed', { changed: ['plan'], order: 'trigger' },
  async ({ key, old_value: before, new_value: after }) => {
    if (before?.plan) {
      await state('update', { scope: 'plans', key: before.plan, ops: [{ type: 'remove', path: key }] });
    }
    if (after?.plan) {
      await state('update', { scope: 'plans', key: after.plan,
        ops: [{ type: 'set', path: key, value: true }] });
    }
  });

worker.registerFunction('users::is_deactivated', async ({ new_value: user }) => user?.active === false);
on('users::deactivated', { changed: ['active'], condition_function_id: 'users::is_deactivated' },
  async ({ key }) => {
    await state('delete', { scope: 'sessions', key });
  });
