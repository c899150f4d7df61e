// This file is the panel Overview: rates, lateness and depths, live, and what needs a person.
// SPDX-License-Identifier: Apache-2.0
import { lineChart, setBars } from './chart.js';
import { fill, h, refill } from './dom.js';
import { ago, bytes, duration, number, plural, rate } from './format.js';
import { onBeat, pulse, rates, values } from './pulse.js';
import { link } from './router.js';
import { facts } from './view.js';

const perSecond = (n) => `${rate(n)}/s`;

// The least bound that `share` of the timers that fired lately were not later than.
function lateness(share) {
  const first = pulse.samples.at(-60) ?? pulse.samples[0];
  const last = pulse.samples.at(-1);
  if (!last) return undefined;
  const bounds = Object.keys(last.late);
  const counts = bounds.map((bound) => last.late[bound] - (first === last ? 0 : first.late[bound]));
  const all = counts.reduce((sum, n) => sum + n, 0);
  let seen = 0;
  for (const [i, bound] of bounds.entries()) {
    seen += counts[i];
    if (all && seen >= share * all) return bound === 'more' ? '> 1 s' : `≤ ${duration(Number(bound))}`;
  }
  return 'none';
}

// For each second the bound that none of the timers that fired in it was later than.
function worstLate() {
  return pulse.samples.slice(1).map(({ late }, i) => {
    const before = pulse.samples[i].late;
    const bound = Object.keys(late).findLast((one) => late[one] > before[one]);
    return bound === undefined ? 0 : bound === 'more' ? 2000 : Number(bound);
  });
}

// Between two times at which the totals were read.
function totalsRates(name) {
  const seen = [];
  for (const { totals } of pulse.samples) if (totals && seen.at(-1) !== totals) seen.push(totals);
  return seen.slice(1).map((after, i) => {
    const before = seen[i];
    return Math.max(0, (1000 * (after[name] - before[name])) / (after.at - before.at));
  });
}

const charts = [
  { title: 'Changes', hint: 'events written to the journal', format: perSecond,
    look: () => rates((one) => one.seq) },
  { title: 'Deliveries', hint: 'handled by functions', format: perSecond,
    look: () => totalsRates('delivered') },
  { title: 'Failed attempts', hint: 'of handlers', tone: 'bad', format: perSecond,
    look: () => totalsRates('failed') },
  { title: 'Owed', hint: 'deliveries that wait, are parked or run', format: number,
    look: () => values((one) => one.totals && one.totals.jobs.total) },
  { title: 'Events behind', hint: 'how far the slowest trigger is behind the journal',
    format: number, look: () => values((one) => one.totals?.behind) },
  { title: 'Lateness', hint: 'of the timers that fired: retries, alarms, expiry, cron',
    format: (ms) => (ms === 0 ? 'none' : `≤ ${duration(ms)}`), look: worstLate },
];

function concerns({ status, error }) {
  const found = [];
  const say = (text, href) => found.push(h('li', href ? h('a', { href }, text) : text));
  if (error) say(error.message);
  if (!status) return found;
  if (status.status !== 'ok') say(`The engine is ${status.status}.`);
  if (!status.store.writable) say('The store takes no writes at the moment.');
  if (status.store.volatile) say('The store is in memory: nothing survives a restart.');
  if (status.dead_letters) say(`${plural(status.dead_letters, 'dead letter')} to look at`, link('dead'));
  if (status.unbound_triggers) {
    say(`${plural(status.unbound_triggers, 'trigger')} whose function nobody serves`,
      link('triggers', [], { show: 'unbound' }));
  }
  if (status.alarms.failed) say(`${plural(status.alarms.failed, 'failed alarm')}`, link('alarms'));
  if (status.config.needs_restart.length) {
    say(`A changed config needs a restart: ${status.config.needs_restart.join(', ')}`);
  }
  return found;
}

function engineFacts({ started_at, version, config, store, triggers, workers }) {
  return facts([
    ['Version', version], ['Started', ago(started_at)], ['Config', config.path],
    ['Triggers', h('a', { href: link('triggers') }, number(triggers))],
    ['Workers', h('a', { href: link('workers') }, number(workers))],
    ['Journal', `${bytes(store.journal_bytes)}, events ${number(store.first_seq)} to ${number(store.last_seq)}`],
    ['Cache', `${bytes(store.cache_bytes)}, ${plural(store.cache_records, 'record')}`],
    ['Slowest commit', duration(store.worst_commit_us / 1000)],
    ['Recoveries', number(store.recoveries)],
  ]);
}

function timeFacts({ timers, alarms, expiry }) {
  return facts([
    ['Late, 50 %', lateness(0.5)], ['Late, 99 %', lateness(0.99)],
    ['Worst', duration(timers.worst_lateness_ms)],
    ['Pending', number(timers.pending)], ['Overdue', number(timers.overdue)],
    ['Next', timers.next_due && ago(timers.next_due)],
    ['Alarms fired', number(alarms.fired)], ['Records expired', number(expiry.expired)],
  ]);
}

export function openOverview(main) {
  const drawn = charts.map((spec) => ({ spec, chart: lineChart(spec) }));
  const attention = h('ul.concerns');
  const quiet = h('p.calm', 'Nothing needs you.');
  const [engine, times, queues] = [h('div'), h('div'), h('div')];
  fill(main, h('div.overview',
    h('div.head', h('h1', 'Overview'), h('p.quiet', 'the last two minutes, once a second')),
    h('section.attention', { 'aria-label': 'What needs a person' }, attention, quiet),
    h('div.charts', drawn.map(({ chart }) => chart.element)),
    h('div.columns', h('section.card', h('h2', 'Queues'), queues),
      h('section.card', h('h2', 'Timers'), times), h('section.card', h('h2', 'Engine'), engine))));

  function draw() {
    const found = concerns(pulse);
    refill(attention, found);
    quiet.hidden = found.length > 0;
    for (const { spec, chart } of drawn) chart.set(spec.look());
    if (!pulse.status) return;
    refill(engine, engineFacts(pulse.status));
    refill(times, timeFacts(pulse.status));
    const rows = pulse.samples.at(-1)?.totals?.queues ?? [];
    setBars(queues, 'Waiting and running', rows.map((one) => ({ label: one.queue,
      value: one.waiting + one.running, href: link('queues', [one.queue]),
      text: `${number(one.waiting)} + ${number(one.running)}`,
      tone: one.dead ? 'bad' : '' })), 'No queue is known yet.');
  }

  pulse.wantsTotals = true;
  const stop = onBeat(draw);
  return { update() {}, close() {
    pulse.wantsTotals = false;
    stop();
  } };
}
