// What a platform without native builds gets, in a process in which the native packages cannot be loaded.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';

const NATIVE_DIRECTORY = new URL('../../src/runtime/native/', import.meta.url);

// A process of its own, in which the named packages cannot be loaded: as on a platform without a build.
function runWithout(packages: readonly string[], script: string): string {
  const hook = `
    import Module from 'node:module';
    const load = Module._load;
    const missing = ${JSON.stringify(packages)};
    Module._load = function (name, ...rest) {
      if (missing.some((part) => name.includes(part))) throw new Error('no native build');
      return load.call(this, name, ...rest);
    };`;
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`;
  return execFileSync(process.execPath, ['--import', preload, '--input-type=module', '--eval', script], { encoding: 'utf8' });
}

describe('crypto without native builds', () => {
  it('falls back where nothing native loads, and never to a slow stand-in unseen', () => {
    const script = `
      const { selectCrypto } = await import(${JSON.stringify(new URL('select-crypto.ts', NATIVE_DIRECTORY).href)});
      const { installHashtree } = await import(${JSON.stringify(new URL('ssz-hashtree.ts', NATIVE_DIRECTORY).href)});
      console.log(JSON.stringify([await installHashtree(), selectCrypto({ disableNative: false }).describe]));`;
    const [trees, described] = JSON.parse(runWithout(['blst', 'node-gyp-build', 'hashtree'], script));
    assert.equal(trees, '@chainsafe/as-sha256');
    assert.equal(described.bls, '@noble/curves');
    assert.equal(described.secp256k1, '@noble/curves');
    assert.equal(described.sha256, '@chainsafe/as-sha256');
  });
});
