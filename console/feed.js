// This file brings events as they come: those that are there, then each new one, in order.
// SPDX-License-Identifier: Apache-2.0
import { get, query } from './api.js';
import { onBeat, pulse } from './pulse.js';

const PAGE = 500;

// Calls onevents(list) with what comes after `since`; answers how to stop.
export function follow({ scope, prefix, since }, onevents, onproblem) {
  let at = since;
  let isBusy = false;
  let isOver = false;
  const fits = (event) => !prefix || event.key.startsWith(prefix);

  async function look() {
    if (isBusy || isOver || !(pulse.status?.store.last_seq > at)) return;
    isBusy = true;
    try {
      const page = await get(`/v1/events${query({ since: at, limit: PAGE, scope })}`);
      if (isOver) return;
      at = page.next - 1;
      onevents(page.events.filter(fits));
    } catch (error) {
      if (!isOver) onproblem(error);
    } finally {
      isBusy = false;
    }
    if (!isOver && pulse.status.store.last_seq > at) look();
  }

  const stop = onBeat(look);
  look();
  return () => {
    isOver = true;
    stop();
  };
}

// One event, or null when the journal has it no more.
export async function readEvent(seq) {
  const { events } = await get(`/v1/events${query({ since: seq - 1, limit: 1 })}`);
  return events[0]?.seq === seq ? events[0] : null;
}
