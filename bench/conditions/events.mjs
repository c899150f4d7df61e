// Makes the change events that the conditions are asked of: 64 of about 650 bytes, the same in every run.

let state = 20;
function chance() { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), 1 | state);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(chance() * list.length)];
const upTo = (n) => Math.floor(chance() * n);

const PLANS = ['free', 'pro', 'team', 'enterprise'];
const STATUS = ['trial', 'trial', 'active', 'closed'];
const TAGS = ['beta', 'vip', 'newsletter', 'a tag that is longer than most', 'eu'];

function account(i) {
  const user = {
    id: 100000 + i,
    email: `user.${i}@${pick(['example.com', 'mail.test', 'corp.example.com'])}`,
    name: `Person Number ${i}`,
    plan: pick(PLANS),
    status: pick(STATUS),
    age: 15 + upTo(60),
    tags: TAGS.filter(() => chance() < 0.5),
    items: Array.from({ length: 1 + upTo(3) }, () => ({ sku: `A-${upTo(4)}`, qty: upTo(6) })),
    locale: 'en',
    address: { city: pick(['Berlin', 'Lyon', 'Oslo']), zip: String(10000 + upTo(80000)) },
  };
  if (chance() < 0.5) { user.referrer = `partner-${upTo(9)}`; }
  return user;
}

export const events = Array.from({ length: 64 }, (_, i) => {
  const before = account(i);
  const after = { ...before, plan: pick(PLANS), status: pick(['active', 'active', 'closed']), age: before.age + 1 };
  return { event_type: 'state:updated', scope: i % 2 ? 'users' : 'accounts', key: `user_${i % 8}`,
    old_value: before, new_value: after };
});

const EMAIL = /^[a-z0-9.]+@([a-z]+\.)?example\.com$/;

// Each as CEL and as the function that a person would write by hand.
export const conditions = [
  ['scope and key', 'scope == "users" && key == "user_7"', (e) => e.scope === 'users' && e.key === 'user_7'],
  ['transition', 'old_value.status == "trial" && new_value.status == "active" && new_value.plan != "free"',
    (e) => e.old_value.status === 'trial' && e.new_value.status === 'active' && e.new_value.plan !== 'free'],
  ['one of two', 'new_value.plan in ["pro", "team"]',
    (e) => e.new_value.plan === 'pro' || e.new_value.plan === 'team'],
  ['regex', String.raw`new_value.email.matches("^[a-z0-9.]+@([a-z]+\\.)?example\\.com$")`,
    (e) => EMAIL.test(e.new_value.email)],
  ['range', 'new_value.age >= 18 && new_value.age < 65',
    (e) => e.new_value.age >= 18 && e.new_value.age < 65],
  ['exists', 'new_value.items.exists(i, i.sku == "A-1" && i.qty > 2)',
    (e) => e.new_value.items.some((i) => i.sku === 'A-1' && i.qty > 2)],
  ['has', 'has(new_value.referrer) && has(new_value.address) && new_value.address.city == "Oslo"',
    (e) => 'referrer' in e.new_value && 'address' in e.new_value && e.new_value.address.city === 'Oslo'],
  ['text', 'new_value.email.startsWith("user.1") && new_value.email.endsWith(".com") && '
    + 'new_value.name.contains("Number")',
    (e) => e.new_value.email.startsWith('user.1') && e.new_value.email.endsWith('.com')
      && e.new_value.name.includes('Number')],
  ['all', 'new_value.tags.all(t, size(t) < 20) && size(new_value.tags) > 1',
    (e) => e.new_value.tags.every((t) => t.length < 20) && e.new_value.tags.length > 1],
  ['complex', 'new_value.status == "active" && old_value.status != "active" && '
    + 'new_value.plan in ["pro", "team", "enterprise"] && new_value.age >= 18 && '
    + String.raw`new_value.email.matches("^[a-z0-9.]+@([a-z]+\\.)?example\\.com$") && `
    + 'new_value.items.exists(i, i.qty > 2) && !("vip" in new_value.tags)',
    (e) => e.new_value.status === 'active' && e.old_value.status !== 'active'
      && ['pro', 'team', 'enterprise'].includes(e.new_value.plan) && e.new_value.age >= 18
      && EMAIL.test(e.new_value.email) && e.new_value.items.some((i) => i.qty > 2)
      && !e.new_value.tags.includes('vip')],
];
