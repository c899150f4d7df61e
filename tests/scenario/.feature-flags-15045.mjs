// An edge cache: it keeps the flags in memory, up to date by a trigger of its own, and answers
// whether a flag is on for a user: pawl invoke flags::is_on '{"flag":"checkout","user":"ada"}'
// usage: node edge.mjs [ADDRESS [NAME]]    (default ws://127.0.0.1:49134 edge)
// Workers that serve one function share its calls, so every cache has a name of its own.
import { createHash } from 'node:crypto';
import { registerWorker } from 'iii-sdk';

const worker = registerWorker(process.argv[2] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');
const edge = `flags::${process.argv[3] ?? 'edge'}`;
const flags = new Map(); // null: deleted

const keep = (flag, value) => flags.set(flag, 'enabled' in value ? value : null);

worker.registerFunction(edge, async ({ flag, value }) => {
  keep(flag, value);
});
worker.registerTrigger({
  type: 'state',
  function_id: edge,
  config: {
    scope: 'flags',
    when: 'changed("enabled") || changed("rollout") || changed("segments")',
    select: {
      flag: 'key',
      value: {
        enabled: 'new_value.?enabled',
        rollout: 'new_value.?rollout',
        segments: 'new_value.?segments',
      },
    },
  },
});

// A user is always in the same hundredth of a flag, and in another one of another flag.
const hundredth = (flag, user) =>
  createHash('sha256').update(`${flag}/${user}`).digest().readUInt32BE() % 100;

worker.registerFunction('flags::is_on', async ({ flag, user, segments = [] }) => {
  const { enabled = false, rollout = 100, segments: wanted = [] } = flags.get(flag) ?? {};
  const isMeant = wanted.length === 0 || wanted.some((one) => segments.includes(one));
  return enabled && isMeant && hundredth(flag, user) < rollout;
});

// What was there before the trigger; what the trigger has told meanwhile is newer.
const { items } = await worker.trigger({
  function_id: 'state::list', payload: { scope: 'flags', with_keys: true } });
for (const { key, value } of items) {
  if (!flags.has(key)) keep(key, value);
}
