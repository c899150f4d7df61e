// This file speaks with the engine: requests, the token, and errors that say what to do.
// SPDX-License-Identifier: Apache-2.0

const TOKEN = 'pawl-token';

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the engine answered ${status}`);
    this.status = status;
    this.code = problem.code || String(status);
    this.advice = problem.agent_instruction || '';
  }
}

let askForToken = async () => null; // app.js says how a person is asked
let asking = null;
let isDeclined = false; // a person has said no: nobody is asked again until there is a token

export const setTokenPrompt = (prompt) => (askForToken = prompt);
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set(value) {
    isDeclined = false;
    sessionStorage.setItem(TOKEN, value);
  },
  forget: () => sessionStorage.removeItem(TOKEN),
};

function authorization() {
  return token.get() ? { authorization: `Bearer ${token.get()}` } : {};
}

// Numbers that JavaScript cannot hold stay as they were written: JSON.stringify gives them back.
function exact(key, value, context) {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || String(value) === source ||
      !JSON.rawJSON) return value;
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(source) ? value : JSON.rawJSON(source);
}
export const parse = (text) => (text ? JSON.parse(text, exact) : null);

function readProblem(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 500) };
  }
}

// All requests that are refused for want of a token share one question.
async function learnToken(reason) {
  if (isDeclined) return false;
  asking ??= askForToken(reason).finally(() => (asking = null));
  const given = await asking;
  if (given) {
    token.set(given);
  } else {
    isDeclined = true;
    token.forget();
  }
  return Boolean(given);
}

// The reply of the engine if it is a good one; else throws ApiError. Asks for a token if one is due.
async function request(method, path, { body, headers = {}, signal } = {}) {
  const used = token.get();
  let reply;
  try {
    reply = await fetch(path, {
      method,
      signal,
      cache: 'no-store',
      headers: { accept: 'application/json', ...authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { code: 'unreachable', detail: 'The engine does not answer.',
      agent_instruction: 'Check that pawl is running and that this page may reach it.' });
  }
  if (reply.ok || reply.status === 304) return reply;
  const error = new ApiError(reply.status, readProblem(await reply.text()));
  const isNews = used === token.get(); // else somebody has given another one meanwhile
  if (reply.status === 401 && (!isNews || await learnToken(error))) {
    return request(method, path, { body, headers, signal });
  }
  throw error;
}

// { body } is JSON text or a value. Answers { status, text, etag }.
export async function send(method, path, options) {
  const reply = await request(method, path, options);
  return { status: reply.status, text: await reply.text(), etag: reply.headers.get('etag') };
}

// The text of an answer that goes on, piece by piece.
export async function stream(path, { headers, signal }) {
  const reply = await request('GET', path,
    { headers: { accept: 'text/event-stream', ...headers }, signal });
  return reply.body.pipeThrough(new TextDecoderStream());
}

export const get = async (path, options) => parse((await send('GET', path, options)).text);
export const post = async (path, body = {}, options = {}) =>
  parse((await send('POST', path, { ...options, body })).text);
export const remove = async (path, options) => parse((await send('DELETE', path, options)).text);

// at`/v1/state/${scope}/${key}`: what is put in is encoded.
export const at = (strings, ...values) => strings.reduce((path, text, i) =>
  path + encodeURIComponent(values[i - 1]) + text);

export function query(given) {
  const pairs = Object.entries(given).filter(([, value]) =>
    value !== '' && value !== undefined && value !== null);
  return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}
