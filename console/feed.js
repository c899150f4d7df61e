// This file brings events as they come: those that are there, then each new one, in order.
// SPDX-License-Identifier: Apache-2.0
import { ApiError, get, parse, query, stream } from './api.js';

const AGAIN_MS = 1000;

// Takes server-sent events apart: feed(text) answers those that are whole by now.
export function eventReader() {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    return blocks.map((block) => {
      const event = { type: 'message', data: '' };
      for (const line of block.split(/\r?\n/)) {
        const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (name === 'data') event.data += (event.data && '\n') + value;
        else if (name === 'id') event.id = value;
        else if (name === 'event') event.type = value;
      }
      return event;
    });
  };
}

const pause = (signal) => new Promise((resolve) => {
  setTimeout(resolve, AGAIN_MS);
  signal.addEventListener('abort', resolve, { once: true });
});

// Calls onevents(list) with what comes after `since`, whatever breaks meanwhile: a stream that ends
// is opened again behind the last event that came. What cannot be followed, or only from now on, is
// told to onproblem. Answers how to stop.
export function follow({ since, ...wanted }, onevents, onproblem) {
  const stop = new AbortController();
  const { signal } = stop;
  let position = String(since);

  function take(events) {
    const changes = [];
    for (const { type, id, data } of events) {
      if (id) position = id;
      if (type === 'message' && data) changes.push(parse(data));
      if (type === 'condition_error') {
        onproblem(new ApiError(0, { detail: parse(data).detail, code: 'condition_error',
          agent_instruction: 'Events for which the condition fails are not shown.' }));
      }
    }
    if (changes.length && !signal.aborted) onevents(changes);
  }

  async function once() {
    const path = `/v1/watch${query({ ...wanted, events: 'all', since: position })}`;
    const reader = (await stream(path, { signal })).getReader();
    const feed = eventReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(feed(value));
    }
  }

  async function run() {
    while (!signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 410) position = ''; // it goes on from now
        if (error.status >= 400) onproblem(error);
        if (error.status >= 400 && error.status < 500 && error.status !== 410) return;
      }
      await pause(signal);
    }
  }

  run();
  return () => stop.abort();
}

// One event, or null when the journal has it no more.
export async function readEvent(seq) {
  const { events } = await get(`/v1/events${query({ since: seq - 1, limit: 1 })}`);
  return events[0]?.seq === seq ? events[0] : null;
}
