import { defineConfig } from 'vitest/config';
import ClosingLineReporter from './spec/support/closing-line-reporter.ts';

export default defineConfig({
  test: {
    include: ['spec/**/*.spec.ts'],
    globalSetup: ['spec/support/global-setup.ts'],
    // Forks, not threads: specs start worker threads and signal processes, and must not do so to each other.
    pool: 'forks',
    // Two at once: a dozen engines starting at the same moment would measure the machine, not the library.
    maxWorkers: 2,
    // Specs that are not about it need no control socket in this user's own folder.
    env: { OFFSITE_CONTROL: '0' },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ['default', new ClosingLineReporter()],
  },
});
