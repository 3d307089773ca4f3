import { register } from 'node:module';

/** What the hooks are told. */
export interface HookData {
  /** Where this package's own modules are, by the names under which scripts import them. */
  readonly own: Readonly<Record<string, string>>;
}

const here = import.meta.url;
const extension = here.endsWith('.ts') ? '.ts' : '.js';

/**
 * Lets this process import TypeScript, whichever version of Node.js it is, as sites can: enums too, and `./x.js` for
 * `x.ts`. A script that lies where `offsite` is not installed finds the one that runs it.
 */
export const importTypeScript = (): void => {
  const own = (file: string) => new URL(`../../${file}${extension}`, here).href;
  const data: HookData = {
    own: { offsite: own('index'), 'offsite/cluster': own('cluster'), 'offsite/site': own('site') },
  };
  register(new URL(`./hooks${extension}`, here), { data });
};
