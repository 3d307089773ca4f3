import { Loader, type Parent } from './loader.ts';

/** A loader for a site whose own folder is the URL `folder`; see `Loader`. */
export const makeLoader = (parent: Parent, sameDisk: boolean, folder: string): Loader =>
  new Loader(parent, sameDisk, folder);
