// What the packages may look up: our bundled contexts, did:key, and documents handed over by URL.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import jsigs from 'jsonld-signatures';

export const json = path => JSON.parse(readFileSync(path, 'utf8'));

export function localLoader(folder, documents = {}) {
  const contexts = new Map(
    readFileSync(join(folder, 'INDEX.tsv'), 'utf8').trim().split('\n').slice(1).map(row => {
      const [url, name] = row.split('\t');
      return [url, json(join(folder, name))];
    })
  );
  return jsigs.extendContextLoader(async url => {
    const document = contexts.get(url) ?? documents[url] ?? (await didKey(url));
    if(!document) {
      throw new Error(`not among the local files: ${url}`);
    }
    return {contextUrl: null, document, documentUrl: url, tag: 'static'};
  });
}

async function didKey(url) {
  if(!url.startsWith('did:key:')) {
    return undefined;
  }
  const [did, fragment] = url.split('#');
  const publicKeyMultibase = did.slice('did:key:'.length);
  const {from} = publicKeyMultibase.startsWith('zDn') ? EcdsaMultikey : Ed25519Multikey;
  const key = await from({
    '@context': 'https://w3id.org/security/multikey/v1',
    type: 'Multikey',
    publicKeyMultibase,
    id: `${did}#${publicKeyMultibase}`,
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

export async function identified(key) {
  const {publicKeyMultibase} = await key.export({publicKey: true});
  key.controller = `did:key:${publicKeyMultibase}`;
  key.id = `${key.controller}#${publicKeyMultibase}`;
  return key;
}
