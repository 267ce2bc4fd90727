// What may stand on the command line, and which command it leads to. Anything else is refused by one line.

import yargs, { type Argv as Yargs } from 'yargs';
import { UsageError } from '../errors.ts';
import { createCommand, dropCommand, listCommand, showCommand } from './baseline.ts';
import { loadConfigFile } from './config-file.ts';
import { demoCommand } from './demo.ts';
import { EXIT_CLEAN, EXIT_USAGE } from './exit-code.ts';
import { explainCommand } from './explain.ts';
import { DEMO_EPILOGUE, GENERAL_EPILOGUE, SCAN_EPILOGUE, SWEEP_EPILOGUE, tidyHelp } from './help-text.ts';
import { inspectCommand } from './inspect.ts';
import { type OptionName, SCAN_NAMES, SWEEP_NAMES, yargsOptions } from './option-table.ts';
import { scanCommand } from './scan.ts';
import { type Argv, readSettings, type Settings } from './settings.ts';
import { sweepCommand } from './sweep.ts';
import { columnsOf, writeLines } from './terminal.ts';
import { troubleLines } from './trouble.ts';
import { refuseOddFlags, usageErrorOf } from './usage-error.ts';
import type { World } from './world.ts';

const IMAGE_NAMES: OptionName[] = ['with', 'allow-backing', 'replay'];
const CREATE_NAMES: OptionName[] = [
  ...IMAGE_NAMES,
  'host',
  'include',
  'exclude',
  'cross-mounts',
  'store',
  'jobs',
  'force',
  'quiet',
  'verbose',
];
const EXPLAIN_NAMES = SCAN_NAMES.filter(name => !['json', 'fail-on', 'allow-partial', 'resume'].includes(name));
const STORE_NAMES: OptionName[] = ['store'];

const PARSER = {
  'boolean-negation': true,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
};

type Act = (settings: Settings, world: World) => Promise<number>;

/** Runs one command line (without node and script); gives the exit code. Never throws: trouble is printed. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  try {
    return await obey(argv, world);
  } catch (error) {
    await writeLines(world.stderr, troubleLines(error, argv.includes('--verbose')));
    return EXIT_USAGE;
  }
}

async function obey(argv: readonly string[], world: World): Promise<number> {
  if (argv.length === 0)
    throw new UsageError('say what to do, for example: lostwrite scan /    (lostwrite --help tells more)');
  refuseOddFlags(argv);
  let chosen: { argv: Argv; act: Act } | null = null;
  let help = '';
  const choose = (act: (given: Argv) => Act) => (given: Argv) => {
    chosen = { argv: given, act: act(given) };
  };
  const parser = describeCommands(yargs([]), choose)
    .version(world.version)
    .wrap(Math.min(columnsOf(world.stdout), 100))
    .fail((message, error) => {
      if (error && error.name !== 'YError') throw error;
      throw usageErrorOf(message ?? error.message, argv);
    });
  await parser.parseAsync([...argv], {}, (_error, _given, output) => {
    help = output;
  });
  if (chosen === null) {
    await writeLines(world.stdout, [tidyHelp(help)]);
    return EXIT_CLEAN;
  }
  return await act(chosen, world);
}

async function act({ argv, act }: { argv: Argv; act: Act }, world: World): Promise<number> {
  const named = argv.config;
  if (Array.isArray(named)) throw new UsageError(`--config was given ${named.length} times`);
  const config = loadConfigFile(world.cwd, named === undefined ? null : String(named));
  return await act(readSettings(argv, config), world);
}

function describeCommands(parser: Yargs, choose: (act: (given: Argv) => Act) => (given: Argv) => void): Yargs {
  return parser
    .scriptName('lostwrite')
    .locale('en')
    .parserConfiguration(PARSER)
    .usage(
      'lostwrite finds the files that a storage incident with lost writes has damaged.\n\nUsage: $0 COMMAND [options]',
    )
    .command(
      'scan <TARGET..>',
      'Look for damage in a directory, a disk image or a block device',
      scanUsage,
      choose(scanAct),
    )
    .command('sweep <FILE>', 'Scan all targets of a list, and merge what was found', sweepUsage, choose(sweepAct))
    .command('baseline', 'Keep states of a target to compare with later', yargs => baselineUsage(yargs, choose))
    .command('inspect <TARGET>', 'Tell what a target is made of', inspectUsage, choose(inspectAct))
    .command('explain <TARGET> <PATH>', 'Tell everything known of one path', explainUsage, choose(explainAct))
    .command(
      'demo',
      'Make a real incident in a temporary place, and scan it',
      demoUsage,
      choose(() => demoCommand),
    )
    .demandCommand(1, 'say what to do: scan, sweep, baseline, inspect, explain or demo')
    .epilogue(GENERAL_EPILOGUE)
    .help()
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false);
}

function common(yargs: Yargs, names: readonly OptionName[]): Yargs {
  return yargs.options(yargsOptions(names)).option('config', {
    type: 'string',
    requiresArg: true,
    describe: 'Read options from this file (default: lostwrite.config.json or .yaml in the current directory)',
  });
}

function scanUsage(yargs: Yargs): Yargs {
  return common(yargs, SCAN_NAMES)
    .positional('TARGET', {
      type: 'string',
      array: true,
      describe: 'Directory, disk image, block device, or image.qcow2@SNAPSHOT',
    })
    .epilogue(SCAN_EPILOGUE);
}

function sweepUsage(yargs: Yargs): Yargs {
  return common(yargs, SWEEP_NAMES)
    .positional('FILE', { type: 'string', describe: 'List of targets: YAML, JSON or CSV' })
    .epilogue(SWEEP_EPILOGUE);
}

function sweepAct(given: Argv): Act {
  return (settings, world) => sweepCommand(text(given, 'FILE'), settings, world);
}

function inspectUsage(yargs: Yargs): Yargs {
  return common(yargs, ['host', ...IMAGE_NAMES])
    .positional('TARGET', { type: 'string', describe: 'Disk image, block device, image.qcow2@SNAPSHOT, or directory' })
    .option('json', { type: 'boolean', describe: 'Print JSON' });
}

function inspectAct(given: Argv): Act {
  return (settings, world) =>
    inspectCommand({ target: text(given, 'TARGET'), json: given.json === true }, settings, world);
}

function explainUsage(yargs: Yargs): Yargs {
  return common(yargs, EXPLAIN_NAMES)
    .positional('TARGET', { type: 'string', describe: 'What was scanned' })
    .positional('PATH', { type: 'string', describe: 'Path within it, as the summary shows it (\\xff is a byte)' });
}

function demoUsage(yargs: Yargs): Yargs {
  return common(yargs, ['json', 'quiet', 'verbose']).epilogue(DEMO_EPILOGUE);
}

function scanAct(given: Argv): Act {
  return (settings, world) => scanCommand(texts(given.TARGET), settings, world);
}

function explainAct(given: Argv): Act {
  return (settings, world) => explainCommand(text(given, 'TARGET'), text(given, 'PATH'), settings, world);
}

function baselineUsage(yargs: Yargs, choose: (act: (given: Argv) => Act) => (given: Argv) => void): Yargs {
  const json = { type: 'boolean', describe: 'Print JSON' } as const;
  return yargs
    .command('create <TARGET>', 'Remember the state of a target', createUsage, choose(createAct))
    .command('list', 'List the baselines', listed => common(listed, STORE_NAMES).option('json', json), choose(listAct))
    .command(
      'show <NAME>',
      'List the states of one baseline',
      shown => common(shown, STORE_NAMES).option('json', json),
      choose(showAct),
    )
    .command(
      'drop <WHAT>',
      'Drop a baseline, NAME, or one of its states, NAME@TIME',
      dropped => common(dropped, [...STORE_NAMES, 'quiet']),
      choose(dropAct),
    )
    .demandCommand(1, 'say what to do with baselines: create, list, show or drop');
}

function createUsage(yargs: Yargs): Yargs {
  return common(yargs, CREATE_NAMES)
    .positional('TARGET', { type: 'string', describe: 'Directory, disk image or block device' })
    .option('name', { type: 'string', requiresArg: true, demandOption: true, describe: 'Name of the baseline' })
    .option('at', {
      type: 'string',
      requiresArg: true,
      describe: 'The time that this state stands for (default: now; of an image: when it was last written)',
    });
}

function createAct(given: Argv): Act {
  const at = given.at === undefined ? null : text(given, 'at');
  return (settings, world) =>
    createCommand({ target: text(given, 'TARGET'), name: text(given, 'name'), at }, settings, world);
}

function listAct(given: Argv): Act {
  return (settings, world) => listCommand({ json: given.json === true }, settings, world);
}

function showAct(given: Argv): Act {
  return (settings, world) => showCommand(text(given, 'NAME'), { json: given.json === true }, settings, world);
}

function dropAct(given: Argv): Act {
  return (settings, world) => dropCommand(text(given, 'WHAT'), settings, world);
}

function text(given: Argv, name: string): string {
  const value = given[name];
  if (Array.isArray(value)) throw new UsageError(`--${name} was given ${value.length} times`);
  return String(value);
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}
