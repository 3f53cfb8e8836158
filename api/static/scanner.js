// Reads QR codes from camera frames, off the page's own thread.
import { decodeQR } from './vendor/qr/decode.js';

self.onmessage = ({ data: frame }) => {
  let text = null;
  try {
    text = decodeQR(frame);
  } catch {
    // no code in this frame: the next one is already on its way
  }
  self.postMessage(text);
};
