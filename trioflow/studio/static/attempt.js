// Asking for something, and telling in words why it was not done.

import { h, say } from './dom.js';

/** @param {Promise<any>} what */
export async function attempt(what) {
  try {
    return await what;
  } catch (error) {
    say(error instanceof TypeError ? 'The server can’t be reached.' : error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** A button that asks for something. @param {string} text @param {() => void} onclick @param {any} [more] */
export const button = (text, onclick, more = {}) => h('button', { type: 'button', onclick, ...more }, text);
