// The answer to "what do I have in node_modules?", for people to read.

/** The packages in which there is something, with the first place of it. */
const packagesWith = (all, places) => {
  const packages = new Map();
  for (const facts of all) {
    if (facts[places].length === 0) continue;
    const known = packages.get(facts.package) ?? { count: 0, first: `${facts.name}:${facts[places][0]}` };
    known.count += facts[places].length;
    packages.set(facts.package, known);
  }
  return [...packages].sort(([, a], [, b]) => b.count - a.count);
};

const sum = (all, one) => all.reduce((total, facts) => total + one(facts), 0);

/** Lines to print. The facts may come in any order; the lines do not depend on it. */
export const reportOf = (surveyed, { longest = 5, packages = 8 } = {}) => {
  const all = surveyed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const number = (value) => value.toLocaleString('en');
  const unreadable = all.filter((facts) => facts.unreadable).length;
  const lines = [
    `${number(all.length)} files in ${new Set(all.map((facts) => facts.package)).size} packages, ` +
      `${(sum(all, (facts) => facts.size) / 1e6).toFixed(1)} MB, ` +
      `${number(sum(all, (facts) => facts.functions))} functions; ${unreadable} ${unreadable === 1 ? 'is' : 'are'} no JavaScript.`,
  ];
  for (const [title, places] of [
    ['run text as code (eval, Function)', 'evals'],
    ['can start programs (child_process)', 'starts'],
  ]) {
    const found = packagesWith(all, places);
    lines.push('', `${found.length} packages ${title}:`);
    for (const [name, { count, first }] of found.slice(0, packages)) {
      lines.push(`${number(count).padStart(8)}  ${name.padEnd(24)} ${first}`);
    }
    if (found.length > packages) lines.push(`          and ${found.length - packages} more`);
  }
  lines.push('', 'The longest functions:');
  const functions = all.flatMap((facts) => facts.longest.map((one) => ({ ...one, file: facts.name })));
  functions.sort((a, b) => b.lines - a.lines);
  for (const { name, line, lines: count, file } of functions.slice(0, longest)) {
    lines.push(`${number(count).padStart(8)} lines  ${name.padEnd(18)} ${file}:${line}`);
  }
  return lines;
};
