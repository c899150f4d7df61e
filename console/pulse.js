// This file asks the engine how it is, once a second, and keeps the last two minutes of it.
// SPDX-License-Identifier: Apache-2.0
import { get, send } from './api.js';

const EVERY_MS = 1000;
const KEPT = 120;
const LOCKED_OUT_MS = 10000; // between two looks while the engine wants a token and has none

export const pulse = {
  status: null,
  error: null,
  samples: [], // oldest first: { at, figures, queues }; only while they are wanted
  wantsFigures: false,
  figuresError: null,
};

const listeners = new Set();

// Calls `listener` now, if something is known, and at each beat; answers how to stop.
export function onBeat(listener) {
  listeners.add(listener);
  if (pulse.status || pulse.error) listener(pulse);
  return () => listeners.delete(listener);
}

// The lines of /metrics by their names, labels included.
export function readFigures(text) {
  const found = new Map();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0 && line[0] !== '#') found.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return found;
}

async function sample() {
  try {
    const [{ text }, { queues }] = await Promise.all([send('GET', '/metrics'), get('/v1/queues')]);
    pulse.samples.push({ at: performance.now(), figures: readFigures(text), queues });
    pulse.figuresError = null;
    if (pulse.samples.length > KEPT) pulse.samples.shift();
  } catch (error) {
    pulse.figuresError = error;
  }
}

export async function beatNow() {
  try {
    const status = await get('/v1/status');
    if (pulse.status?.started_at !== status.started_at) pulse.samples.length = 0;
    pulse.status = status;
    pulse.error = null;
    if (pulse.wantsFigures) await sample();
  } catch (error) {
    pulse.error = error;
  }
  for (const listener of listeners) listener(pulse);
}

// Differences per second between neighbours, of what `look` finds in a sample's figures.
export function rates(look) {
  return pulse.samples.slice(1).map((after, i) => {
    const before = pulse.samples[i];
    const change = look(after.figures) - look(before.figures);
    return Math.max(0, (1000 * change) / (after.at - before.at));
  });
}

// For each second the bound, in seconds, that `share` of what a histogram has counted in the last
// ten of them was not above; 0 if it has counted nothing.
export function quantiles(name, share) {
  const bounds = [...(pulse.samples.at(-1)?.figures.keys() ?? [])]
    .filter((key) => key.startsWith(`${name}_bucket{`));
  return pulse.samples.slice(1).map((after, i) => {
    const before = pulse.samples[Math.max(0, i - 9)];
    const counts = bounds.map((key) => after.figures.get(key) - before.figures.get(key));
    const wanted = share * (counts.at(-1) ?? 0);
    if (!wanted) return 0;
    const at = counts.findIndex((count) => count >= wanted);
    const bound = Number(/le="([^"]+)"/.exec(bounds[at])[1]); // "+Inf" is no number
    return Number.isFinite(bound) ? bound : Number(/le="([^"]+)"/.exec(bounds[at - 1])[1]);
  });
}

export async function startPulse() {
  for (;;) {
    if (!document.hidden) await beatNow();
    const wait = pulse.error?.status === 401 ? LOCKED_OUT_MS : EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
