// The checking page: drop, choose, paste, scan, and the link of a QR code. Everything is rendered
// by the server; this only carries input there and puts the answer on the page.

let presented = null; // what was checked last: { file } or { text }
let stopCamera = () => {};
let asked = 0; // number of the newest question; an older answer is dropped

const get = (id) => document.getElementById(id);
const word = (name) => get('words').dataset[name];

function start() {
  document.documentElement.classList.add('scripted');
  for (const element of document.querySelectorAll('.with-script')) element.hidden = false;
  for (const element of document.querySelectorAll('.without-script')) element.hidden = true;
  get('camera').hidden = false;

  get('check').addEventListener('submit', (event) => {
    event.preventDefault();
    const file = get('file').files[0];
    check(file ? { file } : { text: get('text').value });
  });
  get('file').addEventListener('change', (event) => {
    const file = event.target.files[0];
    if (file) check({ file });
  });
  get('text').addEventListener('input', () => {
    get('file').value = ''; // the newer of the two is meant
  });
  get('scan').addEventListener('click', scan);
  get('stop').addEventListener('click', () => {
    stopCamera();
    get('scan').focus();
  });
  get('language').addEventListener('click', (event) => {
    event.preventDefault();
    changeLanguage(event.currentTarget.dataset.href ?? event.currentTarget.getAttribute('href'));
  });
}

function acceptDrops() {
  const over = (on) => get('drop')?.classList.toggle('over', on);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) over(false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    const file = event.dataTransfer.files[0];
    const text = event.dataTransfer.getData('text/plain');
    if (file) check({ file });
    else if (text) check({ text });
  });
}

async function check(input) {
  presented = input;
  stopCamera();
  const mine = ++asked;
  const form = new FormData();
  if (input.file) form.set('file', input.file);
  if (input.text) form.set('text', input.text);
  busy(true);
  let html;
  try {
    const answer = await fetch('/verify?lang=' + document.documentElement.lang, {
      method: 'POST',
      body: form,
      headers: { 'X-Baeum-Fragment': '1', Accept: 'application/problem+json, text/html' },
    });
    html = await answer.text();
    if (!answer.headers.get('Content-Type')?.startsWith('text/html')) {
      html = problem(JSON.parse(html));
    }
  } catch {
    html = problem({ title: word('offlineTitle'), detail: word('offline') });
  }
  if (mine === asked) show(html);
}

function busy(on) {
  get('check').setAttribute('aria-busy', String(on));
  get('submit').disabled = on;
  get('announce').textContent = on ? word('busy') : '';
  if (on) {
    const line = document.createElement('p');
    line.className = 'busy';
    line.textContent = word('busy');
    get('result').replaceChildren(line);
    line.scrollIntoView({ block: 'center' });
  }
}

function show(html) {
  busy(false);
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  get('result').replaceChildren(...parsed.body.childNodes);
  get('file').value = ''; // so that choosing the same file again asks again
  const heading = get('verdict');
  document.title = heading.textContent + ' · ' + document.title.split(' · ').at(-1);
  heading.scrollIntoView({ block: 'center' });
  heading.focus({ preventScroll: true });
}

// the few failures that no page of the server describes
function problem({ title, detail, remedy = '' }) {
  const section = document.createElement('section');
  section.className = 'report problem';
  const banner = document.createElement('div');
  banner.className = 'banner undetermined';
  const inner = document.createElement('div');
  const heading = document.createElement('h2');
  heading.id = 'verdict';
  heading.tabIndex = -1;
  heading.textContent = title;
  inner.append(heading);
  for (const sentence of [detail, remedy]) {
    const line = document.createElement('p');
    line.textContent = sentence;
    if (sentence) inner.append(line);
  }
  banner.append(inner);
  section.append(banner);
  return section.outerHTML;
}

async function changeLanguage(href) {
  let page;
  try {
    page = await (await fetch(href, { headers: { Accept: 'text/html' } })).text();
  } catch {
    show(problem({ title: word('offlineTitle'), detail: word('offline') }));
    return;
  }
  stopCamera();
  const text = get('text').value;
  const parsed = new DOMParser().parseFromString(page, 'text/html');
  const carried = document.querySelector('header input[name=text]')?.value;
  document.documentElement.lang = parsed.documentElement.lang;
  document.title = parsed.title;
  document.body.replaceChildren(...parsed.body.childNodes);
  history.replaceState(null, '', href);
  start();
  get('text').value = text;
  presented ??= carried ? { text: carried } : null;
  if (presented) check(presented);
  else get('language').focus();
}

async function scan() {
  const trouble = get('camera-trouble');
  trouble.textContent = '';
  if (!navigator.mediaDevices?.getUserMedia) {
    trouble.textContent = word(window.isSecureContext ? 'noCamera' : 'insecure');
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: 'environment', width: { ideal: 1920 }, height: { ideal: 1080 } },
    });
  } catch (error) {
    const kind = { NotAllowedError: 'denied', NotFoundError: 'noCamera' }[error.name];
    trouble.textContent = word(kind ?? 'cameraBusy');
    return;
  }
  const video = get('video');
  const worker = new Worker('/static/scanner.js', { type: 'module' });
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  let running = true;

  stopCamera = () => {
    stopCamera = () => {};
    running = false;
    worker.terminate();
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
    get('viewer').hidden = true;
    get('scan').hidden = false;
  };

  const look = () => {
    if (!running) return;
    if (video.readyState < 2 || video.videoWidth === 0) {
      requestAnimationFrame(look);
      return;
    }
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    pen.drawImage(video, 0, 0);
    const frame = pen.getImageData(0, 0, canvas.width, canvas.height);
    worker.postMessage(frame, [frame.data.buffer]);
  };

  worker.onmessage = ({ data: text }) => {
    if (!running) return;
    if (text === null) {
      look();
      return;
    }
    get('announce').textContent = word('found');
    check({ text });
  };
  worker.onerror = () => {
    trouble.textContent = word('cameraBusy');
    stopCamera();
  };

  get('viewer').hidden = false;
  get('scan').hidden = true;
  get('stop').focus();
  get('announce').textContent = word('scanning');
  video.srcObject = stream;
  await video.play().catch(() => {});
  look();
}

// the link of a QR code: what follows the # never reaches a server log
function fromLink() {
  if (!location.hash.startsWith('#v1.')) return;
  const text = location.hash.slice(1);
  history.replaceState(null, '', location.pathname + location.search);
  check({ text });
}

start();
acceptDrops();
fromLink();
window.addEventListener('hashchange', fromLink);
