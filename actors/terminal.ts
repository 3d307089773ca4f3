import process from 'node:process';

/** Says whether escape sequences for colour may be written to a stream: a terminal, and `NO_COLOR` not set. */
export const mayColour = (stream: { isTTY?: boolean }): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
