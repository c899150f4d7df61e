// This file is the panel Overview: rates, lateness and depths, live, and what needs a person.
// SPDX-License-Identifier: Apache-2.0
import { lineChart, setBars } from './chart.js';
import { fill, h, refill } from './dom.js';
import { ago, bytes, duration, number, plural, rate } from './format.js';
import { onBeat, pulse, quantiles, rates } from './pulse.js';
import { link } from './router.js';
import { facts } from './view.js';

const perSecond = (n) => `${rate(n)}/s`;
const bound = (seconds) => (seconds === 0 ? 'none' : `≤ ${duration(1000 * seconds)}`);
const total = (name) => () => rates((figures) => figures.get(name) ?? 0);
const latest = (name) => pulse.samples.at(-1)?.figures.get(name);

const charts = [
  { title: 'Changes', hint: 'events that became durable', format: perSecond,
    look: total('pawl_events_total') },
  { title: 'Deliveries', hint: 'that were handled', format: perSecond,
    look: total('pawl_deliveries_total{outcome="delivered"}') },
  { title: 'Failed attempts', hint: 'of handlers', tone: 'bad', format: perSecond,
    look: total('pawl_failed_attempts_total') },
  { title: 'Owed', hint: 'deliveries that run, or wait: for room, for a function, for another try',
    format: number, look: () => pulse.samples.map(({ figures }) =>
      figures.get('pawl_deliveries_waiting') + figures.get('pawl_deliveries_running')) },
  { title: 'Lateness', hint: 'from the event until its first attempt began; 99 % of ten seconds',
    format: bound, look: () => quantiles('pawl_delivery_lateness_seconds', 0.99) },
  { title: 'Commit', hint: 'until a change is durable; 99 % of ten seconds', format: bound,
    look: () => quantiles('pawl_commit_duration_seconds', 0.99) },
];

function concerns({ status, error, figuresError }) {
  const found = [];
  const say = (text, href) => found.push(h('li', href ? h('a', { href }, text) : text));
  if (error) say(error.message);
  if (figuresError) say(`The figures cannot be read: ${figuresError.message}`);
  if (!status) return found;
  if (status.status !== 'ok') say(`The engine is ${status.status}.`);
  if (!status.store.writable) say('The store takes no writes at the moment.');
  if (status.store.volatile) say('The store is in memory: nothing survives a restart.');
  if (status.dead_letters) say(`${plural(status.dead_letters, 'dead letter')} to look at`, link('dead'));
  if (status.unbound_triggers) {
    say(`${plural(status.unbound_triggers, 'trigger')} whose function nobody serves`,
      link('triggers', [], { show: 'unbound' }));
  }
  const paused = latest('pawl_triggers_paused');
  if (paused) say(`${plural(paused, 'trigger')} paused`, link('triggers'));
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
    ['Events', `${number(store.first_seq)} to ${number(store.last_seq)}`],
    ['Journal', bytes(store.journal_bytes)],
    ['Cache', `${bytes(store.cache_bytes)}, ${plural(store.cache_records, 'record')}`],
    ['Recoveries', number(store.recoveries)],
  ]);
}

const spread = ({ p50, p99, max }, unit) =>
  [p50, p99, max].map((n) => duration(n * unit)).join(' · ');

function timeFacts({ timers, alarms, expiry, store }) {
  const behind = latest('pawl_journal_last_seq') - latest('pawl_journal_matched_seq');
  return facts([
    ['Commits', spread(store.commit_us, 0.001)],
    ['Timers late', spread(timers.lateness_ms, 1)],
    ['Timers', `${number(timers.pending)} pending, ${number(timers.overdue)} overdue`],
    ['Next', timers.next_due && ago(timers.next_due)],
    ['Alarms', `${number(alarms.fired)} fired, ${number(alarms.failed)} failed`],
    ['Expired', plural(expiry.expired, 'record')],
    ['Behind', `${plural(Number.isNaN(behind) ? 0 : behind, 'event')}, ` +
      plural(latest('pawl_triggers_lagging') ?? 0, 'trigger')],
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
      h('section.card', h('h2', 'Times'), h('p.quiet', 'since the start: 50 % · 99 % · worst'), times), h('section.card', h('h2', 'Engine'), engine))));

  function draw() {
    const found = concerns(pulse);
    refill(attention, found);
    quiet.hidden = found.length > 0;
    for (const { spec, chart } of drawn) chart.set(spec.look());
    if (!pulse.status) return;
    refill(engine, engineFacts(pulse.status));
    refill(times, timeFacts(pulse.status));
    const rows = pulse.samples.at(-1)?.queues ?? [];
    setBars(queues, 'Waiting and running', rows.map((one) => ({ label: one.queue,
      value: one.waiting + one.running, href: link('queues', [one.queue]),
      text: `${number(one.waiting)} + ${number(one.running)}`,
      tone: one.dead ? 'bad' : '' })), 'No queue is known yet.');
  }

  pulse.wantsFigures = true;
  const stop = onBeat(draw);
  return { update() {}, close() {
    pulse.wantsFigures = false;
    stop();
  } };
}
