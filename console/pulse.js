// This file asks the engine how it is, once a second, and keeps the last two minutes of it.
// SPDX-License-Identifier: Apache-2.0
import { get } from './api.js';

const EVERY_MS = 1000;
const KEPT = 120;
const MANY_TRIGGERS = 500; // over this their figures are fetched rarely: the list is long
const RARELY = 15;

export const pulse = {
  status: null,
  error: null,
  samples: [], // oldest first: { at, seq, dead, overdue, commit_us, late, jobs, totals }
  wantsTotals: false, // somebody shows what all triggers and jobs add up to
};

const listeners = new Set();
let totals = null;
let round = 0;

// Calls `listener` now, if something is known, and at each beat; answers how to stop.
export function onBeat(listener) {
  listeners.add(listener);
  if (pulse.status || pulse.error) listener(pulse);
  return () => listeners.delete(listener);
}

const sum = (list, name) => list.reduce((all, one) => all + (one[name] ?? 0), 0);

async function readTotals(status) {
  const [{ registered_triggers: triggers }, jobs, { queues }] = await Promise.all([
    get('/v1/triggers?include_internal=true'), get('/v1/jobs?limit=1'), get('/v1/queues')]);
  return { at: performance.now(), jobs, queues, count: status.triggers,
    delivered: sum(triggers, 'delivered'), matched: sum(triggers, 'matched'),
    failed: sum(triggers, 'failed_attempts'), waiting: sum(triggers, 'waiting'),
    running: sum(triggers, 'running'),
    behind: Math.max(0, ...triggers.map((one) =>
      (one.until_seq ? 0 : status.store.last_seq - one.cursor))) };
}

function sample(status) {
  const { store, timers } = status;
  return { at: performance.now(), seq: store.last_seq, dead: status.dead_letters,
    overdue: timers.overdue, late: timers.lateness_ms, fired: timers.fired,
    workers: status.workers, totals };
}

async function beat() {
  round++;
  try {
    const status = await get('/v1/status');
    const isDue = status.triggers <= MANY_TRIGGERS || round % RARELY === 1;
    if (pulse.wantsTotals && (isDue || !totals)) totals = await readTotals(status);
    if (pulse.status && pulse.status.started_at !== status.started_at) pulse.samples.length = 0;
    pulse.status = status;
    pulse.error = null;
    pulse.samples.push(sample(status));
    if (pulse.samples.length > KEPT) pulse.samples.shift();
  } catch (error) {
    pulse.error = error;
  }
  for (const listener of listeners) listener(pulse);
}

// Differences per second between neighbours, of what `look` finds in a sample.
export function rates(look) {
  const out = [];
  for (let i = 1; i < pulse.samples.length; i++) {
    const [before, after] = [look(pulse.samples[i - 1]), look(pulse.samples[i])];
    if (before === undefined || after === undefined) continue;
    const seconds = (pulse.samples[i].at - pulse.samples[i - 1].at) / 1000;
    out.push(Math.max(0, (after - before) / seconds));
  }
  return out;
}

export function values(look) {
  return pulse.samples.map(look).filter((value) => value !== undefined);
}

export async function startPulse() {
  for (;;) {
    if (!document.hidden) await beat();
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

export const beatNow = beat;
