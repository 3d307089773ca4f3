import type { SiteService } from '../../lib/engine/site-service.ts';
import { FunctorError } from '../../lib/module/errors.ts';
import {
  type Functor,
  type FunctorImports,
  functorScript,
  isFunctor,
} from '../../lib/module/functor-text.ts';
import { namesOf, remoteNames } from '../../lib/module/names.ts';
import type { Remote, RemoteReference } from '../../lib/module/remote.ts';
import type { SourceService } from '../../lib/module/source/service.ts';
import { linkAll, Sources } from '../../lib/module/source/sources.ts';
import type { LinkWish } from '../../lib/module/table.ts';
import { bound } from '../../lib/wire/call/bound.ts';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import { byReference, referenceOf } from '../../lib/wire/reference/reference.ts';
import type { Session } from '../../lib/wire/session.ts';
import { describeKey, type ModuleTarget, moduleKey } from './module-target.ts';
import { checkLinkOptions, type LinkOptions } from './options.ts';

/** What a site's modules are reached through. */
interface ModulesOf {
  /** The site's name, in errors. */
  readonly name: string;
  /** Folders that the site may read here, beside what is linked. */
  readonly serve: readonly string[];
  /** Whether the site has this disk. */
  sharesDisk(): boolean;
  /** Made after this, because it offers this to the site. */
  session(): Session;
}

/** The modules of a site, as its manager puts them there: what `RemoteManager` says of each holds. */
export class Modules {
  readonly #of: ModulesOf;
  readonly #sources: Sources;

  constructor(of: ModulesOf) {
    this.#of = of;
    this.#sources = new Sources(of.serve, of.sharesDisk);
  }

  /** All that is for the site to call: what it may read is decided here. */
  get main(): SourceService {
    return {
      describe: (...args) => this.#sources.describe(...args),
      resolve: (...args) => this.#sources.resolve(...args),
      sources: (hashes) => this.#sources.sources(hashes),
    };
  }

  link<M extends object>(target: ModuleTarget, options: LinkOptions): RemoteReference<M> {
    const { origin, fresh } = checkLinkOptions(options);
    const key = moduleKey(target);
    if (origin !== 'site') this.#sources.link(key, origin === 'parent');
    const wish: LinkWish | undefined = origin || fresh ? { origin, fresh } : undefined;
    const linked = wish ? this.#service.link(key, wish) : this.#service.link(key);
    return bound(
      linked as unknown as RemoteReference<M>,
      `Linking ${describeKey(key)} in ${this.#of.name}`,
      options,
    );
  }

  apply<I extends FunctorImports, M extends object>(
    functor: Functor<I, M>,
    base: ModuleTarget | undefined,
    options: CallOptions | undefined,
  ): RemoteReference<M> {
    if (!isFunctor(functor)) {
      throw new FunctorError(`Only a functor can be applied in a site; make one with functor(…) first.`);
    }
    const text = { import: functor.import, script: functorScript(functor) };
    const key = base === undefined ? undefined : moduleKey(base);
    if (key) this.#sources.link(key);
    linkAll(this.#sources, Object.values(functor.import));
    return bound(
      this.#service.apply(text, key) as unknown as RemoteReference<M>,
      `Applying a functor in ${this.#of.name}`,
      options,
    );
  }

  async enter(target: ModuleTarget, module: object, options: CallOptions | undefined): Promise<void> {
    const key = moduleKey(target);
    const names = referenceOf(module) ? await remoteNames(module, this.#of.session()) : namesOf(module);
    const entered = names
      ? this.#service.enter(key, byReference(module), names)
      : this.#service.enter(key, module);
    await bound(entered, `Entering ${describeKey(key)} in ${this.#of.name}`, options);
  }

  async forget(target: ModuleTarget, options: CallOptions | undefined): Promise<void> {
    const key = moduleKey(target);
    await bound(this.#service.forget(key), `Forgetting ${describeKey(key)} in ${this.#of.name}`, options);
  }

  get #service(): Remote<SiteService> {
    return this.#of.session().main as unknown as Remote<SiteService>;
  }
}
