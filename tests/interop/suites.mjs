// Digital Bazaar's other cryptosuites: many credentials of ours judged, some of theirs made, one run.
//
//   node suites.mjs CASES CONTEXTS
//
// CASES is {"judge": {name: credential}, "lists": {url: status list credential}, "issue": unsigned,
// "mandatory": [pointer], "reveal": [pointer]}; the answer {"judged": {name: {verified, errors}}, "issued": {name:
// credential}}, where the name of what was issued is its cryptosuite.
import './offline.mjs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as ecdsaSd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalcredentials/vc-bitstring-status-list';
import {identified, json, localLoader} from './local.mjs';

const [, , file, folder] = process.argv;
const cases = json(file);
const documentLoader = localLoader(folder, cases.lists);
const checked = [
  ecdsaRdfc, eddsaRdfc, eddsaJcs.createVerifyCryptosuite(), ecdsaSd.createVerifyCryptosuite()
];

async function judge(credential) {
  const suite = checked.map(cryptosuite => new DataIntegrityProof({cryptosuite}));
  const result = await vc.verifyCredential({
    credential,
    suite,
    documentLoader,
    checkStatus: options => checkStatus({...options, suite, documentLoader})
  });
  const errors = [result.error, ...(result.error?.errors ?? [])]
    .filter(Boolean)
    .map(error => `${error.name}: ${error.message}`);
  return {verified: result.verified, errors};
}

async function issue(key, cryptosuite) {
  const credential = structuredClone(cases.issue);
  credential.issuer.id = key.controller;
  const suite = new DataIntegrityProof({
    signer: {...key.signer(), id: key.id}, date: '2026-11-23T00:00:00Z', cryptosuite
  });
  return vc.issue({credential, suite, documentLoader});
}

async function derive(verifiableCredential) {
  const cryptosuite = ecdsaSd.createDiscloseCryptosuite({selectivePointers: cases.reveal});
  const suite = new DataIntegrityProof({cryptosuite});
  return vc.derive({verifiableCredential, suite, documentLoader});
}

const judged = {};
for(const [name, credential] of Object.entries(cases.judge)) {
  judged[name] = await judge(credential);
}
const edwards = await identified(await Ed25519Multikey.generate({}));
const p256 = await identified(await EcdsaMultikey.generate({curve: 'P-256'}));
const base = await issue(
  p256, ecdsaSd.createSignCryptosuite({mandatoryPointers: cases.mandatory})
);
const issued = {
  'eddsa-jcs-2022': await issue(edwards, eddsaJcs.createSignCryptosuite()),
  'ecdsa-rdfc-2019': await issue(p256, ecdsaRdfc),
  'ecdsa-sd-2023': await derive(base)
};
process.stdout.write(JSON.stringify({judged, issued}));
