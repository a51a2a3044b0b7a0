// How this node names itself to clients.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

let known: string | undefined;

/** `Coppice/v0.1.0/linux-x64/node24.0.0`: name, version, platform, runtime, as Ethereum clients write it. */
export function clientVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  const path = fileURLToPath(new URL('../../package.json', import.meta.url));
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string };
  return `Coppice/v${version}/${process.platform}-${process.arch}/node${process.versions.node}`;
}
