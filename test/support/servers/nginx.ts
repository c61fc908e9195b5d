import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { TemporaryFolder } from '../files/temporary-folder.ts';
import { eventually } from '../processes/eventually.ts';
import { registerStarted } from '../runner/leftovers.ts';

/** Returns why nginx cannot be used on this machine; undefined when it can. */
export function nginxMissing(): string | undefined {
  return spawnSync('nginx', ['-v']).error === undefined ? undefined : 'nginx is not installed';
}

/**
 * Starts nginx, as one process, with the contents of its `http` block; resolves when the port accepts connections.
 * @param port a port that the configuration listens on, and that answers GET
 */
export async function startNginx(http: string, port: number): Promise<AsyncDisposable> {
  const folder = new TemporaryFolder();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(folder.join(name));
    return `${name}_temp_path ${folder.join(name)};`;
  });
  writeFileSync(
    folder.join('nginx.conf'),
    `daemon off; master_process off; pid ${folder.join('pid')}; error_log ${folder.join('error.log')};
    events {}
    http { access_log off; ${paths.join(' ')} ${http} }`,
  );
  const args = ['-p', folder.path, '-c', folder.join('nginx.conf'), '-e', folder.join('error.log')];
  const child = spawn('nginx', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    noteEnded();
    folder[Symbol.dispose]();
  };
  const noteEnded = registerStarted('nginx', stop);
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer !== undefined;
  });
  return { [Symbol.asyncDispose]: stop };
}
