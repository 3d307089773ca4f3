import type { Lines } from '../support/lines.ts';
import { cancellation } from './cancellation.ts';
import { references } from './references.ts';
import { byValue } from './values.ts';

/** What two sessions promise each other, over whatever link; sites are one way to have them, connections another. */
export function wire(lines: Lines): void {
  byValue(lines);
  references(lines);
  cancellation(lines);
}
