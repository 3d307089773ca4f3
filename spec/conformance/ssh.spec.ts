import { inject } from 'vitest';
import { conformance } from './conformance.ts';

const ssh = inject('ssh');

conformance(
  'ssh',
  () => {
    if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
    return { fork: 'ssh', host: ssh.host, sshOptions: ssh.options };
  },
  () => ssh.unavailable,
);
