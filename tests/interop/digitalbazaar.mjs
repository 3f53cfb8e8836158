// Digital Bazaar's packages as an independent verifier and issuer of what our credentials are.
//
//   node digitalbazaar.mjs verify CREDENTIAL CONTEXTS [LISTS]   {"verified": true}
//   node digitalbazaar.mjs issue UNSIGNED CONTEXTS              the signed credential
//   node digitalbazaar.mjs canonize DOCUMENT CONTEXTS           its canonical N-Quads
//
// CONTEXTS is a folder with INDEX.tsv (url, file, …); LISTS a JSON file of status list credentials
// by URL. Everything is read from these files.
import './offline.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalcredentials/vc-bitstring-status-list';
import {identified, json, localLoader} from './local.mjs';

const [, , command, file, folder, lists] = process.argv;
const documentLoader = localLoader(folder, lists ? json(lists) : {});

async function verify() {
  const credential = json(file);
  const suite = new DataIntegrityProof({cryptosuite});
  const result = await vc.verifyCredential({
    credential,
    suite,
    documentLoader,
    checkStatus: lists && (options => checkStatus({...options, suite, documentLoader}))
  });
  const errors = [result.error, ...(result.error?.errors ?? [])]
    .filter(Boolean)
    .map(error => `${error.name}: ${error.message}`);
  const status = result.statusResult && {verified: result.statusResult.verified};
  return {verified: result.verified, errors, status};
}

async function issue() {
  const key = await identified(await Ed25519Multikey.generate({}));
  const credential = json(file);
  credential.issuer.id = key.controller;
  const suite = new DataIntegrityProof({
    signer: {...key.signer(), id: key.id},
    date: '2026-11-23T00:00:00Z',
    cryptosuite
  });
  return vc.issue({credential, suite, documentLoader});
}

async function canonize() {
  const text = await cryptosuite.canonize(json(file), {documentLoader, safe: true});
  return {nquads: text};
}

const commands = {verify, issue, canonize};
try {
  process.stdout.write(JSON.stringify(await commands[command]()));
} catch(error) {
  process.stdout.write(JSON.stringify({error: `${error.name}: ${error.message}`}));
}
