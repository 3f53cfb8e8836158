#!/usr/bin/env node
// The compiler of the npm registry (solc, compiled to WebAssembly) behind the two options of a native
// solc that py-solc-x uses: --version and --standard-json. The solcjs command of that package prints a
// notice on standard output before the JSON, so it cannot be called directly.
// Where the solc package lies: BAEUM_SOLC_PACKAGE, else node_modules/solc beside this file.
'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const home = process.env.BAEUM_SOLC_PACKAGE || path.join(__dirname, 'node_modules', 'solc');

function compiler() {
  return require(path.join(home, 'index.js'));
}

// Starting WebAssembly only to read the version costs 0.5 s and py-solc-x asks before every compilation.
// Cached per compiler version in the user's temporary folder, written aside and renamed, so that two
// runs at once never read half a file.
function version() {
  const wanted = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8')).version;
  const owner = process.getuid ? process.getuid() : 'all';
  const cached = path.join(os.tmpdir(), `baeum-solc-${owner}-${wanted}`);
  try {
    const stat = fs.lstatSync(cached);
    const text = fs.readFileSync(cached, 'utf8');
    if (stat.isFile() && (!process.getuid || stat.uid === process.getuid()) && text.startsWith(wanted + '+')) {
      return text;
    }
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const found = compiler().version();
  const aside = `${cached}.${process.pid}`;
  try {
    fs.writeFileSync(aside, found, { flag: 'wx', mode: 0o600 });
    fs.renameSync(aside, cached);
  } catch (error) {
    fs.rmSync(aside, { force: true }); // only a cache: the version is known without it
  }
  return found;
}

function write(text) {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
}

const options = process.argv.slice(2);
if (options.includes('--version')) {
  write(`solc, the solidity compiler commandline interface\nVersion: ${version()}\n`);
} else if (options.includes('--standard-json')) {
  // Every source comes with its content; nothing is looked up on disk.
  write(compiler().compile(fs.readFileSync(0, 'utf8')));
} else {
  process.stderr.write(`solc-wasm: only --version and --standard-json are supported, not: ${options.join(' ')}\n`);
  process.exitCode = 1;
}
