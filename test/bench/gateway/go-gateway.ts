import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const protos = fileURLToPath(new URL('../../../proto/', import.meta.url));
const source = fileURLToPath(new URL('../peers/go-gateway/', import.meta.url));
const files = readdirSync(join(protos, 'archivos', 'v1')).map((name) => `archivos/v1/${name}`);

/** Debian's Go packages are not modules, so Go finds them by GOPATH. */
const debian = '/usr/share/gocode';

/** Go package of each proto. */
const packages = [
  ...files.map((file) => `M${file}=archivos/v1`),
  'Mgoogle/protobuf/timestamp.proto=github.com/golang/protobuf/ptypes/timestamp',
].join(',');

/**
 * Builds a Go grpc-gateway to mserv1 from Debian's packages in `folder`; returns the program's path. Its code generator is
 * older than `optional` in proto3, so that word is removed from the protos. The bytes on the wire do not change.
 */
export function buildGoGateway(folder: string): string {
  const own = join(folder, 'gopath', 'src');
  for (const file of files) {
    const text = readFileSync(join(protos, file), 'utf8').replaceAll(/^(\s*)optional /gm, '$1');
    mkdirSync(join(folder, 'proto', 'archivos', 'v1'), { recursive: true });
    writeFileSync(join(folder, 'proto', file), text);
  }
  mkdirSync(own, { recursive: true });
  cpSync(source, join(own, 'peer'), { recursive: true });

  const plugin = join(folder, 'protoc-gen-grpc-gateway');
  const program = join(folder, 'go-gateway');
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOFLAGS: '',
    GOPATH: `${join(folder, 'gopath')}:${debian}`,
    GOCACHE: process.env['GOCACHE'] ?? join(folder, 'cache'),
  };
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  run('go', ['build', '-o', plugin, 'github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway']);
  run('protoc', [
    '-Iproto',
    `--plugin=${plugin}`,
    `--go_out=plugins=grpc,${packages}:${own}`,
    `--grpc-gateway_out=${packages},grpc_api_configuration=${join(source, 'api.yaml')}:${own}`,
    ...files,
  ]);
  run('go', ['build', '-o', program, 'peer']);
  return program;
}
