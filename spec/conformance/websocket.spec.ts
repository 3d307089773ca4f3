import { describe } from 'vitest';
import { websocketLines } from '../support/lines.ts';
import { wire } from './wire.ts';

describe('a program at the other end of a WebSocket', () => {
  wire(websocketLines());
});
