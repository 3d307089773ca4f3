// What is done with each file, wherever there is a worker: it is parsed, and its syntax tree is looked through.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parse } from 'acorn';
import { currentCluster } from 'offsite/cluster';

/** How many functions of a file are told of. */
const LONGEST = 5;

const OPTIONS = { ecmaVersion: 'latest', locations: true, allowHashBang: true };

/** A file does not say whether it is a module or a script. */
const treeOf = (text) => {
  try {
    return parse(text, { ...OPTIONS, sourceType: 'module' });
  } catch {
    return parse(text, { ...OPTIONS, sourceType: 'script', allowReturnOutsideFunction: true });
  }
};

/** What makes code of text. */
const runsText = ({ type, callee }) =>
  (type === 'CallExpression' && callee.name === 'eval') ||
  ((type === 'CallExpression' || type === 'NewExpression') && callee.name === 'Function');

/** What can start other programs. */
const startsPrograms = ({ type, source, callee, arguments: given }) => {
  const specifier =
    type === 'CallExpression' && callee.name === 'require' ? given[0] : /Import|Export/.test(type) && source;
  return /^(node:)?child_process$/.test(specifier?.value);
};

const isFunction = ({ type }) => /Function/.test(type);

/** A function is called by its own name, or that of what it is given to. */
const nameOf = (node, parent) =>
  (node.id ?? parent?.id ?? parent?.key ?? parent?.left?.property ?? parent?.left)?.name ?? '(anonymous)';

/** All nodes of a tree with their parents. A list and no recursion, because generated code is deep. */
function* nodesOf(tree) {
  const left = [{ node: tree, parent: undefined }];
  for (let next = left.pop(); next; next = left.pop()) {
    yield next;
    for (const value of Object.values(next.node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === 'string') left.push({ node: child, parent: next.node });
      }
    }
  }
}

/** The text is read where the worker is, if that is the same host; from elsewhere, process 1 is asked for it. */
const textOf = async (path, disk) => {
  const text = disk.host === hostname() ? await readFile(path, 'utf8').catch(() => undefined) : undefined;
  return text ?? currentCluster().remotecallFetch(disk.textOf, 1, path);
};

/** What there is to know of a file: places in it by their lines, and its longest functions. */
export const survey = async (file, disk) => {
  const text = await textOf(file.path, disk);
  const functions = [];
  const facts = { ...file, functions: 0, longest: [], evals: [], starts: [] };
  let tree;
  try {
    tree = treeOf(text);
  } catch (error) {
    return { ...facts, unreadable: error.message };
  }
  for (const { node, parent } of nodesOf(tree)) {
    const { start, end } = node.loc;
    if (runsText(node)) facts.evals.push(start.line);
    if (startsPrograms(node)) facts.starts.push(start.line);
    if (isFunction(node)) {
      functions.push({ name: nameOf(node, parent), line: start.line, lines: end.line - start.line + 1 });
    }
  }
  for (const places of [facts.evals, facts.starts]) places.sort((a, b) => a - b);
  functions.sort((a, b) => b.lines - a.lines || a.line - b.line);
  return { ...facts, functions: functions.length, longest: functions.slice(0, LONGEST) };
};
