import type { Lines } from '../support/lines.ts';
import { bounds } from './bounds.ts';
import { cancellation } from './cancellation.ts';
import { order } from './order.ts';
import { references } from './references.ts';
import { streams } from './streams.ts';
import { byValue } from './values.ts';

/** What two sessions promise each other, over whatever link; sites are one way to have them, connections another. */
export function wire(lines: Lines): void {
  byValue(lines);
  references(lines);
  cancellation(lines);
  streams(lines);
  bounds(lines);
  order(lines);
}
