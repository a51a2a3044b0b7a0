// A tutorial as a script: every command of the document runs in one shell, every file is written where its block says, and what a command prints
// must be what the document shows. So the document cannot say what does not work.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A code block of a document. */
export interface CodeBlock {
  readonly language: string;
  /** What stands behind the language: the name of a file, or what a block of commands is for. */
  readonly note: string;
  readonly text: string;
}

/** Commands, and what they print; undefined: the document does not show it. */
export interface ShownCommand {
  readonly commands: string;
  readonly shown: string | undefined;
  readonly printed: string;
}

/** How a document is run. */
export interface TutorialRun {
  /** An empty folder. */
  readonly folder: string;
  readonly checkout: string;
  readonly rpcUrl: string;
}

const RUN_MS_MAX = 240_000;
const MARK = '--- end of block';
const END_OF_FILE = 'END OF THE FILE OF THE TUTORIAL';

/** The code blocks of a markdown text, in their order. */
export function codeBlocksOf(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = '', note = '', text = '']) => ({
    language,
    note,
    text,
  }));
}

/** Runs the document's blocks in their order. Those of the first terminal are the caller's. */
export async function runTutorial(markdown: string, { folder, checkout, rpcUrl }: TutorialRun): Promise<ShownCommand[]> {
  const blocks = codeBlocksOf(markdown);
  const script: string[] = ['set -e'];
  const commands: { readonly text: string; readonly shown: string | undefined }[] = [];
  for (const [place, { language, note, text }] of blocks.entries()) {
    if (language === 'sh' && note !== 'terminal') {
      const next = blocks[place + 1];
      commands.push({ text, shown: next?.language === '' ? next.text : undefined });
      script.push(note === 'settings' ? settingsFor(text, checkout, rpcUrl) : text, `echo '${MARK}'`);
    } else if (language !== 'sh' && note !== '') {
      script.push(`cat > '${note}' <<'${END_OF_FILE}'`, `${text}${END_OF_FILE}`);
    }
  }
  const file = join(folder, 'tutorial.sh');
  writeFileSync(file, `${script.join('\n')}\n`);
  const { stdout } = await promisify(execFile)('bash', [file], {
    cwd: folder,
    timeout: RUN_MS_MAX,
    env: {
      ...process.env,
      HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
      PATH: `${npmWithoutRegistry(folder, checkout)}:${process.env['PATH'] ?? ''}`,
    },
  });
  const printed = stdout.split(`${MARK}\n`);
  return commands.map(({ text, shown }, place) => ({ commands: text, shown, printed: printed[place] ?? '' }));
}

/** Packages that the document installs, by the version that it names. */
export function installedPackages(markdown: string): ReadonlyMap<string, string> {
  const lines = codeBlocksOf(markdown).flatMap(({ text }) => text.split('\n').filter((line) => line.startsWith('npm install')));
  return new Map(
    lines.flatMap((line) => [...line.matchAll(/(\S+)@(\d[\d.]*)/g)].map(([, name = '', version = '']) => [name, version] as const)),
  );
}

/** The version that the checkout has. */
export function versionIn(checkout: string, name: string): string {
  return (JSON.parse(readFileSync(join(checkout, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
}

// The two things that are another's on each machine.
function settingsFor(text: string, checkout: string, rpcUrl: string): string {
  return text.replace(/(?<=COPPICE=).*/, `'${checkout}'`).replace(/(?<=COPPICE_RPC_URL=).*/, rpcUrl);
}

// Tests use no registry: `npm install` takes the packages that the checkout has, which are of the same versions. Anything else is npm's own.
function npmWithoutRegistry(folder: string, checkout: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const npm = join(bin, 'npm');
  const elsewhere = `PATH="\${PATH#${bin}:}"`;
  writeFileSync(
    npm,
    `#!/bin/sh\nif [ "$1" = install ]; then ln -s '${join(checkout, 'node_modules')}' node_modules; else ${elsewhere} exec npm --offline --no-update-notifier "$@"; fi\n`,
  );
  chmodSync(npm, 0o755);
  return bin;
}
