import { registerType } from '../../wire/codec/register.ts';
import { shared } from '../../wire/shared.ts';
import { memberOf } from '../current.ts';
import { ClusterClosedError } from '../errors.ts';
import { type Handle, type HandleText, isHandle } from './handle.ts';

/** Lets handles cross; once, for all copies of this code. */
export const registerHandles = (): void => {
  shared('clusterHandles', () => {
    registerType<Handle, HandleText>({
      name: 'offsite.ClusterReference',
      isApplicable: (value) => isHandle(value),
      serialize: (handle) => handle.lend(),
      deserialize: (text) => {
        const member = memberOf(text.cluster);
        if (member) return member.references.receive(text);
        throw new ClusterClosedError(
          `A ${text.kind === 'future' ? 'Future' : 'RemoteChannel'} of the cluster ${text.cluster} arrived, and this process is not in that cluster (any more).`,
        );
      },
    });
    return {};
  });
};
