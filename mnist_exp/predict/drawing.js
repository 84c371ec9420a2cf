"use strict";  // the script of drawing.html
const pad = document.getElementById("pad"), said = document.getElementById("status"), runs = document.getElementById("runs");
const PEN = 0.07;     // of the side: a digit that fills two thirds of it has lines as wide as MNIST's
const STEP = 0.02;    // that an arrow key moves the pen
const SENT = 280;     // pixels of the side of a drawing that is sent
const SENT_PICTURE = 560;  // pixels of the longer side of a picture that is sent
const START = "Draw one digit with a mouse, a finger or a pen.";
let strokes = [];     // each a list of [x, y] in 0..1
let picture = null;   // that was opened, in place of strokes
let stroke = null;    // the one being drawn
let keyPen = {x: 0.5, y: 0.5, down: false, shown: false};
let cards = [], busy = false, changed = false, drawing = 0;

function paint(context, side, ink, paper) {
  if (paper) { context.fillStyle = paper; context.fillRect(0, 0, side, side); } else context.clearRect(0, 0, side, side);
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = PEN * side; context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    context.beginPath();
    context.moveTo(points[0][0] * side, points[0][1] * side);
    for (const [x, y] of points) context.lineTo(x * side, y * side);
    if (points.length === 1) context.lineTo(points[0][0] * side + 0.01, points[0][1] * side);
    context.stroke();
  }
}

// Paint what is sent: a picture alone, as large as it is; or the drawing.
function sheet() {
  const canvas = document.createElement("canvas");
  if (picture === null) {
    canvas.width = canvas.height = SENT;
    paint(canvas.getContext("2d"), SENT, "#000", "#fff");
  } else {
    const scale = Math.min(1, SENT_PICTURE / Math.max(picture.width, picture.height));
    canvas.width = Math.max(1, Math.round(picture.width * scale)); canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
  return canvas;
}

function show() {
  const style = getComputedStyle(document.documentElement), context = pad.getContext("2d");
  paint(context, pad.width, style.getPropertyValue("--ink"));
  if (picture !== null) {
    const scale = pad.width / Math.max(picture.width, picture.height), width = picture.width * scale, height = picture.height * scale;
    context.drawImage(picture, (pad.width - width) / 2, (pad.width - height) / 2, width, height);
  }
  if (keyPen.shown) {
    context.beginPath();
    context.arc(keyPen.x * pad.width, keyPen.y * pad.width, PEN * pad.width / 2, 0, 7);
    context.lineWidth = pad.width / 130; context.strokeStyle = style.getPropertyValue("--c0");
    if (keyPen.down) { context.fillStyle = style.getPropertyValue("--c0"); context.fill(); }
    context.stroke();
  }
}

function fit() {
  pad.width = pad.height = Math.round(pad.clientWidth * devicePixelRatio);
  show();
}

function at(event) {
  const box = pad.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function begin() { picture = null; strokes.push(stroke = []); }

function add(points) { stroke.push(...points); ask(); }

// Ask for an answer to what is on the sheet now; without anything there is none.
function ask() {
  drawing += 1;
  changed = strokes.length > 0 || picture !== null;
  document.getElementById("undo").disabled = !changed;
  if (!changed) { say(START); cards.forEach(empty); }
  show(); wait(); classify();
}

function say(words) { if (said.textContent !== words) said.textContent = words; }

// Tell programs that read the page aloud, and tests, whether an answer is still to come.
function wait() {
  const waits = busy || changed || (stroke !== null && !keyPen.down);
  for (const element of [runs, said]) element.setAttribute("aria-busy", waits);
}

pad.addEventListener("pointerdown", event => {
  if (event.button !== 0 || !event.isPrimary) return;
  pad.setPointerCapture(event.pointerId);
  keyPen.shown = keyPen.down = false;
  begin();
  add([at(event)]);
});
pad.addEventListener("pointermove", event => {
  if (stroke === null || keyPen.down || !event.isPrimary) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  add((events.length ? events : [event]).map(at));
});
for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, event => { if (event.isPrimary && !keyPen.down) { stroke = null; wait(); } });

const MOVES = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
pad.addEventListener("keydown", event => {
  const move = MOVES[event.key];
  if (!move && event.key !== " ") return;
  event.preventDefault();
  keyPen.shown = true;
  if (move) {
    keyPen.x = Math.min(1, Math.max(0, keyPen.x + STEP * move[0]));
    keyPen.y = Math.min(1, Math.max(0, keyPen.y + STEP * move[1]));
  } else if (!event.repeat) {
    keyPen.down = !keyPen.down;
    if (keyPen.down) begin(); else stroke = null;
  }
  if (keyPen.down) add([[keyPen.x, keyPen.y]]); else show();
});
pad.addEventListener("focus", () => { if (pad.matches(":focus-visible")) { keyPen.shown = true; show(); } });
pad.addEventListener("blur", () => { if (keyPen.down) stroke = null; keyPen.shown = keyPen.down = false; show(); });

function lift() { stroke = null; keyPen.down = false; }

function clear() {
  lift(); strokes = []; picture = null;
  keyPen = {x: 0.5, y: 0.5, down: false, shown: keyPen.shown && document.activeElement === pad};
  ask();
}

function undo() {
  lift();
  if (picture === null) strokes.pop(); else picture = null;
  ask();
}

document.getElementById("clear").addEventListener("click", clear);
document.getElementById("undo").addEventListener("click", () => { undo(); if (!strokes.length) pad.focus({focusVisible: false}); });
document.addEventListener("keydown", event => {
  if (event.key === "Escape") clear();
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) { event.preventDefault(); undo(); }
});

async function open(file) {
  let opened = null;
  try { opened = await createImageBitmap(file); } catch { /* below */ }
  clear();
  if (opened === null) say("This browser cannot read that file as a picture.");
  else { picture = opened; ask(); }
}

const file = document.getElementById("file");
document.getElementById("open").addEventListener("click", () => file.click());
file.addEventListener("change", () => { if (file.files.length) open(file.files[0]); file.value = ""; });
for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, event => {
  event.preventDefault();  // the browser would leave this page for the file
  pad.classList.toggle("over", name === "dragover");
  if (name === "drop" && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
});

function card(run) {
  const element = document.getElementById("card").content.firstElementChild.cloneNode(true);
  const title = element.querySelector("h2");
  for (const part of run.name.split(/(?<=[_-])/)) title.append(part, document.createElement("wbr"));
  title.title = "run " + run.id;
  for (const role of run.roles) {
    const badge = document.createElement("span");
    badge.className = "role"; badge.textContent = role; title.append(" ", badge);
  }
  element.querySelector(".accuracies").textContent = run.accuracies.length ? "accuracy: " + run.accuracies.join(", ") : "run " + run.id.slice(0, 12);
  element.querySelector(".settings").textContent = run.settings;
  const bars = element.querySelector(".bars");
  for (let digit = 0; digit < 10; digit++) {
    const line = document.createElement("li");
    line.innerHTML = "<span></span><div class=track><div class=bar></div></div><output></output>";
    line.firstChild.textContent = digit;
    bars.append(line);
  }
  runs.append(element);
  return {name: run.name, element};
}

function empty({element}) {
  element.classList.remove("doubted");
  for (const name of [".digit", ".doubt", ".why"]) element.querySelector(name).textContent = "";
  element.querySelector("canvas").getContext("2d").clearRect(0, 0, 28, 28);
  for (const line of element.querySelectorAll("li")) {
    line.className = ""; line.querySelector(".bar").style.transform = "scaleX(0)"; line.querySelector("output").textContent = "";
  }
}

// No answer is certain, so that none is shown as 100%.
function percent(probability) { return probability >= 0.9995 ? ">99.9%" : (100 * probability).toFixed(1) + "%"; }

function fill({element}, answer) {
  const doubts = answer.doubt !== null;
  element.querySelector(".digit").textContent = answer.digit;
  element.classList.toggle("doubted", doubts);
  element.querySelector(".doubt").textContent = doubts ? "Not sure" : "";
  element.querySelector(".why").textContent = doubts ? "Not sure, because " + answer.doubt + ". The percentages compare the ten digits with each other; perhaps it is none of them." : "";
  const pixels = new ImageData(28, 28);
  answer.pixels.forEach((value, i) => pixels.data.set([value, value, value, 255], 4 * i));
  element.querySelector("canvas").getContext("2d").putImageData(pixels, 0, 0);
  element.querySelectorAll("li").forEach((line, digit) => {
    const probability = answer.probabilities[digit];
    line.className = digit === answer.digit ? "top" : "";
    line.querySelector(".bar").style.transform = "scaleX(" + probability + ")";
    line.querySelector("output").textContent = percent(probability);
  });
}

function a(digit) { return (digit === 8 ? "an " : "a ") + digit; }

// Each run's answer once, in words.
function summary(answers) {
  const [first, second] = answers, digits = new Set(answers.map(answer => answer.digit));
  const sure = answers.filter(answer => answer.doubt === null).length;
  if (second === undefined) return sure ? "Read as " + a(first.digit) + "." : "Not sure. Perhaps it is " + a(first.digit) + ".";
  if (sure === 0) return "Neither run is sure. Perhaps it is " + [...digits].map(a).join(" or ") + ".";
  if (sure === 2 && digits.size === 1) return "Both runs read " + a(first.digit) + ".";
  const words = answers.map(answer => answer.doubt === null ? "reads " + a(answer.digit) : "is not sure: perhaps " + a(answer.digit));
  return "The first run " + words[0] + "; the second " + words[1] + ".";
}

async function classify() {
  if (busy || !changed) return;
  busy = true; changed = false;
  const mine = drawing;
  try {
    const body = await new Promise(done => sheet().toBlob(done, "image/png"));
    const response = await fetch("classify", {method: "POST", headers: {"Content-Type": "image/png"}, body});
    const answers = await response.json();
    if (mine === drawing || changed) {
      if (Array.isArray(answers)) {
        answers.forEach((answer, i) => fill(cards[i], answer));
        say(summary(answers));
      } else { cards.forEach(empty); say("No digit is read: " + answers.error + "."); }
    }
  } catch { say("No answer: the program that serves this page has ended."); }
  busy = false;
  wait(); classify();
}

async function start() {
  const found = await (await fetch("models")).json();
  runs.classList.toggle("two", found.length > 1);
  cards = found.map(card);
  fit(); ask();
}
addEventListener("resize", fit);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
start();
