import { readFileSync, statSync } from 'node:fs';
import { BRIDGE_WORD } from '../engine/detached/order.ts';
import { BOOT_WORD, INPUT_DESCRIPTOR, OUTPUT_DESCRIPTOR } from '../engine/protocol.ts';
import { type EngineFile, engineFile } from './engine-file.ts';
import type { ForkRequest } from './fork-method.ts';

/**
 * What `node -e` runs on a host that has nothing but Node: it takes the engine from the user's cache if the hash is
 * right, and else from stdin, keeping it for the next time where it may. On this host it takes the manager's own file
 * if that is still the one that the manager has read: a hash would tell no more, and the first one in a process takes
 * 2 ms. Without single quotes and line feeds, so that every shell passes it on as it is.
 */
const FIRST_STAGE =
  // In a block, because what a text of `node -e` declares is visible in all that is loaded later.
  '{' +
  [
    'const[,h,n,o,t]=process.argv,f=require("fs"),M=require("module")',
    // In two halves, because Node loads the whole module before it runs a text that has its name.
    's=b=>require("cry"+"pto").createHash("sha256").update(b).digest("hex")',
    `i=new(require("net").Socket)({fd:${INPUT_DESCRIPTOR},readable:true,writable:false})`,
    'r=(b,x)=>{const m=new M(q);m.filename=q;m.paths=[];m._compile(b.toString(),q);if(x.length)i.unshift(x);m.exports.start(i,b)}',
    'k=b=>{try{f.mkdirSync(d,{recursive:true,mode:448});const t=q+"."+process.pid;f.writeFileSync(t,b,{mode:384});f.renameSync(t,q)}catch{}}',
  ].join(',') +
  ';let e=null,q=o,d;try{if(t===String(f.statSync(o).ctimeMs))e=f.readFileSync(o)}catch{}' +
  'if(e===null){const p=require("path");d=p.join(process.env.XDG_CACHE_HOME||p.join(require("os").homedir(),".cache"),"offsite");' +
  'q=p.join(d,"engine-"+h+".cjs");try{e=f.readFileSync(q);if(s(e)!==h)e=null}catch{}}' +
  `f.writeSync(${OUTPUT_DESCRIPTOR},"${BOOT_WORD}"+JSON.stringify({node:process.versions.node,pid:process.pid,engine:e!==null})+"\\n");` +
  'if(e)r(e,"");else{let a=[],l=0;const z=()=>process.exit(3),g=c=>{a.push(c);l+=c.length;if(l<+n)return;i.off("data",g);i.off("end",z);i.pause();' +
  'const w=Buffer.concat(a),b=w.subarray(0,+n);if(s(b)!==h){console.error("offsite: the engine arrived damaged");process.exit(66)}' +
  'k(b);r(b,w.subarray(+n))};i.on("data",g);i.on("end",z)}}';

/** By its path, because a host's PATH may have nothing but `node`; every POSIX system has it there. */
export const SHELL = '/bin/sh';
/** Where the few tools are that POSIX promises. */
export const STANDARD_PATH = '/usr/bin:/bin';

/**
 * Moves the real stdin and stdout to descriptors that user code does not know, so that nothing it prints or reads,
 * native code and grandchildren included, can damage the link; then becomes the engine.
 */
const MOVE = `${INPUT_DESCRIPTOR}<&0 ${OUTPUT_DESCRIPTOR}>&1 0</dev/null 1>&2`;

/**
 * Becomes Node: the one that was named, or else the one that the user's login shell knows, because nvm, fnm, volta and
 * asdf put theirs on the PATH in start-up files that a non-interactive shell does not read.
 */
const RUN_NODE = [
  'name=$1; shift',
  // A path is taken as it is, because each `$(…)` is one more process.
  `case $name in */*) node=$name ;; *) node=$(command -v "$name") || node=$("\${SHELL:-/bin/sh}" -lic "command -v node" 2>/dev/null </dev/null | PATH=$PATH:${STANDARD_PATH} tail -n 1) ;; esac`,
  '[ -x "$node" ] || { echo "offsite: node not found: $name on the PATH $PATH, nor by the login shell ${SHELL:-/bin/sh}" >&2; exit 127; }',
  `exec "$node" "$@" ${MOVE}`,
].join('; ');

let own: readonly string[] | undefined;

/** The manager's own engine file, and when it was last changed or replaced; nothing if it can't be read in place. */
const ownFile = ({ path, bytes }: EngineFile): readonly string[] => {
  if (own) return own;
  own = [];
  if (path === undefined) return own;
  try {
    const stamp = String(statSync(path).ctimeMs);
    // It may have been replaced since the manager read it.
    if (readFileSync(path).equals(bytes)) own = [path, stamp];
  } catch {
    // It is gone, or lies in an archive.
  }
  return own;
};

/** An engine that is wanted, perhaps another one than this program's own. */
export interface WantedEngine {
  /** SHA-256 of its text, in hexadecimal. */
  readonly hash: string;
  /** In bytes. */
  readonly size: number;
  /** Options of Node.js. */
  readonly execArgv: readonly string[];
  /** Whether it is no site but a bridge. */
  readonly bridge: boolean;
}

/** The words of Node itself and of what it runs; `here` if that is on this host. */
export const nodeWords = (
  { hash, size, execArgv, bridge }: WantedEngine,
  node: string,
  here: boolean,
): string[] => {
  const words = [node, ...execArgv, '-e', FIRST_STAGE, hash, String(size)];
  const file = engineFile();
  if (here && file.hash === hash) words.push(...ownFile(file));
  if (bridge) words.push(BRIDGE_WORD);
  return words;
};

const wanted = ({ execArgv, order }: ForkRequest): WantedEngine => {
  const { hash, bytes } = engineFile();
  return { hash, size: bytes.length, execArgv, bridge: order !== undefined };
};

/**
 * The words of a command on this host that is the engine, without a shell, whose start takes a millisecond; `undefined`
 * if Node has to be looked for, or another engine is wanted.
 */
export const directWords = (request: ForkRequest): string[] | undefined =>
  process.env.OFFSITE_ENGINE || request.engine === 'installed' || request.nodePath !== undefined
    ? undefined
    : nodeWords(wanted(request), process.execPath, true);

/** The words of a command that becomes the engine: `sh`, `-c` and the rest; `here` if it is run on this host. */
export const engineWords = (request: ForkRequest, node: string, here = false): string[] => {
  const { OFFSITE_ENGINE: command } = process.env;
  if (command || request.engine === 'installed') {
    // The user's own words, which may be several; a shell splits them.
    const bridges = request.order ? ` ${BRIDGE_WORD}` : '';
    return [SHELL, '-c', `exec ${command || 'offsite engine'}${bridges} ${MOVE}`];
  }
  return [SHELL, '-c', RUN_NODE, 'offsite', ...nodeWords(wanted(request), node, here)];
};

/** A word that every shell takes as it is. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** The same command as one line for a login shell, beginning with `exec`. */
export const engineLine = (request: ForkRequest): string =>
  `exec ${engineWords(request, request.nodePath ?? 'node')
    .map(quote)
    .join(' ')}`;
