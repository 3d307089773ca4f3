import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a run with one line that a person or a script can find, and says why each skipped test was skipped. */
export default class ClosingLineReporter implements Reporter {
  /** Prints `N passed, N failed, N skipped`, then one line a skipped test. */
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    // A file that could not be loaded, and an error outside of any test, fail a run as much as a test does.
    let failed = unhandled.length;
    let skipped = 0;
    const reasons: string[] = [];
    let unexplained = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else {
          skipped += 1;
          const result = test.result();
          const reason = result.state === 'skipped' ? result.note : 'it never ran';
          if (reason) reasons.push(`  skipped: ${module.relativeModuleId} > ${test.fullName}: ${reason}`);
          else unexplained += 1;
        }
      }
    }
    // Those left out by a name filter, or marked in the source; one line is enough for all.
    if (unexplained > 0) reasons.push(`  skipped: ${unexplained} without a reason of their own`);
    const lines = [`${passed} passed, ${failed} failed, ${skipped} skipped`, ...reasons];
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}
