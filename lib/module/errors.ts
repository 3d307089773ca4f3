import { nameError, OffsiteError } from '../wire/errors.ts';

const quoted = (names: readonly string[]) => {
  const all = names.map((name) => `\`${name}\``);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
};

/** What was given to `functor()` can't be turned into source text that a site could run; `ERR_OFFSITE_FUNCTOR`. */
export class FunctorError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_FUNCTOR', message, options);
  }
}
nameError(FunctorError, 'FunctorError');

/** A functor's body, or a function, uses variables that its source text does not carry along; `ERR_OFFSITE_FREE_VARIABLE`. */
export class FreeVariableError extends OffsiteError {
  /** The free variables in the order of their first use; `this` among them if an arrow function captures it. */
  readonly names: string[];

  /** `of` is what uses them. */
  constructor(names: readonly string[], options?: ErrorOptions, of: 'functor' | 'function' = 'functor') {
    const [live, them] = names.length === 1 ? ['lives', 'it'] : ['live', 'them'];
    // Nobody wrote `__vi_import_0__` or `__awaiter`, so whoever reads that name needs to know where it is from.
    const compiled = names.some((name) => name.startsWith('__'))
      ? ' (A name with two underscores in front is what a compiler made of an import statement, or a helper it uses.)'
      : '';
    const uses = `uses ${quoted(names)}, which ${live} only in this process`;
    const message =
      of === 'functor'
        ? `The functor's body ${uses}; import ${them}, pass ${them} as arguments of a call, or define ${them} inside the body.`
        : `The function ${uses}, and travels as its text; pass ${them} as arguments, define ${them} inside, or put the function into a module and name it with functionsOf().`;
    super('ERR_OFFSITE_FREE_VARIABLE', `${message}${compiled}`, options);
    this.names = [...names];
  }
}
nameError(FreeVariableError, 'FreeVariableError');

/** A module was entered under a key that a site's module table already holds; `ERR_OFFSITE_KEY_TAKEN`. */
export class KeyTakenError extends OffsiteError {
  /** The key as the module table holds it: a URL or a name. */
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(
      'ERR_OFFSITE_KEY_TAKEN',
      `The site already has a module under \`${key}\`, and what others may have linked is never replaced; ` +
        'enter the module before anything links or imports that key, or choose another key.',
      options,
    );
    this.key = key;
  }
}
nameError(KeyTakenError, 'KeyTakenError');

/** A module has native code, which can't be sent to another host; `ERR_OFFSITE_NATIVE_ADDON`. */
export class NativeAddonError extends OffsiteError {
  constructor(name: string, specifier: string, importer: string, options?: ErrorOptions) {
    super(
      'ERR_OFFSITE_NATIVE_ADDON',
      `${importer} imports '${specifier}', but ${name} has native code, which is made for one kind of machine and is ` +
        `never sent; install ${name} on the site, in its folder (option \`cwd\`) or one around it.`,
      options,
    );
  }
}
nameError(NativeAddonError, 'NativeAddonError');

/** A site asked for a file that is not served to it; `ERR_OFFSITE_NOT_SERVED`. */
export class NotServedError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_NOT_SERVED', message, options);
  }
}
nameError(NotServedError, 'NotServedError');

/** A TypeScript file can't be turned into JavaScript; `ERR_OFFSITE_TYPESCRIPT`. */
export class TypeScriptError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_TYPESCRIPT', message, options);
  }
}
nameError(TypeScriptError, 'TypeScriptError');
