import { beforeEach, describe } from 'vitest';
import type { RemoteManagerOptions } from '../../lib/index.ts';
import { linesTo } from '../support/lines.ts';
import { makeBench } from '../support/sites.ts';
import { calls } from './calls.ts';
import { errors } from './errors.ts';
import { lifecycle } from './lifecycle.ts';
import { modules } from './modules.ts';
import { output } from './output.ts';
import { travel } from './travel.ts';
import { wire } from './wire.ts';

/**
 * What every site must do, however it was forked: the one suite, run over each fork method.
 * `options` is asked only when a test runs; `unavailable` tells why the method can't be had here, if it can't.
 */
export function conformance(
  title: string,
  options: () => RemoteManagerOptions,
  unavailable: () => string | undefined = () => undefined,
): void {
  describe(`a site forked by ${title}`, () => {
    beforeEach((context) => {
      const reason = unavailable();
      if (reason !== undefined) context.skip(reason);
    });
    const bench = makeBench(options);
    lifecycle(bench);
    modules(bench);
    calls(bench);
    errors(bench);
    output(bench);
    travel(bench);
    wire(linesTo(bench));
  });
}
