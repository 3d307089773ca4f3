// The files that are looked through, on the disk of the program that was started.
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const listed = new Set();

/** What of a path is the package's name: what follows the last node_modules, with its scope. */
const packageOf = (parts) => {
  const at = parts.lastIndexOf('node_modules') + 1;
  return parts.slice(at, parts[at]?.startsWith('@') ? at + 2 : at + 1).join('/');
};

/** All JavaScript below a folder of packages, the largest first, so that nobody waits for that at the end. */
export const filesBelow = async (folder) => {
  const root = await realpath(folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const scripts = entries.filter((entry) => entry.isFile() && /\.[cm]?js$/.test(entry.name));
  const files = await Promise.all(
    scripts.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const parts = relative(root, path).split(sep);
      listed.add(path);
      return { path, name: parts.join('/'), package: packageOf(parts), size: (await stat(path)).size };
    }),
  );
  return files.sort((a, b) => b.size - a.size);
};

/** The text of one of them, for workers on hosts that do not have it; they get no other file. */
export const textOf = (path) => {
  if (!listed.has(path)) throw new Error(`${path} is not among the files that are looked through.`);
  return readFile(path, 'utf8');
};
