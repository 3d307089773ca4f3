import { RemoteManager } from 'offsite';

/** @typedef {import('offsite').Remote<typeof import('./site-module.js')>} SiteModule */

/**
 * Forks a site that the harness closes, and links there what the benches call.
 * @param {import('./harness.js').Harness} harness
 * @param {'virtual' | 'sh'} fork
 * @returns {Promise<SiteModule>}
 */
export const siteModule = (harness, fork) => {
  const manager = harness.own(new RemoteManager({ fork }));
  return /** @type {Promise<SiteModule>} */ (manager.link(new URL('./site-module.js', import.meta.url)));
};
