// The image and the compose file where no engine can build them: what can be seen from their text alone.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CONFIG_SETTINGS, environmentName } from '../../src/node/config.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of a Dockerfile, continued lines joined. */
function instructionsOf(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => ({ name: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }));
}

describe('the Dockerfile', () => {
  const instructions = instructionsOf(read('Dockerfile'));
  const all = (name: string): string[] => instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
  const stage = (name: string): Instruction[] => {
    const start = instructions.findIndex(({ name: word, rest }) => word === 'FROM' && rest.endsWith(` AS ${name}`));
    const end = instructions.findIndex(({ name: word }, index) => word === 'FROM' && index > start);
    return instructions.slice(start, end < 0 ? undefined : end);
  };

  it('uses known instructions only', () => {
    const known = 'ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK RUN STOPSIGNAL USER VOLUME WORKDIR'.split(' ');
    assert.deepEqual(
      instructions.filter(({ name }) => !known.includes(name)),
      [],
    );
  });

  it('pins its base image to the Node that package.json pins', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    assert.deepEqual(all('ARG'), [`NODE_IMAGE=node:${dependencies['node']}-bookworm-slim`]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how Docker writes it.
    assert.deepEqual(all('FROM'), ['${NODE_IMAGE} AS build', '${NODE_IMAGE} AS runtime']);
  });

  it('copies only what exists and what .dockerignore lets in', () => {
    const sources = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    const permitted = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    assert.ok(sources.length > 0);
    for (const source of sources) assert.ok(existsSync(join(PROJECT, source)), `${source} does not exist`);
    assert.deepEqual([...new Set(sources)].sort(), [...permitted].sort());
  });

  it('runs as an ordinary user, under tini, with a health check', () => {
    const runtime = stage('runtime');
    const names = runtime.map(({ name }) => name);
    assert.ok(names.indexOf('USER') > names.lastIndexOf('RUN'), 'everything after the last RUN is the user’s');
    assert.equal(runtime.find(({ name }) => name === 'USER')?.rest, 'node');
    assert.deepEqual(JSON.parse(runtime.find(({ name }) => name === 'ENTRYPOINT')?.rest ?? ''), ['tini', '--', 'coppice']);
    const check = runtime.find(({ name }) => name === 'HEALTHCHECK')?.rest ?? '';
    const command = JSON.parse(check.slice(check.indexOf('['))) as string[];
    assert.match(command[2] ?? '', /\/health/);
    assert.doesNotThrow(() => new Function(command[2] ?? ''));
  });
});

describe('the compose file', () => {
  const lines = read('devnet/compose.yaml').split('\n');

  it('is indented by spaces, in steps of two', () => {
    assert.deepEqual(
      lines.filter((line) => /\t/.test(line) || (/^ */.exec(line)?.[0].length ?? 0) % 2 === 1),
      [],
    );
  });

  it('has four validators, each with its own folder and metrics port, on one network', () => {
    const text = lines.join('\n');
    for (let validator = 0; validator < 4; validator++) {
      const service = text.slice(text.indexOf(`\n  validator-${validator}:`)).split(/\n(?= {0,2}\S)/)[1] ?? '';
      assert.match(service, /<<: \*validator/);
      assert.match(service, new RegExp(`"--data-dir", "/data/network/validator-${validator}"`));
      assert.match(service, new RegExp(`COPPICE_METRICS_PORT: "${10_545 + validator}"`));
    }
    assert.match(text, /network_mode: service:network/);
  });

  it('sets only what a node reads', () => {
    const known = CONFIG_SETTINGS.map(({ flag }) => environmentName(flag));
    const set = lines.join('\n').match(/COPPICE_[A-Z_0-9]+/g) ?? [];
    assert.ok(set.length > 0);
    assert.deepEqual(
      set.filter((name) => !known.includes(name)),
      [],
    );
  });
});
