// A trial of two weeks: a reminder two days before its end, the end, and three days of grace. Each is an alarm of the user.
// usage: node worker.mjs [ADDRESS]    (default ws://127.0.0.1:49134)
import { registerWorker } from 'iii-sdk';

const worker = registerWorker(process.argv[2] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');
const call = (function_id, payload) => worker.trigger({ function_id, payload });
const alarm = (key, name, delay) => call('alarm::set', { scope: 'users', key, name, delay });
const become = (key, plan) => call('state::update', { scope: 'users', key,
  ops: [{ type: 'set', path: 'plan', value: plan }] });
const mail = (key, name, text) => call('state::set', { scope: 'mails', key: `${key}/${name}`, value: text });

worker.registerFunction('trial::begin', async ({ key }) => {
  await alarm(key, 'trial_reminder', '12d');
  await alarm(key, 'trial_end', '14d');
});
worker.registerTrigger({ type: 'state', function_id: 'trial::begin',
  config: { scope: 'users', events: ['created'], when: "new_value.plan == 'trial'" } });

// Who has paid meanwhile hears nothing: `value` is what the user is now.
worker.registerFunction('trial::remind', async ({ key, name, value }) => {
  if (value?.plan === 'trial') await mail(key, name, 'your trial ends in two days');
});
worker.registerTrigger({ type: 'alarm', function_id: 'trial::remind',
  config: { scope: 'users', name: 'trial_reminder' } });

worker.registerFunction('trial::end', async ({ key, name, value }) => {
  if (value?.plan !== 'trial') return;
  await become(key, 'grace');
  await mail(key, name, 'your trial is over; three days are left to pay');
  await alarm(key, 'grace_end', '3d');
});
worker.registerTrigger({ type: 'alarm', function_id: 'trial::end', config: { scope: 'users', name: 'trial_end' } });

worker.registerFunction('trial::lock', async ({ key, name, value }) => {
  if (value?.plan !== 'grace') return;
  await become(key, 'locked');
  await mail(key, name, 'your account is locked');
});
worker.registerTrigger({ type: 'alarm', function_id: 'trial::lock', config: { scope: 'users', name: 'grace_end' } });
