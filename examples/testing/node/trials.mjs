// The workflow: a new user has a trial of two weeks, and hears when it is over.
// `send` sends a mail; whoever tests this gives one of his own.
export function trials(worker, send) {
  worker.registerFunction('trials::begin', async ({ key }) => {
    await worker.trigger({ function_id: 'state::set',
      payload: { scope: 'trials', key, value: {}, ttl: '14d' } });
  });
  worker.registerTrigger({ type: 'state', function_id: 'trials::begin',
    config: { scope: 'users', events: ['created'] } });

  worker.registerFunction('trials::over', async ({ key }) => {
    await send(key, 'your trial is over');
  });
  worker.registerTrigger({ type: 'state', function_id: 'trials::over',
    config: { scope: 'trials', events: ['deleted'], when: 'event.?reason.orValue("") == "expired"',
      retry: { schedule: ['1h', '6h'], jitter: 0 } } });
}
