import { describe, expect, it } from 'vitest';
import { hostOfEachSite, parseHosts } from '../../../lib/cli/map/hosts.ts';
import { UsageError } from '../../../lib/cli/report.ts';

describe('hosts', () => {
  it('takes a host a line, a number behind it, comments and empty lines', () => {
    const text = '# the big ones\nbamse 3\r\n\n  mary@skalman:2222   # slow\n';
    expect(parseHosts(text, 1, 'hosts.txt')).toEqual(['bamse', 'bamse', 'bamse', 'mary@skalman:2222']);
  });

  it.each(['bamse many', 'bamse 0', 'bamse 2 3'])('refuses the line %j and says which it is', (line) => {
    expect(() => parseHosts(`ok\n${line}\n`, 1, 'hosts.txt')).toThrow(/^Line 2 of hosts\.txt/);
  });

  it('orders the sites so that hosts take turns', () => {
    expect(hostOfEachSite({ hosts: ['a', 'b'], file: undefined, sites: 2 })).toEqual(['a', 'b', 'a', 'b']);
  });

  it('is this host unless one is named', () => {
    expect(hostOfEachSite({ hosts: [], file: undefined, sites: 2 })).toEqual(['localhost', 'localhost']);
  });

  it('refuses a file that is not there', () => {
    expect(() => hostOfEachSite({ hosts: [], file: '/nowhere/hosts', sites: 1 })).toThrow(UsageError);
  });
});
