/** Control characters in what another process has named must not reach the terminal. */
export const printable = (text: string): string => text.replace(/\p{Cc}/gu, '?');

/** Rows as lines whose columns stand under each other, those that are named by their head to the right. */
export const columns = (rows: readonly (readonly string[])[], right: ReadonlySet<string>): string[] => {
  const [head = []] = rows;
  const clean = rows.map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...clean.map((row) => row[column]!.length)));
  return clean.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column]!;
        return right.has(head[column]!) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
};
