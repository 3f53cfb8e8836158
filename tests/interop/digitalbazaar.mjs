// Digital Bazaar's packages as an independent verifier and issuer of what our credentials are.
//
//   node digitalbazaar.mjs verify CREDENTIAL CONTEXTS [LISTS]   {"verified": true}
//   node digitalbazaar.mjs issue UNSIGNED CONTEXTS              the signed credential
//   node digitalbazaar.mjs canonize DOCUMENT CONTEXTS           its canonical N-Quads
//
// CONTEXTS is a folder with INDEX.tsv (url, file, …); LISTS a JSON file of status list credentials
// by URL. Everything is read from these files.
import './offline.mjs';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalcredentials/vc-bitstring-status-list';
import jsigs from 'jsonld-signatures';

const [, , command, file, folder, lists] = process.argv;
const json = path => JSON.parse(readFileSync(path, 'utf8'));

const contexts = new Map(
  readFileSync(join(folder, 'INDEX.tsv'), 'utf8').trim().split('\n').slice(1).map(row => {
    const [url, name] = row.split('\t');
    return [url, json(join(folder, name))];
  })
);
const documents = lists ? json(lists) : {};

const documentLoader = jsigs.extendContextLoader(async url => {
  const document = contexts.get(url) ?? documents[url] ?? (await didKey(url));
  if(!document) {
    throw new Error(`not among the local files: ${url}`);
  }
  return {contextUrl: null, document, documentUrl: url, tag: 'static'};
});

async function didKey(url) {
  if(!url.startsWith('did:key:')) {
    return undefined;
  }
  const [did, fragment] = url.split('#');
  const key = await Ed25519Multikey.from({
    publicKeyMultibase: did.slice('did:key:'.length),
    id: `${did}#${did.slice('did:key:'.length)}`,
    controller: did
  });
  const method = await key.export({publicKey: true, includeContext: true});
  return fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: did,
    verificationMethod: [method],
    assertionMethod: [method.id],
    authentication: [method.id]
  };
}

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
  const key = await Ed25519Multikey.generate({});
  const exported = await key.export({publicKey: true});
  const did = `did:key:${exported.publicKeyMultibase}`;
  key.controller = did;
  key.id = `${did}#${exported.publicKeyMultibase}`;
  const credential = json(file);
  credential.issuer.id = did;
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
