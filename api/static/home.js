// A QR code may lead to the start page: what follows the # belongs to the checking page.
if (location.hash.startsWith('#v1.')) {
  location.replace('/verify' + location.search + location.hash);
}
